//! Requests; no logic.

/// Which intake a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Spans of LLM Observability.
    LlmobsSpans,
    /// Evaluations of LLM Observability, which scores and feedback are.
    Evaluations,
    /// Logs, version 2.
    Logs,
    /// Series, version 2.
    Series,
    /// Points of distributions, version 1.
    Distributions,
    /// Spans as OTLP has them.
    OtlpTraces,
}

/// A request before compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) body: Vec<u8>,
}
