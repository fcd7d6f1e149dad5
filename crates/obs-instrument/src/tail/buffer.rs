//! The processor: traces wait here for their decision.

use std::collections::BTreeMap;
use std::time::Duration;

use obs_core::{Ratio, Signal, Signals, TraceId};
use obs_pipeline::{Emit, Processor, Segment, Tick, filtered};
use rustc_hash::FxHashMap;

use super::TailSampling;
use super::decisions::Decisions;
use super::held::{Held, Part, Seen};

/// Holds the records of traces until it is known whether they are worth keeping.
#[derive(Debug)]
pub(crate) struct Tail {
    rules: TailSampling,
    baseline: Ratio,
    traces: FxHashMap<TraceId, Held>,
    /// The traces by when they came.
    order: BTreeMap<u64, TraceId>,
    /// The traces whose root has ended, by when they are due.
    ended: BTreeMap<(Duration, u64), TraceId>,
    /// Traces that came, or whose root ended, since the last tick, which knows the time.
    unstamped: Vec<TraceId>,
    decisions: Decisions,
    bytes: usize,
    came: u64,
}

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Drop,
    Wait(TraceId),
}

impl Tail {
    pub(super) fn new(rules: TailSampling, baseline: Ratio) -> Self {
        Self {
            decisions: Decisions::new(rules.max_decisions),
            rules,
            baseline,
            traces: FxHashMap::default(),
            order: BTreeMap::new(),
            ended: BTreeMap::new(),
            unstamped: Vec::new(),
            bytes: 0,
            came: 0,
        }
    }

    fn fate(&mut self, trace_id: Option<TraceId>) -> Fate {
        let Some(trace_id) = trace_id.filter(|trace_id| !self.baseline.takes(*trace_id)) else {
            return Fate::Pass;
        };
        if self.traces.contains_key(&trace_id) {
            return Fate::Wait(trace_id);
        }
        match self.decisions.ask(trace_id) {
            Some(true) => Fate::Pass,
            Some(false) => Fate::Drop,
            None => Fate::Wait(trace_id),
        }
    }

    /// Takes out what waits or is dropped.
    fn sift<T: Part>(&mut self, records: &mut Vec<T>, emit: &mut Emit) {
        let taken: Vec<T> =
            records.extract_if(.., |record| self.fate(record.trace_id()) != Fate::Pass).collect();
        emit.hold(T::SIGNAL, taken.len());
        for record in taken {
            // An earlier one of these may have decided its trace.
            match self.fate(record.trace_id()) {
                Fate::Pass => record.release(emit),
                Fate::Drop => emit.discard(T::SIGNAL, filtered::TAIL_SAMPLED, 1),
                Fate::Wait(trace_id) => self.add(trace_id, record, emit),
            }
        }
    }

    fn add(&mut self, trace_id: TraceId, record: impl Part, emit: &mut Emit) {
        let next = self.came;
        let held = self.traces.entry(trace_id).or_insert_with(|| Held::new(next));
        let is_new = held.came == next;
        let (bytes, had_ended) = (if is_new { 0 } else { held.bytes }, held.facts.root_ended);
        record.join(held, &self.rules);
        self.bytes += held.bytes - bytes;
        let (worth_keeping, has_ended) = (held.facts.worth_keeping, held.facts.root_ended);
        if is_new {
            self.came += 1;
            self.order.insert(next, trace_id);
        }
        if worth_keeping {
            self.decide(trace_id, emit);
        } else if is_new || has_ended != had_ended {
            self.unstamped.push(trace_id);
        }
        self.shrink(emit);
    }

    /// Decides the oldest until what waits is within its bounds.
    fn shrink(&mut self, emit: &mut Emit) {
        let most = usize::try_from(self.rules.max_bytes.get()).unwrap_or(usize::MAX);
        while self.traces.len() > self.rules.max_traces || self.bytes > most {
            let Some((_, oldest)) = self.order.first_key_value() else { return };
            self.decide(*oldest, emit);
        }
    }

