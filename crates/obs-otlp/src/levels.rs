//! What the levels of a request are called.

/// The names of the three levels, as OTLP's JSON has them; in protobuf, their numbers are the same for every signal.
#[derive(Debug)]
pub(crate) struct Levels {
    /// The groups of a resource.
    pub(crate) groups: &'static str,
    /// The groups of a scope, within one of a resource.
    pub(crate) scopes: &'static str,
    /// What is in the group of a scope.
    pub(crate) records: &'static str,
}

pub(crate) const SPANS: Levels = Levels { groups: "resourceSpans", scopes: "scopeSpans", records: "spans" };
pub(crate) const LOGS: Levels = Levels { groups: "resourceLogs", scopes: "scopeLogs", records: "logRecords" };
pub(crate) const METRICS: Levels =
    Levels { groups: "resourceMetrics", scopes: "scopeMetrics", records: "metrics" };
