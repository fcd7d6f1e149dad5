//! What the tests share: an exporter over a server on this machine, and readers of what arrives there.

use obs_core::{Batch, Error, Exporter, Receipt, Timestamp};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_testkit::{CaptureServer, Captured, conformance, fixtures};
use serde_json::{Map, Value};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef0123NRAL";
pub(crate) const EVENTS: &str = "/v1/accounts/1234567/events";
pub(crate) const METRICS: &str = "/metric/v1";

/// So many milliseconds into the fixtures' time.
pub(crate) fn at(millis: u64) -> Timestamp {
    fixtures::at(millis * 1_000)
}

/// An exporter and the server it sends to.
pub(crate) struct Bench {
    pub(crate) server: CaptureServer,
    pub(crate) exporter: NewRelicExporter,
}

impl Bench {
    /// With the license key alone.
    pub(crate) async fn alone() -> Self {
        Self::of(|config, _| config).await
    }

    /// With an account.
    pub(crate) async fn account() -> Self {
        Self::with(|config| config).await
    }

    /// With an account, and metrics by the Metric API.
    pub(crate) async fn native() -> Self {
        Self::of(|config, url| with_account(config, url).with_metrics_api_url(format!("{url}{METRICS}")))
            .await
    }

    /// [`Bench::account`] with what `set` makes of the config.
    pub(crate) async fn with(set: impl FnOnce(NewRelicConfig) -> NewRelicConfig) -> Self {
        Self::of(|config, url| set(with_account(config, url))).await
    }

    async fn of(set: impl FnOnce(NewRelicConfig, &str) -> NewRelicConfig) -> Self {
        let server = CaptureServer::start().await;
        let url = server.url();
        let config = NewRelicConfig::new(KEY)
            .with_endpoint(url.clone())
            .with_service_name("obs-test")
            .with_service_instance_id("instance-1");
        let exporter = NewRelicExporter::new(set(config, &url)).unwrap();
        Self { server, exporter }
    }

    pub(crate) async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.exporter.export(batch).await
    }

    /// The batch as the pipeline hands it over.
    pub(crate) fn input(&self, batch: &Batch) -> Batch {
        conformance::input(batch, self.exporter.descriptor())
    }

    /// The events that a batch becomes.
    pub(crate) async fn events(&self, batch: &Batch) -> Vec<Map<String, Value>> {
        self.export(batch).await.unwrap();
        self.server.take_requests().iter().flat_map(events).collect()
    }

    /// The points that a batch becomes by the Metric API.
    pub(crate) async fn points(&self, batch: &Batch) -> Vec<Value> {
        self.export(batch).await.unwrap();
        self.server.take_requests().iter().flat_map(points).collect()
    }
}

fn with_account(config: NewRelicConfig, url: &str) -> NewRelicConfig {
    config.with_account_id("1234567").with_events_api_url(format!("{url}/v1/accounts/{{account_id}}/events"))
}

fn fits(name: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_');
    !name.is_empty() && name.len() <= 255 && name.chars().all(of_name)
}

/// The events of a request, held to what New Relic demands.
pub(crate) fn events(request: &Captured) -> Vec<Map<String, Value>> {
    if request.path != EVENTS || request.body.is_empty() {
        return Vec::new();
    }
    events_in(&request.body)
}

/// The same of a body.
pub(crate) fn events_in(body: &[u8]) -> Vec<Map<String, Value>> {
    assert!(body.len() <= 1_000_000, "{} bytes", body.len());
    let events: Vec<Map<String, Value>> = serde_json::from_slice(body).unwrap();
    for event in &events {
        assert!(event.len() <= 254, "{} attributes", event.len());
        assert!(event["eventType"].is_string() && event["timestamp"].is_u64());
        for (name, value) in event {
            assert!(fits(name), "{name}");
            assert!(value.is_number() || value.is_string(), "{name} is {value}");
            assert!(value.as_str().is_none_or(|text| text.chars().count() <= 4_096), "{name}");
        }
        for reserved in ["accountId", "appId", "entity.guid", "log", "hostname"] {
            assert!(!event.contains_key(reserved), "{reserved}");
        }
    }
    events
}

/// The points of a request to the Metric API, held to what New Relic demands, with what they have in common.
pub(crate) fn points(request: &Captured) -> Vec<Value> {
    if request.path != METRICS || request.body.is_empty() {
        return Vec::new();
    }
    points_in(&request.body)
}

/// The same of a body.
pub(crate) fn points_in(body: &[u8]) -> Vec<Value> {
    assert!(body.len() <= 1_000_000, "{} bytes", body.len());
    let blocks: Vec<Value> = serde_json::from_slice(body).unwrap();
    let mut all = Vec::new();
    for block in blocks {
        let common = block["common"]["attributes"].as_object().unwrap().clone();
        for point in block["metrics"].as_array().unwrap() {
            let own = point["attributes"].as_object().unwrap();
            assert!(own.len() + common.len() <= 150, "{} and {}", own.len(), common.len());
            for (name, value) in own.iter().chain(&common) {
                assert!(fits(name) && Some(&**name) != point["name"].as_str(), "{name}");
                assert!(value.as_str().is_none_or(|text| text.chars().count() <= 4_096), "{name}");
                assert!(!["timestamp", "value", "count", "sum", "min", "max"].contains(&&**name), "{name}");
            }
            let mut whole = point.clone();
            whole["common"] = Value::Object(common.clone());
            assert!(point["name"].as_str().unwrap().chars().count() < 255);
            assert!(point["timestamp"].is_u64());
            let windowed = ["count", "summary"].contains(&point["type"].as_str().unwrap());
            assert_eq!(point["interval.ms"].as_u64().is_some_and(|length| length > 0), windowed, "{point}");
            all.push(whole);
        }
    }
    all
}
