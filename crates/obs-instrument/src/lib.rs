#![doc = include_str!("../README.md")]

mod bridge;
mod builder;
mod context;
mod ids;
mod intern;
mod judgement;
mod kind;
mod logger;
mod meter;
mod observability;
mod open;
mod pool;
mod sampling;
mod span;
mod tail;
mod typed;

pub use bridge::Recorder;
pub use builder::ObservabilityBuilder;
pub use context::{Context, ContextFuture, Entered, FutureExt};
pub use intern::intern;
pub use judgement::{FeedbackBuilder, ScoreBuilder};
pub use kind::{Generic, Kind};
pub use logger::LogBuilder;
pub use meter::{
    BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter, Counter, Gauge, Histogram, Meter,
    UpDownCounter,
};
pub use observability::{Guard, Observability};
pub use sampling::{Sampling, SamplingInput};
pub use span::ActiveSpan;
pub use tail::{ScoreRule, TailSampling, TailTrace};

#[cfg(feature = "macros")]
pub use obs_instrument_macros::observe;

pub use obs_core as core;
pub use obs_pipeline as pipeline;
