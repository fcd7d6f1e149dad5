#![doc = include_str!("../README.md")]

mod annotate;
mod automatic;
mod begin;
mod bridge;
mod builder;
mod called;
mod context;
pub mod cost;
mod entity;
mod env;
mod fail;
mod failure;
#[cfg(feature = "http")]
mod headers;
mod ids;
mod instance;
mod intern;
mod judge;
mod judgement;
mod kind;
mod limits;
mod logger;
mod meter;
mod observability;
mod observe;
mod open;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
mod own_processors;
mod pool;
mod propagation;
mod reading;
mod readings;
mod registry;
mod restated;
mod rollup;
mod running;
mod sampling;
mod span;
mod summed;
mod suspended;
mod tail;
#[cfg(feature = "tower")]
pub mod tower;
mod trace;
mod typed;
mod under;
mod visible;
mod workflow;

#[cfg(feature = "opentelemetry")]
pub use self::opentelemetry::{BothContextsFuture, EnteredBoth};
pub use automatic::{
    AUTOMATIC_METRICS, AutomaticMetric, AutomaticMetrics, Cardinality, DEFAULT_PREFIX, GEN_AI_METRICS,
    ValuePattern,
};
pub use bridge::Recorder;
pub use builder::ObservabilityBuilder;
pub use context::{Context, ContextFuture, ContextIter, ContextStream, Entered, FutureExt, StreamExt};
pub use intern::intern;
pub use judgement::{FeedbackBuilder, ScoreBuilder};
pub use kind::{Generic, Kind};
pub use limits::{SpanLimits, left_out};
pub use logger::{LogBuilder, Logger};
pub use meter::{
    BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter, Counter, Gauge, Histogram, Meter,
    UpDownCounter,
};
pub use obs_core::rolled;
pub use observability::{Guard, MetricsOf, Observability};
pub use propagation::{Baggage, BaggageError, Carrier};
pub use registry::Registry;
pub use sampling::{BySpanType, ParentBased, Rate, Sampling, SamplingInput, SamplingParent};
pub use span::{ActiveSpan, CANCELLED};
pub use summed::SummedCounter;
pub use suspended::Suspended;
pub use tail::{ScoreRule, TailSampling, TailTrace};
pub use trace::{READ_SCHEDULE, RecordedTrace, SpanHandle, TraceHandle};
pub use workflow::workflow_names;

pub use observe::resolve;

/// # Examples
///
/// Arguments and result are recorded, an error fails the span, and spans of what is called are below it:
///
/// ```
/// use obs_instrument::{Observability, observe};
/// # use obs_testkit::Scripted;
///
/// #[observe(tool_call, tool = "calculator", skip(secret))]
/// fn divide(a: i64, b: i64, secret: &str) -> Result<i64, String> {
///     # let _ = secret;
///     a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let exporter = Scripted::new([]);
/// let obs = Observability::builder("bot").to(exporter).build()?;
/// obs.context().scope(|| assert_eq!(divide(6, 3, "s3cret"), Ok(2)));
/// # Ok(())
/// # }
/// ```
///
/// A model call that says in its body what only the answer tells, by the span under a name of the user's:
///
/// ```
/// use obs_instrument::core::Usage;
/// use obs_instrument::observe;
/// # struct Answer { text: String, input: u64, output: u64 }
/// # async fn ask(_: &str, _: &str) -> Result<Answer, std::io::Error> {
/// #     Ok(Answer { text: String::new(), input: 1, output: 2 })
/// # }
///
/// #[observe(llm_generation, name = "chat", model = model, provider = "openai", input = prompt, span = call)]
/// async fn generate(model: &str, prompt: &str) -> Result<String, std::io::Error> {
///     let answer = ask(model, prompt).await?;
///     call.usage(Usage::new(answer.input, answer.output)).finish_reason("stop");
///     Ok(answer.text)
/// }
/// ```
///
/// A whole block: `workflow.plan` and `workflow.act` are steps, `describe` is left out:
///
/// ```
/// use obs_instrument::observe;
///
/// struct Engine {
///     id: String,
/// }
///
/// #[observe(prefix = "workflow", workflow_step, attributes(engine.id = self.id))]
/// impl Engine {
///     async fn plan(&self, goal: String) -> Vec<String> {
///         vec![goal]
///     }
///
///     #[observe(output = false)]
///     fn act(&mut self, step: &str) -> usize {
///         step.len()
///     }
///
///     #[observe(skip)]
///     fn describe(&self) -> &str {
///         &self.id
///     }
/// }
/// ```
#[cfg(feature = "macros")]
pub use obs_instrument_macros::observe;

/// What `#[observe]` writes calls; it may change with any version.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __macro {
    pub use crate::observe::*;
}

pub use obs_core as core;
pub use obs_pipeline as pipeline;
