#![doc = include_str!("../README.md")]

mod aside;
mod breaker;
mod builder;
mod clean;
mod clock;
mod collector;
mod config;
mod dead_letter;
mod deadline;
mod destination;
mod emit;
mod fallback;
mod guard;
mod haste;
mod identity;
mod inspect;
mod intake;
mod jitter;
mod lane;
mod ledger;
mod memory_queue;
mod monitored;
mod multi;
mod outcome;
mod pipeline;
mod processor;
mod queue;
mod rate_limit;
mod redact;
mod report;
mod retry;
mod rolling;
mod route;
mod self_metrics;
mod spec;
mod split;
mod stats;
mod suppress;
mod terms;
mod timeout;
mod unwind;

pub use obs_redact as redaction;

pub use aside::{Aside, Pace, Turn};
pub use breaker::{Breaker, BreakerHandle, BreakerState};
pub use builder::PipelineBuilder;
pub use clock::{Clock, ManualClock};
pub use config::{
    AlertThresholds, BreakerConfig, FailurePolicy, InspectConfig, LaneConfig, MetricsConfig, MonitorConfig,
    MultiConfig, Overflow, RateLimitConfig, RetryConfig, Strategy,
};
pub use dead_letter::DeadLetter;
pub use emit::Emit;
pub use fallback::Fallback;
pub use haste::Haste;
pub use inspect::Inspect;
pub use intake::Intake;
pub use lane::Lane;
pub use ledger::Ledger;
pub use memory_queue::MemoryQueue;
pub use monitored::{
    Alert, AlertKind, Alerts, ExportStats, LastError, LastResult, LatencyStats, Monitor, Monitored,
    SignalStats,
};
pub use multi::Multi;
pub use pipeline::Pipeline;
pub use processor::{Processor, Segment, Tick};
pub use queue::{Awaited, Load, Loaded, Log, Offer, Queue, Removed, Wake};
pub use rate_limit::RateLimit;
pub use report::{DestinationReport, PerSignal, Report, SyncReport};
pub use retry::Retry;
pub use route::{Gate, Matching, RecordRef, Route, Selected, Window, WindowStats};
pub use self_metrics::{SELF_METRICS, SelfMetric};
pub use spec::DestinationSpec;
pub use split::Split;
pub use stats::DestinationStats;
pub use suppress::{is_suppressed, suppress_this_thread, suppressed};
pub use terms::{Counts, IntakeTerms, Terms, dropped, filtered};
pub use timeout::Timeout;
pub use unwind::Unwind;
