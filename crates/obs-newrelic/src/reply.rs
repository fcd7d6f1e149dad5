//! What New Relic's answers say.

use obs_core::{ErrorKind, Failure, Reply, Retry, Signal};
use obs_http::Answer;
use obs_otlp::answer::{PartialSuccess, partial_success};
use serde::Deserialize;

use crate::wire::Place;

/// What the Metric API and the Event API say of a request: its id, which the errors that follow later bear, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Taken {
    #[serde(rename = "requestId")]
    request_id: Option<String>,
    uuid: Option<String>,
    success: Option<bool>,
    error: Option<String>,
}

/// Reads the answer to a request that was taken.
pub(crate) fn read(place: Place, address: &str, answer: &Answer) -> Result<Reply, Failure> {
    match place {
        Place::Traces => Ok(of_otlp(Signal::Traces, address, answer)),
        Place::Metrics => Ok(of_otlp(Signal::Metrics, address, answer)),
        Place::Logs => Ok(of_otlp(Signal::Logs, address, answer)),
        Place::MetricApi | Place::Events => taken(address, answer),
    }
}

/// What the receiver refused is counted, for it does not say which records these are.
fn of_otlp(signal: Signal, address: &str, answer: &Answer) -> Reply {
    match partial_success(signal, answer.header("content-type"), answer.body()) {
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            tracing::warn!(target: "obs::newrelic", endpoint = %address, "it took everything, and warns: {message}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match message.trim() {
                "" => "New Relic refused some and said neither which nor why".into(),
                said => format!("New Relic refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Ok(None) => Reply::default(),
        Err(cause) => {
            tracing::debug!(target: "obs::newrelic", endpoint = %address, "{cause}");
            Reply::default()
        }
    }
}

/// The id is told in the log; an answer of another form is left alone, since its status settles the request.
fn taken(address: &str, answer: &Answer) -> Result<Reply, Failure> {
    let said: Taken = serde_json::from_slice(answer.body()).unwrap_or_default();
    if said.success == Some(false) {
        let cause = said.error.unwrap_or_else(|| "without a reason".to_owned());
        let message = format!("{address} answered {} and refused it: {cause}", answer.status()).into();
        let (kind, retry) = (ErrorKind::Rejected, Retry::Never);
        return Err(Failure { kind, retry, status: Some(answer.status()), message });
    }
    if let Some(id) = said.request_id.or(said.uuid) {
        tracing::debug!(
            target: "obs::newrelic",
            endpoint = %address,
            request_id = %id,
            "taken, and checked later: what New Relic drops of it is an NrIntegrationError with this requestId"
        );
    }
    Ok(Reply::default())
}
