//! What an answer to OTLP means for the records.

use obs_core::{Reply, Signal};
use obs_http::{Answer, Client};
use obs_otlp::answer::{PartialSuccess, partial_success};

use crate::wire::Place;

/// Reads the answer to a request that was taken; what the receiver refused of it is counted, for it does not say which
/// records these are; the client keeps credentials out of what is quoted.
pub(crate) fn read(place: Place, client: &Client, answer: &Answer) -> Reply {
    let address = client.place();
    let signal = match place {
        Place::Traces => Signal::Traces,
        Place::Metrics => Signal::Metrics,
        Place::Logs => Signal::Logs,
    };
    match partial_success(signal, answer.header("content-type"), answer.body()) {
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            let said = client.quote(&message).unwrap_or_default();
            tracing::warn!(target: "obs::grafana", endpoint = %address, "it took everything, and warns: {said}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match client.quote(&message) {
                None => "the receiver refused some and said neither which nor why".into(),
                Some(said) => format!("the receiver refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Ok(None) => Reply::default(),
        Err(cause) => {
            let cause = client.quote(&cause.to_string()).unwrap_or_default();
            tracing::debug!(target: "obs::grafana", endpoint = %address, "{cause}");
            Reply::default()
        }
    }
}
