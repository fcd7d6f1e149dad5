#![doc = include_str!("../README.md")]

mod backoff;
mod builder;
mod clock;
mod intake;
mod lane_config;
mod pipeline;
mod processor;
mod report;
mod suppress;
mod terms;

pub use backoff::Backoff;
pub use builder::PipelineBuilder;
pub use clock::{Clock, ManualClock};
pub use intake::Intake;
pub use lane_config::{LaneConfig, Overflow};
pub use pipeline::Pipeline;
pub use processor::{Emit, Processor, Segment};
pub use report::{DestinationReport, PerSignal, Report, SyncReport};
pub use suppress::suppress_this_thread;
pub use terms::{Counts, IntakeTerms, Terms, dropped, filtered};
