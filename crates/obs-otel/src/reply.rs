//! What an answer means for the records.

use obs_core::{Reply, Signal};
use obs_otlp::answer::{PartialSuccess, partial_success};

use crate::wire::Service;

/// Reads the answer to a request that was taken.
///
/// What a collector refuses of it is counted and never sent again, as OTLP has it; it does not say which records these are.
pub(crate) fn read(service: Service, place: &str, content_type: Option<&str>, body: &[u8]) -> Reply {
    match partial_success(signal(service), content_type, body) {
        Ok(None) => Reply::default(),
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            tracing::warn!(target: "obs::otel", endpoint = %place, "the collector took everything, and warns: {message}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match message.trim() {
                "" => "the collector refused some and said neither which nor why".into(),
                said => format!("the collector refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Err(cause) => {
            tracing::debug!(target: "obs::otel", endpoint = %place, "{cause}");
            Reply::default()
        }
    }
}

const fn signal(service: Service) -> Signal {
    match service {
        Service::Traces => Signal::Traces,
        Service::Metrics => Signal::Metrics,
        Service::Logs => Signal::Logs,
    }
}
