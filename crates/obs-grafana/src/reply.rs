//! What an answer to OTLP means for the records.

use obs_core::{Reply, Signal};
use obs_http::Answer;
use obs_otlp::answer::{PartialSuccess, partial_success};

use crate::wire::Place;

/// Reads the answer to a request that was taken; what the receiver refused of it is counted, for it does not say which
/// records these are.
pub(crate) fn read(place: Place, address: &str, answer: &Answer) -> Reply {
    let signal = match place {
        Place::Traces => Signal::Traces,
        Place::Metrics => Signal::Metrics,
        Place::Logs => Signal::Logs,
    };
    match partial_success(signal, answer.header("content-type"), answer.body()) {
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            tracing::warn!(target: "obs::grafana", endpoint = %address, "it took everything, and warns: {message}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match message.trim() {
                "" => "the receiver refused some and said neither which nor why".into(),
                said => format!("the receiver refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Ok(None) => Reply::default(),
        Err(cause) => {
            tracing::debug!(target: "obs::grafana", endpoint = %address, "{cause}");
            Reply::default()
        }
    }
}
