//! What happens to records between the application and the lanes.

use std::fmt::Debug;

use obs_core::{Feedback, Log, Metric, Score, Signal, Signals, SpanRecord};

/// Changes, removes or adds records in the collector, before redaction and before any destination.
///
/// Processors run in the order they were given to the builder, one segment at a time.
/// A processor that panics loses the records of that segment, counted as `dropped{panic}`, and is used again.
pub trait Processor: Debug + Send + 'static {
    /// Its name: removed records are counted as `filtered{processor:NAME}`.
    fn name(&self) -> &str;

    /// The signals it needs even where no destination takes them.
    fn needs(&self) -> Signals;

    /// Works on a segment; removing a record filters it, adding one records it.
    fn process(&mut self, records: &mut Segment, emit: &mut Emit);
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

/// Takes records that a processor makes of others, such as metrics of spans.
///
/// They pass the processors that come after it, and redaction.
#[derive(Debug, Default)]
pub struct Emit {
    spans: Vec<SpanRecord>,
    metrics: Vec<Metric>,
    logs: Vec<Log>,
    scores: Vec<Score>,
    feedback: Vec<Feedback>,
}

impl Emit {
    /// Adds a span record.
    pub fn span(&mut self, record: SpanRecord) {
        self.spans.push(record);
    }

    /// Adds a measurement.
    pub fn metric(&mut self, metric: Metric) {
        self.metrics.push(metric);
    }

    /// Adds a log record.
    pub fn log(&mut self, log: Log) {
        self.logs.push(log);
    }

    /// Adds a score.
    pub fn score(&mut self, score: Score) {
        self.scores.push(score);
    }

    /// Adds feedback.
    pub fn feedback(&mut self, feedback: Feedback) {
        self.feedback.push(feedback);
    }

    /// What was added, one segment a signal.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Segment> + use<> {
        let Self { spans, metrics, logs, scores, feedback } = std::mem::take(self);
        let segments = [
            Segment::Traces(spans),
            Segment::Metrics(metrics),
            Segment::Logs(logs),
            Segment::Scores(scores),
            Segment::Feedback(feedback),
        ];
        segments.into_iter().filter(|segment| !segment.is_empty())
    }
}