    /// The end of a trace's wait.
    fn decide(&mut self, trace_id: TraceId, emit: &mut Emit) {
        let Some(held) = self.traces.remove(&trace_id) else { return };
        self.bytes -= held.bytes;
        self.order.remove(&held.came);
        if let Some(due) = held.due {
            self.ended.remove(&(due, held.came));
        }
        let whole = || self.rules.is_costly(&held.trace) || self.rules.is_kept(&held.trace);
        let decision = match held.seen() {
            Seen::Spans => Some(held.facts.worth_keeping || whole()),
            // Its spans are elsewhere, or yet to come; no log is to go out of a trace that is dropped then.
            Seen::Words => Some(true),
            // There is nothing to decide on; a span that has begun is told of when it ends.
            Seen::Starts => None,
        };
        if let Some(kept) = decision {
            self.decisions.made(trace_id, kept);
        }
        if decision == Some(true) {
            held.release(emit);
        } else {
            held.discard(filtered::TAIL_SAMPLED, emit);
        }
    }

    /// Notes the time on what came since the last tick.
    fn stamp(&mut self, now: Duration) {
        for trace_id in self.unstamped.drain(..) {
            let Some(held) = self.traces.get_mut(&trace_id) else { continue };
            held.since.get_or_insert(now);
            if held.facts.root_ended && held.due.is_none() {
                let due = now.saturating_add(self.rules.max_wait);
                held.due = Some(due);
                self.ended.insert((due, held.came), trace_id);
            }
        }
    }

    /// A trace that has waited long enough.
    fn next_due(&self, tick: &Tick) -> Option<TraceId> {
        let (_, oldest) = self.order.first_key_value()?;
        let since = self.traces.get(oldest).and_then(|held| held.since);
        if tick.flush || since.is_some_and(|since| since.saturating_add(self.rules.max_age) <= tick.now) {
            return Some(*oldest);
        }
        let ((due, _), ended) = self.ended.first_key_value()?;
        (*due <= tick.now).then_some(*ended)
    }
}

