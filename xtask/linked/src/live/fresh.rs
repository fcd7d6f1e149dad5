//! The trace of the fixtures as if it had happened just now, under ids that no run has used.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Ancestor, Cost, Record, Span, SpanId, SpanRecord, SpanType, Target, Timestamp, Trace, TraceId,
};
use obs_testkit::fixtures;
use uuid::Uuid;

/// How long the trace of the fixtures takes, from its first span to the feedback on it.
const LASTS: Duration = Duration::from_secs(5);

/// The fixtures' trace with ids made of `seed`, which ends at `now`; its generations have costs and first tokens, which the
/// fixtures lack.
pub(crate) fn trace(seed: u128, now: Timestamp) -> Trace {
    let mut trace = fixtures::trace();
    let ids = Ids { seed, later: now.since(fixtures::BASE.saturating_add(LASTS)) };
    trace.trace_id = ids.trace();
    let spans: HashMap<_, _> =
        trace.spans.iter().enumerate().map(|(nth, span)| (span.span_id, ids.span(nth))).collect();
    let mut paths = HashMap::new();
    for span in &mut trace.spans {
        ids.renew(span, &spans, &mut paths);
    }
    for log in &mut trace.logs {
        log.time = ids.time(log.time);
        if let Some(place) = &mut log.span {
            place.trace_id = ids.trace();
            place.span_id = place.span_id.and_then(|id| spans.get(&id).copied());
        }
    }
    for (nth, score) in trace.scores.iter_mut().enumerate() {
        (score.id, score.time) = (ids.record(nth), ids.time(score.time));
        score.target = ids.target(&score.target, &spans);
    }
    let before = trace.scores.len();
    for (nth, feedback) in trace.feedback.iter_mut().enumerate() {
        (feedback.id, feedback.time) = (ids.record(before + nth), ids.time(feedback.time));
        feedback.target = ids.target(&feedback.target, &spans);
    }
    trace
}

/// The records of a trace, in the order in which they happened to be.
pub(crate) fn records(trace: &Trace) -> Vec<Record> {
    let Trace { spans, logs, scores, feedback, .. } = trace.clone();
    let spans = spans.into_iter().map(|span| Record::Span(SpanRecord::Ended(span)));
    let judgements = scores.into_iter().map(Record::Score).chain(feedback.into_iter().map(Record::Feedback));
    spans.chain(logs.into_iter().map(Record::Log)).chain(judgements).collect()
}

#[derive(Debug, Clone, Copy)]
struct Ids {
    seed: u128,
    later: Duration,
}

impl Ids {
    fn trace(&self) -> TraceId {
        TraceId::new(self.seed | 1).unwrap_or(fixtures::trace_id(1))
    }

    /// The lower half of a UUID is random, so that runs do not meet.
    fn span(&self, nth: usize) -> SpanId {
        SpanId::new((self.seed as u64 | 1).wrapping_add(nth as u64)).unwrap_or(fixtures::span_id(1))
    }

    fn record(&self, nth: usize) -> Uuid {
        Uuid::from_u128(self.seed.wrapping_add(nth as u128 + 1))
    }

    fn time(&self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.later)
    }

    fn renew(
        &self,
        span: &mut Span,
        spans: &HashMap<SpanId, SpanId>,
        paths: &mut HashMap<SpanId, Arc<Ancestor>>,
    ) {
        let new = |id: SpanId| spans.get(&id).copied();
        span.trace_id = self.trace();
        span.span_id = new(span.span_id).unwrap_or(span.span_id);
        span.parent_span_id = span.parent_span_id.and_then(new);
        (span.start, span.end) = (self.time(span.start), span.end.map(|end| self.time(end)));
        span.path = span.parent_span_id.and_then(|parent| paths.get(&parent).cloned());
        let is_root = span.parent_span_id.is_none();
        let ancestor = Ancestor::new(span.span_id, span.start, is_root, span.path.clone());
        paths.insert(span.span_id, Arc::new(ancestor));
        match &mut span.span_type {
            SpanType::AgentRun(run) => {
                for decision in &mut run.decisions {
                    decision.time = self.time(decision.time);
                }
            }
            SpanType::LlmGeneration(call) => {
                let tokens = call.usage.input.unwrap_or_default() + 5 * call.usage.output.unwrap_or_default();
                call.cost = Some(Box::new(Cost::usd(tokens as f64 * 3e-6)));
                call.time_to_first_token = Some(Duration::from_millis(60));
            }
            _ => {}
        }
    }

    fn target(&self, target: &Target, spans: &HashMap<SpanId, SpanId>) -> Target {
        let new = |id: &SpanId| spans.get(id).copied();
        let trace_id = self.trace();
        match target {
            Target::Span { span_id, root_span_id, .. } => Target::Span {
                trace_id,
                span_id: new(span_id).unwrap_or(*span_id),
                root_span_id: root_span_id.as_ref().and_then(new),
            },
            Target::Trace { root_span_id, .. } => {
                Target::Trace { trace_id, root_span_id: root_span_id.as_ref().and_then(new) }
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

    #[test]
    fn no_id_and_no_time_is_that_of_another_run() {
        let seeds = [0x019c_0000_0000_7000_8000_0000_1234_5678, 0x019c_0000_0000_7000_9abc_0000_0000_0001];
        let ids = |seed: u128| {
            let trace = trace(seed, NOW);
            let spans = trace.spans.iter().map(|span| span.span_id.to_string());
            let judged = trace.scores.iter().map(|score| score.id.to_string());
            spans.chain(judged).chain([trace.trace_id.to_string()]).collect::<HashSet<_>>()
        };
        let [one, two] = seeds.map(ids);
        assert_eq!((one.len(), one.intersection(&two).count()), (15, 0));
        let trace = trace(seeds[0], NOW);
        assert_eq!(trace.feedback[0].time, NOW);
        assert!(trace.spans.iter().all(|span| span.start < NOW && span.end < Some(NOW)));
        assert!(trace.spans[0].start > NOW.saturating_sub(Duration::from_secs(6)));
    }

    #[test]
    fn every_reference_is_to_a_record_of_the_same_run() {
        let trace = trace(0x019c_0000_0000_7000_8000_0000_1234_5678, NOW);
        let root = trace.spans[0].span_id;
        let known: HashSet<_> = trace.spans.iter().map(|span| span.span_id).collect();
        for span in &trace.spans[1..] {
            assert!(span.parent_span_id.is_some_and(|parent| known.contains(&parent)));
            assert_eq!(span.path.as_ref().map(|path| path.span_id), span.parent_span_id);
            assert_eq!(span.root_span_id(), Some(root));
        }
        assert!(
            trace
                .logs
                .iter()
                .all(|log| log.span.and_then(|s| s.span_id).is_some_and(|id| known.contains(&id)))
        );
        let targets =
            trace.scores.iter().map(|score| &score.target).chain(trace.feedback.iter().map(|f| &f.target));
        for target in targets {
            assert_eq!(target.trace_id(), Some(trace.trace_id));
            assert!(target.span_id().is_none_or(|id| known.contains(&id)));
        }
        let costs = trace.spans.iter().filter_map(|span| span.span_type.as_generation()?.cost.as_ref());
        assert_eq!(costs.count(), 2);
        assert_eq!(records(&trace).len(), 12 + 4 + 3);
    }
}
