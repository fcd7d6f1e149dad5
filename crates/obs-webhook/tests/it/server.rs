//! What the tests share: a server, and an exporter that sends to it.

use std::sync::Arc;

use obs_core::{Batch, Exporter, Level, Log, Receipt, Resource, Timestamp, TraceContext};
use obs_http::Auth;
use obs_testkit::fixtures::at;
use obs_testkit::{CaptureServer, Captured};
use obs_webhook::{WebhookConfig, WebhookExporter};

/// The credentials of the configurations here.
pub(crate) const TOKEN: &str = "token-of-the-tests";
pub(crate) const KEY: &str = "key-in-a-header-1";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// 2026-01-15T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_768_471_200_000_000_000);

/// Sends to the server, all signals below a path of their own.
pub(crate) fn config(server: &CaptureServer) -> WebhookConfig {
    WebhookConfig::new(format!("{}/in/{{signal}}", server.url()))
        .with_auth(Auth::bearer(TOKEN))
        .with_header("X-Key", KEY)
}

/// An exporter whose clock stands still.
pub(crate) fn exporter(config: WebhookConfig) -> WebhookExporter {
    WebhookExporter::new(config).unwrap().with_clock(|| NOW)
}

/// What a batch becomes by a changed configuration: what arrived, and the receipt.
pub(crate) async fn sent(
    batch: &Batch,
    change: impl FnOnce(WebhookConfig) -> WebhookConfig,
) -> (Vec<Captured>, Receipt) {
    let server = CaptureServer::start().await;
    let receipt = exporter(change(config(&server))).export(batch).await.unwrap();
    (server.take_requests(), receipt)
}

/// A log of a service in an environment on a host.
pub(crate) fn log_of(nth: u64, service: &str, environment: Option<&str>) -> Log {
    let mut log = Log::new(at(nth), Level::Info, format!("message {nth}"));
    log.resource = Arc::new(Resource::service(service.to_owned()));
    let environment = environment.map(|environment| environment.to_owned().into());
    log.context = Arc::new(TraceContext { environment, ..TraceContext::default() });
    log
}

pub(crate) fn logs(logs: impl IntoIterator<Item = Log>) -> Batch {
    Batch::Logs(logs.into_iter().collect())
}

/// So many short logs.
pub(crate) fn many(count: u64) -> Batch {
    logs((0..count).map(|nth| Log::new(at(nth), Level::Info, format!("message {nth}"))))
}

/// The messages of the logs of a JSON body.
pub(crate) fn messages(request: &Captured) -> Vec<String> {
    let json = request.json().unwrap();
    let records = json["records"].as_array().unwrap();
    records.iter().map(|record| record["message"].as_str().unwrap().to_owned()).collect()
}