impl Processor for Tail {
    fn name(&self) -> &'static str {
        "tail_sampling"
    }

    /// Spans to decide on, and what is said of them where a rule looks at that.
    fn needs(&self) -> Signals {
        let own = self.rules.keep.is_some();
        let wants = [
            (Signal::Traces, true),
            (Signal::Scores, own || !self.rules.scores.is_empty()),
            (Signal::Feedback, own || self.rules.thumbs_down || !self.rules.scores.is_empty()),
        ];
        wants.into_iter().filter(|(_, wanted)| *wanted).map(|(signal, _)| signal).collect()
    }

    fn process(&mut self, records: &mut Segment, emit: &mut Emit) {
        match records {
            Segment::Traces(records) => self.sift(records, emit),
            Segment::Logs(records) => self.sift(records, emit),
            Segment::Scores(records) => self.sift(records, emit),
            Segment::Feedback(records) => self.sift(records, emit),
            Segment::Metrics(_) => {}
        }
    }

    fn tick(&mut self, tick: &Tick, emit: &mut Emit) {
        self.stamp(tick.now);
        while let Some(trace_id) = self.next_due(tick) {
            self.decide(trace_id, emit);
        }
    }

    fn reset(&mut self) {
        self.traces.clear();
        self.order.clear();
        self.ended.clear();
        self.unstamped.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{ByteSize, Level, Log, Payload, Span, SpanId, SpanRecord, SpanRef, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn tail(change: impl FnOnce(TailSampling) -> TailSampling) -> Tail {
        change(TailSampling::new().with_baseline(0.0)).into_processor().unwrap()
    }

    fn trace(number: u8) -> TraceId {
        TraceId::new(u128::from(number) + 1).unwrap()
    }

    fn span(of: u8, is_root: bool, bytes: usize) -> SpanRecord {
        let mut span = Span::new(trace(of), SpanId::new(7).unwrap(), "s", Timestamp::default());
        span.parent_span_id = (!is_root).then(|| SpanId::new(1).unwrap());
        span.end = Some(span.start);
        span.input = Some(Payload::text("x".repeat(bytes)));
        SpanRecord::Ended(span)
    }

    fn log(of: u8) -> Log {
        let mut log = Log::new(Timestamp::default(), Level::Info, "m");
        log.span = Some(SpanRef { trace_id: trace(of), span_id: None });
        log
    }

    fn tick(seconds: u64) -> Tick {
        Tick { now: Duration::from_secs(seconds), flush: false, last: false }
    }

    fn waits(tail: &Tail, of: u8) -> bool {
        tail.traces.contains_key(&trace(of))
    }

    #[test]
    fn a_trace_waits_after_its_root_and_no_longer_than_its_age() {
        let mut tail = tail(|tail| tail);
        let emit = &mut Emit::default();
        tail.tick(&tick(100), emit);
        // The collector slept: that the last tick was long ago makes nothing old.
        tail.process(&mut vec![span(1, true, 1), span(2, false, 1)].into(), emit);
        tail.process(&mut vec![log(3)].into(), emit);
        tail.tick(&tick(1_000), emit);
        tail.tick(&tick(1_004), emit);
        assert!(waits(&tail, 1) && waits(&tail, 2) && waits(&tail, 3));
        tail.process(&mut vec![span(2, true, 1)].into(), emit);
        tail.tick(&tick(1_005), emit);
        assert!(!waits(&tail, 1) && waits(&tail, 2), "five seconds after its root ended");
        tail.tick(&tick(1_010), emit);
        assert!(!waits(&tail, 2) && waits(&tail, 3));
        assert_eq!(tail.decisions.ask(trace(2)), Some(false));
        tail.tick(&tick(1_300), emit);
        assert!(!waits(&tail, 3), "no root in five minutes");
        assert_eq!(tail.decisions.ask(trace(3)), Some(true), "its log is out, so that it is kept");
        assert_eq!((tail.bytes, tail.order.len(), tail.ended.len()), (0, 0, 0));
    }

    #[test]
    fn the_oldest_is_decided_early_when_there_is_no_room() {
        let mut tail = tail(|tail| tail.with_max_traces(2));
        let emit = &mut Emit::default();
        tail.process(&mut vec![span(1, false, 1), span(2, false, 1), span(1, false, 1)].into(), emit);
        tail.process(&mut vec![span(3, false, 1)].into(), emit);
        assert_eq!([1, 2, 3].map(|of| waits(&tail, of)), [false, true, true]);
        assert_eq!(tail.decisions.ask(trace(1)), Some(false));
        tail.process(&mut vec![span(1, false, 1)].into(), emit);
        assert!(!waits(&tail, 1), "what comes late follows");
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_told_right(
            acts in prop::collection::vec((0u8..12, any::<bool>(), 0usize..3_000, 0u64..4, any::<bool>()), 1..120),
            traces in 1usize..6,
            bytes in 1_000u64..20_000,
        ) {
            let mut tail = tail(|tail| tail.with_max_traces(traces).with_max_bytes(bytes).with_max_decisions(4));
            let emit = &mut Emit::default();
            let mut seconds = 0;
            for (of, is_root, size, passes, is_log) in acts {
                if is_log {
                    tail.process(&mut vec![log(of)].into(), emit);
                } else {
                    tail.process(&mut vec![span(of, is_root, size)].into(), emit);
                }
                prop_assert!(tail.traces.len() <= traces && tail.bytes as u64 <= bytes);
                let records = tail.traces.values().map(|held| {
                    let logs: usize = held.trace.logs().iter().map(ByteSize::byte_size).sum();
                    logs + held.trace.spans().map(ByteSize::byte_size).sum::<usize>()
                });
                let least: usize = records.sum();
                prop_assert!(least <= tail.bytes && (least > 0) == (tail.bytes > 0));
                prop_assert_eq!(tail.order.len(), tail.traces.len());
                seconds += passes;
                tail.tick(&tick(seconds), emit);
                prop_assert!(tail.ended.len() <= tail.traces.len() && tail.unstamped.is_empty());
            }
            tail.tick(&Tick { now: Duration::from_secs(seconds), flush: true, last: true }, emit);
            prop_assert!(tail.traces.is_empty() && tail.order.is_empty() && tail.ended.is_empty());
            prop_assert_eq!(tail.bytes, 0);
        }
    }
}
