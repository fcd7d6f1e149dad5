//! Records that can be told apart: the number of one decides its id and its payload, and is read back from it.

use std::sync::{Arc, OnceLock};

use obs_core::{
    Batch, Feedback, Level, Log, Metric, MetricValue, Payload, Record, Resource, Score, Signal, Span, SpanId,
    SpanRecord, Target, Timestamp, TraceContext, TraceId,
};
use obs_pipeline::Intake;
use uuid::Uuid;

use super::dice::mix;

/// Above every number, so that no id is zero.
const MARK: u64 = 1 << 60;

const WORDS: &[&str] = &[
    "order", "parcel", "street", "answer", "morning", "window", "letter", "garden", "river", "paper",
    "copper", "summer", "market", "bridge", "yellow", "doctor", "engine", "forest", "island", "kitchen",
];

/// What was found of a record that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u64,
    /// The hash of the payload as it arrived.
    pub(crate) hash: u64,
}

/// The record of this number and signal, with a payload of about so many bytes.
pub(crate) fn record(number: u64, signal: Signal, bytes: usize, now: Timestamp) -> Record {
    let (context, resource) = shared();
    let target = || Target::Session { session_id: "chaos".into() };
    let payload = || Payload::text(text(number, bytes));
    let id = Uuid::from_u128(u128::from(MARK | number));
    match signal {
        Signal::Traces => {
            let (trace_id, span_id) = ids(MARK | number);
            let mut span = Span::new_in(trace_id, span_id, "step", now, context, resource);
            (span.end, span.input) = (Some(now), Some(payload()));
            Record::Span(SpanRecord::Ended(span))
        }
        Signal::Metrics => {
            let value = MetricValue::Add(1.0);
            Record::Metric(Metric::new_in(now, "chaos.steps", value, context, resource))
        }
        Signal::Logs => {
            let mut log = Log::new_in(now, Level::Info, number.to_string(), context, resource);
            log.data = Some(payload());
            Record::Log(log)
        }
        Signal::Scores => {
            let mut score = Score::new(id, now, target(), "fit", 0.5);
            score.comment = Some(text(number, bytes).into());
            (score.context, score.resource) = (context, resource);
            Record::Score(score)
        }
        Signal::Feedback => {
            let mut feedback = Feedback::new(id, now, target(), "thumbs", true);
            feedback.comment = Some(text(number, bytes).into());
            (feedback.context, feedback.resource) = (context, resource);
            Record::Feedback(feedback)
        }
    }
}

/// What all records have in common, as those of one trace do.
fn shared() -> (Arc<TraceContext>, Arc<Resource>) {
    static SHARED: OnceLock<(Arc<TraceContext>, Arc<Resource>)> = OnceLock::new();
    SHARED.get_or_init(|| (Arc::default(), Arc::new(Resource::service("chaos")))).clone()
}

/// The ids of a number, which is not zero.
fn ids(number: u64) -> (TraceId, SpanId) {
    match (TraceId::new(number.into()), SpanId::new(number)) {
        (Some(trace_id), Some(span_id)) => (trace_id, span_id),
        _ => unreachable!("every number is marked"),
    }
}

/// Gives a record to the pipeline.
#[inline]
pub(crate) fn put(intake: &Intake, record: Record) {
    match record {
        Record::Span(SpanRecord::Started(span)) => intake.span_started(span),
        Record::Span(SpanRecord::Ended(span)) => intake.span_ended(span),
        Record::Metric(metric) => intake.metric(metric),
        Record::Log(log) => intake.log(log),
        Record::Score(score) => intake.score(score),
        Record::Feedback(feedback) => intake.feedback(feedback),
    }
}

/// What is found in the records of a batch; nothing of metrics, which have no ids.
pub(crate) fn seen(batch: &Batch) -> Vec<Seen> {
    let of_payload = |payload: &Option<Payload>| hash(payload.as_ref().map_or("", Payload::as_str));
    let id = |id: Uuid| id.as_u128() as u64 & !MARK;
    match batch {
        Batch::Traces(records) => {
            let span = |record: &SpanRecord| {
                let span = record.span();
                Seen { number: span.span_id.get() & !MARK, hash: of_payload(&span.input) }
            };
            records.iter().map(span).collect()
        }
        Batch::Metrics(_) => Vec::new(),
        Batch::Logs(records) => {
            let number = |log: &Log| log.message.parse().unwrap_or(u64::MAX);
            records.iter().map(|log| Seen { number: number(log), hash: of_payload(&log.data) }).collect()
        }
        Batch::Scores(records) => {
            let comment = |score: &Score| hash(score.comment.as_deref().unwrap_or_default());
            records.iter().map(|score| Seen { number: id(score.id), hash: comment(score) }).collect()
        }
        Batch::Feedback(records) => {
            let comment = |feedback: &Feedback| hash(feedback.comment.as_deref().unwrap_or_default());
            let seen = |feedback: &Feedback| Seen { number: id(feedback.id), hash: comment(feedback) };
            records.iter().map(seen).collect()
        }
    }
}

/// The hash that a payload of this number and size has.
pub(crate) fn expected(number: u64, bytes: usize) -> u64 {
    hash(&text(number, bytes))
}

fn text(number: u64, bytes: usize) -> String {
    static TEXT: OnceLock<String> = OnceLock::new();
    let all = TEXT.get_or_init(|| {
        let word = |at| WORDS[mix(at) as usize % WORDS.len()];
        (0..16_384).map(word).collect::<Vec<_>>().join(" ")
    });
    let from = mix(number) as usize % (all.len() - bytes.min(all.len() - 1));
    all.get(from..from + bytes).unwrap_or(all).into()
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_with_the_hash_of_its_payload() {
        for signal in [Signal::Traces, Signal::Logs, Signal::Scores, Signal::Feedback] {
            let batches = Batch::group([record(4_711, signal, 300, Timestamp::from_nanos(1))]);
            assert_eq!(seen(&batches[0]), [Seen { number: 4_711, hash: expected(4_711, 300) }]);
        }
        assert_ne!(expected(4_711, 300), expected(4_712, 300));
    }
}
