//! One trace that waits for its decision.

use std::time::Duration;

use obs_core::{ByteSize, Cost, Feedback, Log, Score, Signal, Span, SpanRecord, TraceId, cost_of};
use obs_pipeline::Emit;

use super::TailSampling;
use super::rules::Facts;

/// What was seen of a trace when it is decided on, for a rule of one's own; see [`TailSampling::with_keep`].
#[derive(Debug, Default)]
pub struct TailTrace {
    spans: Vec<SpanRecord>,
    logs: Vec<Log>,
    scores: Vec<Score>,
    feedback: Vec<Feedback>,
}

impl TailTrace {
    /// Its spans that have ended, in the order in which they were collected.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter_map(SpanRecord::ended)
    }

    /// The first of its spans that has no parent, or one in another process.
    pub fn root(&self) -> Option<&Span> {
        self.spans().find(|span| span.is_root() || span.remote_parent)
    }

    /// What its model calls cost, a sum for each currency, each call once, as [`obs_core::Trace::cost`] has it.
    pub fn cost(&self) -> Vec<Cost> {
        cost_of(&self.spans().collect::<Vec<_>>())
    }

    /// Its logs.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Its scores.
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// What people said of it.
    pub fn feedback(&self) -> &[Feedback] {
        &self.feedback
    }
}

/// A record that is part of a trace, or speaks of one.
pub(super) trait Part: ByteSize + Sized {
    const SIGNAL: Signal;

    fn trace_id(&self) -> Option<TraceId>;

    /// Learns from the record, and keeps it.
    fn join(self, held: &mut Held, rules: &TailSampling);

    fn release(self, emit: &mut Emit);
}

macro_rules! part {
    ($record:ty, $signal:ident, $kept:ident, $learn:expr, $release:ident, $trace_id:expr) => {
        impl Part for $record {
            const SIGNAL: Signal = Signal::$signal;

            fn trace_id(&self) -> Option<TraceId> {
                let of: fn(&Self) -> Option<TraceId> = $trace_id;
                of(self)
            }

            fn join(self, held: &mut Held, rules: &TailSampling) {
                let learn: fn(&mut Facts, &TailSampling, &Self) = $learn;
                learn(&mut held.facts, rules, &self);
                held.bytes += self.byte_size();
                held.trace.$kept.push(self);
            }

            fn release(self, emit: &mut Emit) {
                emit.$release(self);
            }
        }
    };
}

part!(SpanRecord, Traces, spans, Facts::span, release_span, |record| Some(record.span().trace_id));
part!(Log, Logs, logs, |_, _, _| (), release_log, |log| log.span.map(|span| span.trace_id));
part!(Score, Scores, scores, Facts::score, release_score, |score| score.target.trace_id());
part!(Feedback, Feedback, feedback, Facts::feedback, release_feedback, |feedback| feedback.target.trace_id());

fn release(records: Vec<impl Part>, emit: &mut Emit) {
    for record in records {
        record.release(emit);
    }
}

/// A trace that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) trace: TailTrace,
    pub(super) facts: Facts,
    /// What it takes in memory.
    pub(super) bytes: usize,
    /// Its place among those that wait, by when they came.
    pub(super) came: u64,
    /// When it came, once that is known.
    pub(super) since: Option<Duration>,
    /// When it is decided, once its root has ended.
    pub(super) due: Option<Duration>,
}

/// What was seen of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Spans that have ended, so that it can be decided on.
    Spans,
    /// Only what is said of it.
    Words,
    /// Only that spans of it have begun.
    Starts,
}

/// What a trace that waits takes besides its records, in three maps and four vectors.
const OVERHEAD: usize = 512;

impl Held {
    pub(super) fn new(came: u64) -> Self {
        let (trace, facts) = (TailTrace::default(), Facts::default());
        Self { trace, facts, bytes: OVERHEAD, came, since: None, due: None }
    }

    /// What of it was seen.
    pub(super) fn seen(&self) -> Seen {
        let TailTrace { logs, scores, feedback, .. } = &self.trace;
        if self.trace.spans().next().is_some() {
            Seen::Spans
        } else if logs.is_empty() && scores.is_empty() && feedback.is_empty() {
            Seen::Starts
        } else {
            Seen::Words
        }
    }

    /// Gives all of it back.
    pub(super) fn release(self, emit: &mut Emit) {
        let TailTrace { spans, logs, scores, feedback } = self.trace;
        release(spans, emit);
        release(logs, emit);
        release(scores, emit);
        release(feedback, emit);
    }

    /// Gives all of it up.
    pub(super) fn discard(self, reason: &'static str, emit: &mut Emit) {
        let TailTrace { spans, logs, scores, feedback } = self.trace;
        for (signal, count) in [
            (Signal::Traces, spans.len()),
            (Signal::Logs, logs.len()),
            (Signal::Scores, scores.len()),
            (Signal::Feedback, feedback.len()),
        ] {
            emit.discard(signal, reason, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{LlmGeneration, SpanId, SpanType, Timestamp, rolled};

    use super::*;

    /// A call; the one with number 1 is the root, and the others are directly below it.
    fn call(number: u64, cost: Cost) -> Span {
        let mut span =
            Span::new(TraceId::new(1).unwrap(), SpanId::new(number).unwrap(), "s", Timestamp::default());
        span.parent_span_id = (number > 1).then(|| SpanId::new(1).unwrap());
        let call = LlmGeneration { cost: Some(Box::new(cost)), ..LlmGeneration::default() };
        span.span_type = SpanType::LlmGeneration(call);
        span
    }

    fn keeps(limit: f64, spans: &[Span]) -> bool {
        let spans = spans.iter().cloned().map(SpanRecord::Ended).collect();
        TailSampling::new().with_cost(limit).is_costly(&TailTrace { spans, ..TailTrace::default() })
    }

    #[test]
    fn what_hidden_calls_cost_counts_once() {
        let mut span = call(1, Cost::usd(0.5));
        span.attributes.push(rolled::COST, 0.5);
        span.attributes.push(rolled::COST_PARTIAL, true);
        span.attributes.push("price", 7.0);
        assert!(keeps(0.4, &[span.clone()]) && !keeps(0.5, &[span.clone()]), "the outer call restates");
        span.attributes.push(rolled::BESIDE, true);
        assert!(keeps(0.9, &[span.clone()]) && !keeps(1.0, &[span]));
    }

    #[test]
    fn a_call_that_says_once_more_what_one_below_it_said_costs_nothing_besides() {
        let nested = [call(2, Cost::usd(1.0)), call(1, Cost::usd(1.0))];
        assert!(keeps(0.9, &nested) && !keeps(1.5, &nested));
        let [inner, outer] = nested;
        assert!(!keeps(1.5, &[outer, inner]), "in any order");
    }

    #[test]
    fn costs_of_two_currencies_are_not_added_up() {
        let yen = |number, total| call(number, Cost { currency: "JPY".into(), ..Cost::usd(total) });
        let dollars = |number, total| call(number, Cost::usd(total));
        assert!(!keeps(5.0, &[dollars(2, 3.0), yen(3, 4.0)]));
        assert!(keeps(5.0, &[dollars(2, 3.0), yen(3, 4.0), yen(4, 2.0)]));
    }
}
