#![doc = include_str!("../README.md")]

mod annotate;
mod begin;
mod bridge;
mod builder;
mod context;
mod entity;
mod env;
mod fail;
mod failure;
mod ids;
mod intern;
mod judgement;
mod kind;
mod logger;
mod meter;
mod observability;
mod open;
mod pool;
mod registry;
mod rollup;
mod sampling;
mod span;
mod tail;
mod typed;
mod visible;
mod workflow;

pub use bridge::Recorder;
pub use builder::ObservabilityBuilder;
pub use context::{Context, ContextFuture, Entered, FutureExt};
pub use intern::intern;
pub use judgement::{FeedbackBuilder, ScoreBuilder};
pub use kind::{Generic, Kind};
pub use logger::{LogBuilder, Logger};
pub use meter::{
    BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter, Counter, Gauge, Histogram, Meter,
    UpDownCounter,
};
pub use observability::{Guard, MetricsOf, Observability};
pub use registry::Registry;
pub use rollup::rolled;
pub use sampling::{BySpanType, ParentBased, Rate, Sampling, SamplingInput, SamplingParent};
pub use span::ActiveSpan;
pub use tail::{ScoreRule, TailSampling, TailTrace};
pub use workflow::{Suspended, workflow_names};

#[cfg(feature = "macros")]
pub use obs_instrument_macros::observe;

pub use obs_core as core;
pub use obs_pipeline as pipeline;
