//! Runs the processors, and keeps the books while they add, remove and hold back.

use obs_core::Signal;

use crate::emit::Said;
use crate::guard::guarded;
use crate::terms::dropped;
use crate::{Emit, Intake, Processor, Segment, Tick};

/// The processors in order.
#[derive(Debug)]
pub(super) struct Processors {
    all: Vec<Stage>,
    emit: Emit,
}

/// Segments, each with the place of the processor that is next for it; the last one is worked on first.
pub(super) type Work = Vec<(usize, Segment)>;

/// One processor, and how many records it holds.
#[derive(Debug)]
struct Stage {
    processor: Box<dyn Processor>,
    held: [u64; Signal::COUNT],
}

/// What a segment was before a processor saw it, and what it was after.
type Change = ((Signal, usize), (Signal, usize));

impl Processors {
    pub(super) fn new(all: Vec<Box<dyn Processor>>) -> Self {
        let stage = |processor| Stage { processor, held: [0; Signal::COUNT] };
        Self { all: all.into_iter().map(stage).collect(), emit: Emit::default() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether any of them holds records back.
    pub(super) fn is_holding(&self) -> bool {
        self.all.iter().any(|stage| stage.held.iter().any(|held| *held > 0))
    }

    /// Sees a segment through, from the processor at `at` on; what they emit becomes further `work`.
    ///
    /// `None` if nothing of the segment is left.
    pub(super) fn run(
        &mut self,
        at: usize,
        mut segment: Segment,
        intake: &Intake,
        work: &mut Work,
    ) -> Option<Segment> {
        for (at, stage) in self.all.iter_mut().enumerate().skip(at) {
            let before = (segment.signal(), segment.len());
            let emit = &mut self.emit;
            if let Err(panic) = guarded(|| stage.processor.process(&mut segment, emit)) {
                self.emit = Emit::default();
                intake.books().drop_pending(before.0, dropped::PANIC, before.1 as u64);
                let held = stage.lose(intake, dropped::PANIC);
                stage.reset();
                tracing::error!(target: "obs::collector", "a processor panicked, {} {} and {held} records that it held are lost: {panic}", before.1, before.0);
                return None;
            }
            let change = (before, (segment.signal(), segment.len()));
            stage.settle(Some(change), emit, intake, |emitted| work.push((at + 1, emitted)));
            if segment.is_empty() {
                return None;
            }
        }
        Some(segment)
    }

    /// Tells the processor at `at` of the time; what it emits becomes `work`.
    pub(super) fn tick(&mut self, at: usize, tick: &Tick, intake: &Intake, work: &mut Work) {
        let (Some(stage), emit) = (self.all.get_mut(at), &mut self.emit) else { return };
        if let Err(panic) = guarded(|| stage.processor.tick(tick, emit)) {
            self.emit = Emit::default();
            let held = stage.lose(intake, dropped::PANIC);
            stage.reset();
            tracing::error!(target: "obs::collector", "a processor panicked, {held} records that it held are lost: {panic}");
            return;
        }
        stage.settle(None, emit, intake, |emitted| work.push((at + 1, emitted)));
        if tick.last {
            let held = stage.lose(intake, dropped::SHUTDOWN);
            if held > 0 {
                tracing::error!(target: "obs::collector", "a processor held {held} records to the end, they are lost");
            }
        }
    }

    /// Everything that is held was counted as lost.
    pub(super) fn forget(&mut self) {
        self.emit = Emit::default();
        for stage in &mut self.all {
            if stage.held != [0; Signal::COUNT] {
                stage.held = [0; Signal::COUNT];
                stage.reset();
            }
        }
    }
}

impl Stage {
    /// Books what the processor did to its segment and what it said; all that comes out of it is `passed` on in order.
    fn settle(
        &mut self,
        change: Option<Change>,
        emit: &mut Emit,
        intake: &Intake,
        pass: impl FnMut(Segment),
    ) {
        let said = emit.take_said();
        if let Some(change) = change {
            self.account(change, &said, intake);
        }
        let (released, added) = (emit.take_released(), emit.take_added());
        for segment in &released {
            let (held, came) = (&mut self.held[segment.signal().index()], segment.len() as u64);
            let known = came.min(*held);
            *held -= known;
            add(intake, segment.signal(), came - known);
        }
        for segment in &added {
            add(intake, segment.signal(), segment.len() as u64);
        }
        for (signal, reason, count) in said.discarded {
            let held = &mut self.held[signal.index()];
            let known = (count as u64).min(*held);
            *held -= known;
            intake.books().filter_pending(signal, reason, known);
        }
        // Work is taken from the end.
        released.into_iter().chain(added).rev().for_each(pass);
    }

    /// Books what is missing in a segment, as held or as filtered, and what is new in it.
    fn account(&mut self, (before, after): Change, said: &Said, intake: &Intake) {
        if before == after {
            return;
        }
        let (removed, added) = if before.0 == after.0 {
            (before.1.saturating_sub(after.1), after.1.saturating_sub(before.1))
        } else {
            (before.1, after.1)
        };
        let held = said.held[before.0.index()].min(removed);
        self.held[before.0.index()] += held as u64;
        if removed > held {
            let name = guarded(|| self.processor.name().to_owned()).unwrap_or_default();
            let reason = format!("processor:{name}");
            intake.books().filter_pending(before.0, reason, (removed - held) as u64);
        }
        add(intake, after.0, added as u64);
    }

    /// Counts all that is held as lost, and says how many records that are.
    fn lose(&mut self, intake: &Intake, reason: &'static str) -> u64 {
        let held = std::mem::take(&mut self.held);
        for (signal, count) in Signal::ALL.into_iter().zip(held).filter(|(_, count)| *count > 0) {
            intake.books().drop_pending(signal, reason, count);
        }
        held.iter().sum()
    }

    fn reset(&mut self) {
        if let Err(panic) = guarded(|| self.processor.reset()) {
            tracing::error!(target: "obs::collector", "a processor panicked while it was reset: {panic}");
        }
    }
}

/// A whole segment is lost.
pub(super) fn lose(intake: &Intake, segment: &Segment) {
    intake.books().drop_pending(segment.signal(), dropped::PANIC, segment.len() as u64);
}

fn add(intake: &Intake, signal: Signal, count: u64) {
    if count > 0 {
        intake.books().add_pending(signal, count);
    }
}
