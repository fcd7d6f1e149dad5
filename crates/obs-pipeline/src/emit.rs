//! What a processor says besides changing its segment.

use std::borrow::Cow;

use obs_core::{Feedback, Log, Metric, Score, Signal, SpanRecord};

use crate::Segment;

/// How many records a segment of a processor's has at most: what a lane without room drops in one piece.
const PIECE: usize = 128;

/// Takes what a processor makes of others, such as metrics of spans, and what it holds back and gives back.
///
/// All records that come out of it pass the processors behind this one, and redaction.
#[derive(Debug, Default)]
pub struct Emit {
    added: Records,
    released: Records,
    said: Said,
}

/// How a processor wants the books kept.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Records that were taken out of the segment to come back, or to be given up.
    pub(crate) held: [usize; Signal::COUNT],
    /// Records that were held and do not come back.
    pub(crate) discarded: Vec<(Signal, Cow<'static, str>, usize)>,
}

/// Records of every signal.
#[derive(Debug, Default)]
struct Records {
    spans: Vec<SpanRecord>,
    metrics: Vec<Metric>,
    logs: Vec<Log>,
    scores: Vec<Score>,
    feedback: Vec<Feedback>,
}

impl Emit {
    /// Adds a span record.
    pub fn span(&mut self, record: SpanRecord) {
        self.added.spans.push(record);
    }

    /// Adds a measurement.
    pub fn metric(&mut self, metric: Metric) {
        self.added.metrics.push(metric);
    }

    /// Adds a log record.
    pub fn log(&mut self, log: Log) {
        self.added.logs.push(log);
    }

    /// Adds a score.
    pub fn score(&mut self, score: Score) {
        self.added.scores.push(score);
    }

    /// Adds feedback.
    pub fn feedback(&mut self, feedback: Feedback) {
        self.added.feedback.push(feedback);
    }

    /// Says that so many of the records taken out of the segment in this call are held back: each will be released or
    /// discarded.
    ///
    /// What is said beyond the number of records taken out does not count.
    pub fn hold(&mut self, signal: Signal, count: usize) {
        self.said.held[signal.index()] += count;
    }

    /// Gives a span record back that was held.
    pub fn release_span(&mut self, record: SpanRecord) {
        self.released.spans.push(record);
    }

    /// Gives a measurement back that was held.
    pub fn release_metric(&mut self, metric: Metric) {
        self.released.metrics.push(metric);
    }

    /// Gives a log record back that was held.
    pub fn release_log(&mut self, log: Log) {
        self.released.logs.push(log);
    }

    /// Gives a score back that was held.
    pub fn release_score(&mut self, score: Score) {
        self.released.scores.push(score);
    }

    /// Gives feedback back that was held.
    pub fn release_feedback(&mut self, feedback: Feedback) {
        self.released.feedback.push(feedback);
    }

    /// Says that so many records that are held do not come back: they are counted as filtered under the reason.
    ///
    /// Records of this call's segment may be held and discarded at once, for a reason that tells more than the processor's name.
    /// What is said beyond the number of records held does not count.
    pub fn discard(&mut self, signal: Signal, reason: impl Into<Cow<'static, str>>, count: usize) {
        let reason = reason.into();
        match self.said.discarded.last_mut() {
            _ if count == 0 => {}
            Some((last, same, sum)) if *last == signal && *same == reason => *sum += count,
            _ => self.said.discarded.push((signal, reason, count)),
        }
    }

    /// What was said of the books since the last time.
    pub(crate) fn take_said(&mut self) -> Said {
        std::mem::take(&mut self.said)
    }

    /// What was added, in segments.
    pub(crate) fn take_added(&mut self) -> Vec<Segment> {
        self.added.take()
    }

    /// What came back, in segments.
    pub(crate) fn take_released(&mut self) -> Vec<Segment> {
        self.released.take()
    }
}

impl Records {
    fn take(&mut self) -> Vec<Segment> {
        let Self { spans, metrics, logs, scores, feedback } = self;
        let mut segments = Vec::new();
        pieces(spans, &mut segments);
        pieces(metrics, &mut segments);
        pieces(logs, &mut segments);
        pieces(scores, &mut segments);
        pieces(feedback, &mut segments);
        segments
    }
}

/// Cuts records into segments of a size that is fit to be queued and dropped.
fn pieces<T>(records: &mut Vec<T>, segments: &mut Vec<Segment>)
where
    Segment: From<Vec<T>>,
{
    if records.len() <= PIECE {
        segments.extend((!records.is_empty()).then(|| Segment::from(std::mem::take(records))));
        return;
    }
    let mut rest = std::mem::take(records).into_iter().peekable();
    while rest.peek().is_some() {
        segments.push(Segment::from(rest.by_ref().take(PIECE).collect::<Vec<_>>()));
    }
}
