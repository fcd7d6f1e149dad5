#![doc = include_str!("../README.md")]

mod builder;
mod clock;
mod collector;
mod config;
mod deadline;
mod destination;
mod guard;
mod intake;
mod jitter;
mod lane;
mod ledger;
mod memory_queue;
mod outcome;
mod pipeline;
mod processor;
mod queue;
mod redact;
mod report;
mod shorten;
mod split;
mod suppress;
mod terms;
mod timeout;
mod unwind;

pub use builder::PipelineBuilder;
pub use clock::{Clock, ManualClock};
pub use config::{
    AlertThresholds, BreakerConfig, FailurePolicy, InspectConfig, LaneConfig, MonitorConfig, MultiConfig,
    Overflow, RateLimitConfig, RetryConfig, Strategy,
};
pub use intake::Intake;
pub use lane::Lane;
pub use ledger::Ledger;
pub use memory_queue::MemoryQueue;
pub use pipeline::Pipeline;
pub use processor::{Emit, Processor, Segment};
pub use queue::{Load, Loaded, Log, Offer, Queue, Removed, Wake};
pub use report::{DestinationReport, PerSignal, Report, SyncReport};
pub use split::Split;
pub use suppress::suppress_this_thread;
pub use terms::{Counts, IntakeTerms, Terms, dropped, filtered};
pub use timeout::Timeout;
pub use unwind::Unwind;
