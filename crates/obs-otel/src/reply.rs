//! What an answer means for the records.

use obs_core::{Reply, Signal};
use obs_http::Client;
use obs_otlp::answer::{PartialSuccess, partial_success};

use crate::wire::{Items, Service};

/// What was asked, of whom.
pub(crate) struct Asked<'a> {
    pub(crate) service: Service,
    pub(crate) items: &'a Items,
    pub(crate) place: &'a str,
    /// What keeps credentials out of messages.
    pub(crate) client: &'a Client,
}

/// Reads the answer to a request that was taken.
///
/// What a collector refuses of it is counted and never sent again, as OTLP has it; it does not say which records these are.
pub(crate) fn read(asked: &Asked<'_>, content_type: Option<&str>, body: &[u8]) -> Reply {
    let Asked { service, items, place, client } = asked;
    let quote = |said: &str| client.quote(said);
    match partial_success(signal(*service), content_type, body) {
        Ok(None) => Reply::default(),
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            let said = quote(&message).unwrap_or_default();
            tracing::warn!(target: "obs::otel", endpoint = %place, "the collector took everything, and warns: {said}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = items.records(usize::try_from(rejected).unwrap_or(usize::MAX));
            let reason = match quote(&message) {
                None => "the collector refused some and said neither which nor why".into(),
                Some(said) => format!("the collector refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Err(cause) => {
            let cause = quote(&cause.to_string()).unwrap_or_default();
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
