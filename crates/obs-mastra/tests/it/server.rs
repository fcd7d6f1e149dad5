//! A server that takes everything, and an exporter that sends there.

use std::collections::BTreeMap;

use obs_core::{Batch, Exporter, Receipt, SpanRecord};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_testkit::CaptureServer;
use serde_json::Value;
use serde_json::value::RawValue;

/// The token of every test.
pub(crate) const TOKEN: &str = "planted-mastra-token";

/// JSON that may nest deeper and hold greater numbers than this reader's, which become texts.
pub(crate) fn lenient(json: &str) -> Value {
    if let Ok(value) = serde_json::from_str(json) {
        return value;
    }
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) {
        return fields.into_iter().map(|(name, value)| (name, lenient(value.get()))).collect();
    }
    match serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        Ok(items) => items.iter().map(|item| lenient(item.get())).collect(),
        Err(_) => Value::from(json),
    }
}

/// A configuration for it.
pub(crate) fn config(server: &CaptureServer) -> MastraConfig {
    MastraConfig::new(TOKEN).with_project_id("support").with_endpoint(server.url())
}

/// An exporter to it, without chance.
pub(crate) fn exporter(server: &CaptureServer) -> MastraExporter {
    MastraExporter::new(config(server)).unwrap().with_chance(|| 0.5)
}

/// What arrived: the route's name and the item, in the order of arrival.
pub(crate) fn items(server: &CaptureServer) -> Vec<(String, Value)> {
    let requests = server.requests();
    let items = requests.iter().flat_map(|request| {
        let route = route(&request.path);
        let Value::Object(body) = lenient(std::str::from_utf8(&request.body).unwrap()) else {
            panic!("no object: {request:?}")
        };
        assert_eq!(body.keys().collect::<Vec<_>>(), [&route], "the list is named as the route");
        let list = body[&route].as_array().unwrap();
        list.iter().map(|item| (route.clone(), item.clone())).collect::<Vec<_>>()
    });
    items.collect()
}

/// The name of a route in its path.
pub(crate) fn route(path: &str) -> String {
    let name = path.strip_prefix("/projects/support/ai/").unwrap().strip_suffix("/publish").unwrap();
    name.to_owned()
}

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) items: Vec<(String, Value)>,
    pub(crate) receipt: Receipt,
    pub(crate) server: CaptureServer,
}

/// Sends a batch with the ordinary configuration.
pub(crate) async fn sent(batch: Batch) -> Sent {
    sent_with(batch, |config| config).await
}

/// The same with another configuration.
pub(crate) async fn sent_with(batch: Batch, change: impl FnOnce(MastraConfig) -> MastraConfig) -> Sent {
    let server = CaptureServer::start().await;
    let exporter = MastraExporter::new(change(config(&server))).unwrap();
    let receipt = exporter.export(&batch).await.unwrap();
    Sent { items: items(&server), receipt, server }
}

impl Sent {
    /// The only item.
    #[track_caller]
    pub(crate) fn item(&self) -> &Value {
        assert_eq!(self.items.len(), 1, "{:#?}", self.items);
        &self.items[0].1
    }
}

/// Spans that ended, as a batch.
pub(crate) fn ended(spans: impl IntoIterator<Item = obs_core::Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}
