//! What is told of a log.

use obs_core::{Log, Payload};
use serde::Serialize;

/// What a log has that a row has no field for.
#[derive(Debug, Serialize)]
pub(crate) struct OfLog<'a> {
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Payload>,
}

impl<'a> OfLog<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { level: log.level.as_str(), event_name: log.event_name.as_deref(), data: log.data.as_ref() }
    }
}
