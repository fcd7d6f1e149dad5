//! What happens to records between the application and the lanes.

use std::fmt::Debug;
use std::time::Duration;

use obs_core::{Feedback, Log, Metric, Score, Signal, Signals, SpanRecord};

use crate::Emit;

/// Changes, removes, adds or holds back records in the collector, before redaction and before any destination.
///
/// Processors run in the order they were given to the builder, one segment at a time.
/// A processor that panics loses the records of that segment and those that it held, counted as `dropped{panic}`, lets
/// nothing through, and is used again.
///
/// # Holding back
///
/// A processor that must see more before it decides, a whole trace for one, takes records out of their segment, says so
/// with [`Emit::hold`], and later gives each back with [`Emit::release_span`] and its like, or gives it up with
/// [`Emit::discard`].
/// Meanwhile they are `pending` in every report.
/// Their bytes are no part of [`crate::PipelineBuilder::intake_bytes`]: a processor that holds has a bound in bytes of its own,
/// so that a trace that takes its time cannot keep an application from recording.
pub trait Processor: Debug + Send + 'static {
    /// Its name: removed records are counted as `filtered{processor:NAME}`.
    fn name(&self) -> &str;

    /// The signals it needs even where no destination takes them.
    fn needs(&self) -> Signals;

    /// Works on a segment; removing a record filters it, adding one records it.
    fn process(&mut self, records: &mut Segment, emit: &mut Emit);

    /// Time has passed: what is held may have waited long enough.
    ///
    /// It is called after each pass over the segments: every 5 ms while anything is recorded, every 50 ms while any processor
    /// holds something, and for every flush, sync and shutdown; not at all while nothing happens.
    /// Nothing by default.
    fn tick(&mut self, tick: &Tick, emit: &mut Emit) {
        let _ = (tick, emit);
    }

    /// It panicked, and what it held is counted as lost: it forgets all of it.
    ///
    /// Whoever holds implements this, since a record that is released after it was counted as lost is counted twice.
    /// Nothing by default.
    fn reset(&mut self) {}
}

/// What a processor is told as time passes; see [`Processor::tick`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Now, on the pipeline's monotonic clock.
    pub now: Duration,
    /// Somebody waits for a flush, a sync or a shutdown: all that is held is to be settled now.
    ///
    /// What stays held makes that flush incomplete.
    pub flush: bool,
    /// There is no other tick: what is held afterwards is lost, counted as `dropped{shutdown}`.
    pub last: bool,
}

/// Records of one signal that the collector owns, in the order they were made by each thread.
#[derive(Debug)]
pub enum Segment {
    /// Spans.
    Traces(Vec<SpanRecord>),
    /// Measurements.
    Metrics(Vec<Metric>),
    /// Log records.
    Logs(Vec<Log>),
    /// Evaluation results.
    Scores(Vec<Score>),
    /// What people said.
    Feedback(Vec<Feedback>),
}

macro_rules! each {
    ($segment:expr, $records:ident => $body:expr) => {
        match $segment {
            Segment::Traces($records) => $body,
            Segment::Metrics($records) => $body,
            Segment::Logs($records) => $body,
            Segment::Scores($records) => $body,
            Segment::Feedback($records) => $body,
        }
    };
}

impl Segment {
    /// The signal.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Traces(_) => Signal::Traces,
            Self::Metrics(_) => Signal::Metrics,
            Self::Logs(_) => Signal::Logs,
            Self::Scores(_) => Signal::Scores,
            Self::Feedback(_) => Signal::Feedback,
        }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        each!(self, records => records.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! segment_from {
    ($($record:ty => $signal:ident),*) => {
        $(impl From<Vec<$record>> for Segment {
            fn from(records: Vec<$record>) -> Self {
                Self::$signal(records)
            }
        })*
    };
}

segment_from!(SpanRecord => Traces, Metric => Metrics, Log => Logs, Score => Scores, Feedback => Feedback);
