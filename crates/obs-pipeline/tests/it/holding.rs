//! Processors that hold records back: what becomes of the books.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use obs_core::{Record, Signal, Signals, Timestamp};
use obs_pipeline::{Clock, Emit, PipelineBuilder, Processor, Segment, Tick, dropped};
use obs_testkit::Scripted;
use proptest::prelude::*;

use crate::make::{PATIENCE, builder, eventually, record};

/// What is done to one record, or at one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Move {
    Pass,
    Hold,
    Filter,
    Discard,
    Release,
    Panic,
    /// Says that more is held and discarded than there is.
    Lie,
}

/// Holds records as a script has it; those that waited for ten seconds, and all on a flush, are released.
#[derive(Debug)]
pub(crate) struct Keeper {
    script: Arc<Mutex<VecDeque<Move>>>,
    otherwise: Move,
    held: VecDeque<(Duration, Record)>,
    now: Duration,
    stubborn: bool,
}

impl Keeper {
    fn new(script: impl IntoIterator<Item = Move>, otherwise: Move) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            otherwise,
            held: VecDeque::new(),
            now: Duration::ZERO,
            stubborn: false,
        }
    }

    /// Holds every third record.
    pub(crate) fn of_every_third() -> Self {
        let script = [Move::Pass, Move::Hold, Move::Pass].repeat(10_000);
        Self::new(script, Move::Hold)
    }

    fn next(&self) -> Move {
        self.script.lock().unwrap().pop_front().unwrap_or(self.otherwise)
    }

    fn release(&mut self, emit: &mut Emit) {
        let Some((_, record)) = self.held.pop_front() else { return };
        match record {
            Record::Span(record) => emit.release_span(record),
            Record::Metric(metric) => emit.release_metric(metric),
            Record::Log(log) => emit.release_log(log),
            Record::Score(score) => emit.release_score(score),
            Record::Feedback(feedback) => emit.release_feedback(feedback),
        }
    }

    fn discard(&mut self, emit: &mut Emit) {
        if let Some((_, record)) = self.held.pop_front() {
            emit.discard(record.signal(), "unkept", 1);
        }
    }

    /// Whether the record stays in its segment.
    fn play(&mut self, record: Record, emit: &mut Emit) -> bool {
        let signal = record.signal();
        match self.next() {
            Move::Pass => return true,
            Move::Filter => {}
            Move::Panic => panic!("over a record"),
            Move::Lie => {
                emit.hold(Signal::Logs, 7);
                emit.discard(Signal::Logs, "a lie", 7_000);
                return true;
            }
            played @ (Move::Hold | Move::Discard | Move::Release) => {
                emit.hold(signal, 1);
                self.held.push_back((self.now, record));
                match played {
                    Move::Discard => self.discard(emit),
                    Move::Release => self.release(emit),
                    _ => {}
                }
            }
        }
        false
    }
}

impl Processor for Keeper {
    fn name(&self) -> &'static str {
        "keeper"
    }

    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, records: &mut Segment, emit: &mut Emit) {
        match records {
            Segment::Traces(records) => records.retain(|it| self.play(Record::Span(it.clone()), emit)),
            Segment::Metrics(records) => records.retain(|it| self.play(Record::Metric(it.clone()), emit)),
            Segment::Logs(records) => records.retain(|it| self.play(Record::Log(it.clone()), emit)),
            Segment::Scores(records) => records.retain(|it| self.play(Record::Score(it.clone()), emit)),
            Segment::Feedback(records) => records.retain(|it| self.play(Record::Feedback(it.clone()), emit)),
        }
    }

    fn tick(&mut self, tick: &Tick, emit: &mut Emit) {
        self.now = tick.now;
        let due = |since: Duration| tick.flush || since + Duration::from_secs(10) <= tick.now;
        while !self.stubborn && self.held.front().is_some_and(|(since, _)| due(*since)) {
            match self.next() {
                Move::Discard | Move::Filter => self.discard(emit),
                Move::Panic => panic!("at a tick"),
                _ => self.release(emit),
            }
        }
    }

    fn reset(&mut self) {
        self.held.clear();
    }
}

fn with(keepers: impl IntoIterator<Item = Keeper>) -> (PipelineBuilder, Arc<Scripted>) {
    let exporter = Scripted::new([]);
    let builder = keepers.into_iter().fold(builder().to(Arc::clone(&exporter)), PipelineBuilder::processor);
    (builder, exporter)
}

#[test]
fn law_1_accounting_counts_what_is_held_as_pending_until_time_lets_it_go() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let (builder, exporter) = with([Keeper::new([], Move::Hold)]);
    let pipeline = builder.clock(clock).build().unwrap();
    (0..5).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    let sealed = || pipeline.report().intake.get(Signal::Logs).sealed;
    assert!(pipeline.report().is_balanced());
    assert_eq!((pipeline.report().intake.get(Signal::Logs).pending, sealed()), (5, 0));
    // Nothing is recorded and nobody flushes: the collector looks by itself.
    hand.advance(Duration::from_mins(1));
    eventually("what is held is let go", || {
        hand.advance(Duration::from_secs(1));
        sealed() == 5
    });
    assert!(pipeline.report().is_balanced());
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!(exporter.delivered(Signal::Logs), 5);
}

