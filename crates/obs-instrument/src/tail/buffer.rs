//! The processor: traces wait here for their decision.

use std::collections::BTreeMap;
use std::time::Duration;

use obs_core::{Ratio, Signal, Signals, TraceId};
use obs_pipeline::{Emit, Processor, Segment, Tick, filtered};
use rustc_hash::FxHashMap;

use super::TailSampling;
use super::decisions::Decisions;
use super::held::{Held, Part};

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
        // A trace is kept for something that was said of it only once there is something to keep.
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
        let by_own_rule = || self.rules.keep.as_ref().is_some_and(|keep| keep.holds(&held.trace));
        if held.facts.worth_keeping || held.has_spans() && by_own_rule() {
            self.decisions.made(trace_id, true);
            held.release(emit);
        } else if held.has_spans() {
            self.decisions.made(trace_id, false);
            held.discard(filtered::TAIL_SAMPLED, emit);
        } else {
            // Its spans are elsewhere, or yet to come: there is nothing to decide on.
            held.release(emit);
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
