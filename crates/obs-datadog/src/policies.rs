//! What the answers of Datadog's intakes mean for the records that were sent.

use obs_http::Policy;

/// Spans of LLM Observability.
pub(crate) const LLMOBS: Policy = Policy::DEFAULT;

/// Evaluations of LLM Observability.
pub(crate) const EVALUATIONS: Policy = Policy::DEFAULT;

/// Logs: 408, 429 and 5xx are tried again, 413 is halved, 400 is a rejection.
pub(crate) const LOGS: Policy = Policy::DEFAULT;

/// Series: the same as logs.
pub(crate) const SERIES: Policy = Policy::DEFAULT;

/// Points of distributions: the same as series.
pub(crate) const DISTRIBUTIONS: Policy = Policy::DEFAULT;

/// OTLP, of which the specification says what is tried again.
pub(crate) const OTLP: Policy = Policy::OTLP;

/// Whether a key is good: nothing but the answer 200 says so.
pub(crate) const VALIDATE: Policy = Policy::DEFAULT;