#[test]
fn law_1_accounting_is_settled_by_a_flush_through_several_holders() {
    let keepers = [Keeper::new([], Move::Hold), Keeper::of_every_third(), Keeper::new([], Move::Hold)];
    let (builder, exporter) = with(keepers);
    let pipeline = builder.build().unwrap();
    for signal in Signal::ALL {
        (0..300).for_each(|at| record(&pipeline.intake(), signal, at));
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    for signal in Signal::ALL {
        assert_eq!((report.intake.get(signal).pending, exporter.delivered(signal)), (0, 300), "{report}");
    }
    assert!(pipeline.sync(PATIENCE).report.complete);
}

#[test]
fn what_is_given_up_is_counted_under_its_reason() {
    let script = [Move::Discard, Move::Filter, Move::Hold, Move::Discard];
    let (builder, exporter) = with([Keeper::new(script, Move::Pass)]);
    let pipeline = builder.build().unwrap();
    (0..4).for_each(|at| record(&pipeline.intake(), Signal::Scores, at));
    let report = pipeline.flush(PATIENCE);
    let scores = report.intake.get(Signal::Scores);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!((scores.filtered.get("unkept"), scores.filtered.get("processor:keeper")), (2, 1), "{report}");
    assert_eq!(exporter.delivered(Signal::Scores), 1);
}

#[test]
fn law_1_accounting_counts_what_a_panicking_processor_held() {
    for panicking in [vec![Move::Hold, Move::Hold, Move::Panic], vec![Move::Hold; 2]] {
        let at_a_tick = panicking.len() == 2;
        let (builder, exporter) = with([Keeper::new(panicking, Move::Panic)]);
        let pipeline = builder.build().unwrap();
        let count = if at_a_tick { 2 } else { 3 };
        (0..count).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
        let report = pipeline.flush(PATIENCE);
        assert!(report.complete && report.is_balanced(), "{report}");
        assert_eq!(report.intake.get(Signal::Logs).dropped.get(dropped::PANIC), count, "{report}");
        assert_eq!(exporter.delivered(Signal::Logs), 0, "it lets nothing through");
    }
}

#[test]
fn a_processor_that_never_lets_go_is_told_of_and_its_records_are_lost_at_the_end() {
    let (builder, exporter) = with([Keeper { stubborn: true, ..Keeper::new([], Move::Hold) }]);
    let pipeline = builder.build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    assert!(!pipeline.flush(PATIENCE).complete, "a record is held although somebody waits for it");
    let synced = pipeline.sync(PATIENCE);
    assert!(!synced.durable && synced.reason.as_deref().unwrap().contains("holds"), "{synced:?}");
    let report = pipeline.shutdown(PATIENCE);
    assert!(report.is_balanced(), "{report}");
    assert_eq!(report.intake.get(Signal::Logs).dropped.get(dropped::SHUTDOWN), 1, "{report}");
    assert_eq!(exporter.delivered(Signal::Logs), 0);
}

fn moves(tame: bool) -> impl Strategy<Value = Vec<Move>> {
    let wild = u32::from(!tame);
    let one = prop_oneof![
        4 => Just(Move::Pass),
        6 => Just(Move::Hold),
        1 => Just(Move::Filter),
        1 => Just(Move::Discard),
        1 => Just(Move::Release),
        wild => Just(Move::Panic),
        wild => Just(Move::Lie),
    ];
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn law_1_accounting_holds_whatever_processors_hold(
        tame in any::<bool>(),
        (first, second) in (moves(false), moves(false)),
        (third, fourth) in (moves(true), moves(true)),
        acts in prop::collection::vec((prop::sample::select(Signal::ALL.to_vec()), 0u64..40, 0u64..9), 1..12),
    ) {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
        let (a, b) = if tame { (third, fourth) } else { (first, second) };
        let lies = a.contains(&Move::Lie) || b.contains(&Move::Lie);
        let (builder, exporter) = with([Keeper::new(a, Move::Hold), Keeper::new(b, Move::Pass)]);
        let pipeline = builder.clock(clock).build().unwrap();
        let mut recorded = [0u64; Signal::COUNT];
        for (signal, count, seconds) in acts {
            (0..count).for_each(|at| record(&pipeline.intake(), signal, at));
            recorded[signal.index()] += count;
            hand.advance(Duration::from_secs(seconds));
            prop_assert!(pipeline.report().is_balanced());
            if seconds == 8 {
                let report = pipeline.flush(PATIENCE);
                prop_assert!(report.complete && report.is_balanced(), "{}", report);
            }
        }
        let report = pipeline.shutdown(PATIENCE);
        prop_assert!(report.complete && report.is_balanced(), "{}", report);
        for (signal, terms) in report.intake.iter() {
            prop_assert_eq!(terms.pending, 0, "{}", report);
            // What a processor releases after it said that it gave it up is new to the books.
            prop_assert!(lies || terms.recorded == recorded[signal.index()], "{}", report);
            prop_assert_eq!(terms.sealed, exporter.delivered(signal) as u64, "{}", report);
            prop_assert!(!tame || terms.dropped.is_empty(), "{}", report);
        }
    }
}
