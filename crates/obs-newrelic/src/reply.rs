//! What New Relic's answers say.

use obs_core::{ErrorKind, Failure, Reply, Retry, Signal};
use obs_http::{Answer, Client};
use obs_otlp::answer::{PartialSuccess, partial_success};
use serde::Deserialize;
use serde_json::Value;

use crate::wire::Place;

/// What an answer may say of a request: its id, which the errors that follow later bear, too, and whether it was taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Taken {
    #[serde(rename = "requestId")]
    request_id: Option<Value>,
    uuid: Option<Value>,
    success: Option<Value>,
    error: Option<Value>,
}

/// A text, or what stands in its place as JSON.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether an answer of success says that the request was taken; the client keeps credentials out of what is quoted.
///
/// # Errors
/// The Event API says that it refused the request after all.
pub(crate) fn taken(client: &Client, answer: &Answer) -> Result<(), Failure> {
    // An answer of another form is left alone, since its status settles the request.
    let said: Taken = serde_json::from_slice(answer.body()).unwrap_or_default();
    if said.success == Some(Value::Bool(false)) {
        let cause = said.error.and_then(|cause| client.quote(&words(&cause)));
        let cause = cause.unwrap_or_else(|| "without a reason".to_owned());
        let message =
            format!("{} answered {} and refused it: {cause}", client.place(), answer.status()).into();
        let (kind, retry) = (ErrorKind::Rejected, Retry::Never);
        return Err(Failure { kind, retry, status: Some(answer.status()), message });
    }
    if let Some(id) = said.request_id.or(said.uuid).and_then(|id| client.quote(&words(&id))) {
        tracing::debug!(
            target: "obs::newrelic",
            endpoint = %client.place(),
            request_id = %id,
            "taken, and checked later: what New Relic drops of it is an NrIntegrationError with this requestId"
        );
    }
    Ok(())
}

/// Reads the answer to a request that was taken.
///
/// # Errors
/// As [`taken`].
pub(crate) fn read(place: Place, client: &Client, answer: &Answer) -> Result<Reply, Failure> {
    taken(client, answer)?;
    Ok(match place {
        Place::Traces => of_otlp(Signal::Traces, client, answer),
        Place::Metrics => of_otlp(Signal::Metrics, client, answer),
        Place::Logs => of_otlp(Signal::Logs, client, answer),
        Place::MetricApi | Place::Events => Reply::default(),
    })
}

/// What the receiver refused is counted, for it does not say which records these are.
fn of_otlp(signal: Signal, client: &Client, answer: &Answer) -> Reply {
    let endpoint = client.place();
    match partial_success(signal, answer.header("content-type"), answer.body()) {
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            let said = client.quote(&message).unwrap_or_default();
            tracing::warn!(target: "obs::newrelic", %endpoint, "it took everything, and warns: {said}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match client.quote(&message) {
                None => "New Relic refused some and said neither which nor why".into(),
                Some(said) => format!("New Relic refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Ok(None) => Reply::default(),
        Err(cause) => {
            let cause = client.quote(&cause.to_string()).unwrap_or_default();
            tracing::debug!(target: "obs::newrelic", %endpoint, "{cause}");
            Reply::default()
        }
    }
}
