//! What the tests share: an exporter over a server on this machine, and readers of what arrives there.

use obs_core::{Batch, Error, Exporter, Receipt};
use obs_otel::{OtelConfig, OtelExporter, Protocol};
use obs_testkit::{CaptureServer, Captured};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message;
use serde_json::Value;

/// A token that must appear nowhere.
pub(crate) const TOKEN: &str = "token-0123456789";

/// An exporter and the server it sends to.
pub(crate) struct Bench {
    pub(crate) server: CaptureServer,
    pub(crate) exporter: OtelExporter,
}

impl Bench {
    /// With the defaults.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config).await
    }

    /// With what `set` makes of the defaults.
    pub(crate) async fn with(set: impl FnOnce(OtelConfig) -> OtelConfig) -> Self {
        let server = CaptureServer::start().await;
        let exporter = OtelExporter::new(set(config(&server.url()))).unwrap();
        Self { server, exporter }
    }

    pub(crate) async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.exporter.export(batch).await
    }

    /// The requests that a batch becomes, decoded.
    pub(crate) async fn sent(&self, batch: &Batch) -> Vec<Sent> {
        self.export(batch).await.unwrap();
        self.server.take_requests().iter().map(Sent::of).collect()
    }
}

/// To this address, with a token and what else would differ from run to run.
pub(crate) fn config(url: &str) -> OtelConfig {
    let http = obs_http::HttpConfig::new(url).with_auth(obs_http::Auth::bearer(TOKEN));
    OtelConfig::new(url).with_http(http).with_service_name("fallback").with_service_instance_id("instance-1")
}

/// A request as it arrived, decoded by other code than wrote it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

impl Sent {
    pub(crate) fn of(request: &Captured) -> Self {
        let json = request.header("content-type") == Some("application/json");
        let body = &request.body;
        match &*request.path {
            path if path.ends_with("/v1/traces") => Self::Traces(decoded(body, json)),
            path if path.ends_with("/v1/metrics") => Self::Metrics(decoded(body, json)),
            path if path.ends_with("/v1/logs") => Self::Logs(decoded(body, json)),
            path => panic!("nothing of OTLP is at {path}"),
        }
    }
}

fn decoded<T: Message + Default + serde::de::DeserializeOwned>(body: &[u8], json: bool) -> T {
    if !json {
        return T::decode(body).unwrap();
    }
    let mut value = serde_json::from_slice(body).unwrap();
    readable(&mut value);
    serde_json::from_value(value).unwrap()
}

/// The fields that hold a float.
const NUMBERS: [&str; 6] = ["doubleValue", "asDouble", "sum", "min", "max", "zeroThreshold"];

/// Numbers that are none are texts in protobuf's JSON, which `opentelemetry-proto` does not read.
fn readable(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if NUMBERS.contains(&name.as_str()) && value.is_string() {
                    *value = Value::from(0.0);
                }
                readable(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(readable),
        _ => {}
    }
}

/// The attribute of this name.
pub(crate) fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Any> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

/// With one protocol.
pub(crate) fn speaking(protocol: Protocol) -> impl FnOnce(OtelConfig) -> OtelConfig {
    move |config| config.with_protocol(protocol)
}
