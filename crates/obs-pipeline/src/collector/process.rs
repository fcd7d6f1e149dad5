//! Runs the processors, and keeps the books while they add and remove.

use obs_core::Signal;

use crate::guard::guarded;
use crate::terms::dropped;
use crate::{Emit, Intake, Processor, Segment};

/// The processors in order.
#[derive(Debug)]
pub(super) struct Processors {
    all: Vec<Box<dyn Processor>>,
    emit: Emit,
}

impl Processors {
    pub(super) fn new(all: Vec<Box<dyn Processor>>) -> Self {
        Self { all, emit: Emit::default() }
    }

    /// Sees a segment through, from the processor at `stage` on; what they emit becomes further `work`.
    ///
    /// `None` if nothing of the segment is left.
    pub(super) fn run(
        &mut self,
        stage: usize,
        mut segment: Segment,
        intake: &Intake,
        work: &mut Vec<(usize, Segment)>,
    ) -> Option<Segment> {
        for (at, processor) in self.all.iter_mut().enumerate().skip(stage) {
            let before = (segment.signal(), segment.len());
            let emit = &mut self.emit;
            if let Err(panic) = guarded(|| processor.process(&mut segment, emit)) {
                tracing::error!(target: "obs::collector", "a processor panicked, {} {} are lost: {panic}", before.1, before.0);
                self.emit = Emit::default();
                intake.books().drop_pending(before.0, dropped::PANIC, before.1 as u64);
                return None;
            }
            let after = (segment.signal(), segment.len());
            if before != after {
                let name = guarded(|| processor.name().to_owned()).unwrap_or_default();
                account(intake, &name, before, after);
            }
            for emitted in self.emit.take() {
                add(intake, emitted.signal(), emitted.len());
                work.push((at + 1, emitted));
            }
            if segment.is_empty() {
                return None;
            }
        }
        Some(segment)
    }
}

/// A whole segment is lost.
pub(super) fn lose(intake: &Intake, segment: &Segment) {
    intake.books().drop_pending(segment.signal(), dropped::PANIC, segment.len() as u64);
}

fn account(intake: &Intake, name: &str, before: (Signal, usize), after: (Signal, usize)) {
    let (removed, added) = if before.0 == after.0 {
        (before.1.saturating_sub(after.1), after.1.saturating_sub(before.1))
    } else {
        (before.1, after.1)
    };
    if removed > 0 {
        intake.books().filter_pending(before.0, format!("processor:{name}"), removed as u64);
    }
    add(intake, after.0, added);
}

fn add(intake: &Intake, signal: Signal, count: usize) {
    if count > 0 {
        intake.books().add_pending(signal, count as u64);
    }
}
