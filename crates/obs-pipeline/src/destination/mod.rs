//! A destination: its lanes, its budget, its hold, and what others may ask of it.

mod hold;
mod notice;
mod outbox;
#[cfg(test)]
mod outbox_tests;
mod series;
mod worker;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{Batch, Exporter, Health, MetricForm, Signal, Temporality};
use tokio::sync::Notify;

use crate::builder::DestinationSpec;
use crate::collector::Sealed;
use crate::deadline::Deadline;
use crate::jitter::Jitter;
use crate::outcome::Outcome;
use crate::{Clock, DestinationReport, Intake, Lane, MemoryQueue, Overflow};

use hold::Hold;
use notice::first_rejection;
use outbox::{Due, Outbox, Rules, Store, earlier};
use series::Series;

pub(crate) use worker::spawn;

/// What the collector, the host's threads and the destination's own thread share.
#[derive(Debug)]
pub(crate) struct Destination {
    name: Box<str>,
    exporter: Arc<dyn Exporter>,
    clock: Clock,
    intake: Intake,
    queue_bytes: usize,
    state: Mutex<State>,
    /// Told to the destination's thread.
    wake: Notify,
    /// Told to the host's threads that wait for it.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    outboxes: [Outbox; Signal::COUNT],
    hold: Hold,
    stage: Stage,
    flush: Flush,
    health: Health,
    /// Whether the exporter said that its shutdown failed.
    unclean: bool,
    jitter: Jitter,
}

/// Where in its life a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    /// Nothing new comes; what is here is tried once more without regard to delays of our own.
    Draining,
    /// Time is up: what is on its way is cancelled and everything is given up.
    Cut,
    /// The exporter was shut down, or nobody waits for that any more.
    Done,
}

/// Flushes by number, one under way at a time: a later one never moves the marks that an earlier one waits for.
#[derive(Debug, Clone, Copy, Default)]
struct Flush {
    wanted: u64,
    /// The last one whose marks the lanes have.
    marked: u64,
    /// The last one whose records have left, so that the exporter is asked.
    left: u64,
    done: u64,
    failed: u64,
}

impl Destination {
    pub(crate) fn new(spec: DestinationSpec, intake: &Intake) -> Self {
        let DestinationSpec { name, exporter, config } = spec;
        let clock = intake.clock().clone();
        let descriptor = exporter.descriptor();
        let outboxes = Signal::ALL.map(|signal| {
            let series = match (signal, descriptor.metric_form()) {
                (Signal::Metrics, MetricForm::Delta) => Some(Temporality::Delta),
                (Signal::Metrics, MetricForm::Cumulative) => Some(Temporality::Cumulative),
                _ => None,
            };
            let (store, interval) = match series {
                Some(temporality) => (
                    Store::Series(Box::new(Series::new(temporality, clock.now()))),
                    config.metric_interval_for(descriptor.is_local()),
                ),
                None => (
                    Store::Queue(Box::new(MemoryQueue::new(signal))),
                    config.flush_interval_for(descriptor.is_local()),
                ),
            };
            let rules = Rules {
                signal,
                supported: descriptor.support(signal).is_some(),
                wants_started: descriptor.wants_started(),
                limits: config.limits_within(descriptor.limits(signal)),
                interval,
                max_age: config.max_age_for(false),
                overflow: config.overflow,
                block_timeout: config.block_timeout,
                retry: config.retry_config,
            };
            Outbox::new(rules, store)
        });
        let state = State {
            outboxes,
            hold: Hold::No,
            stage: Stage::Running,
            flush: Flush::default(),
            health: Health::Healthy,
            unclean: false,
            jitter: Jitter::new(),
        };
        Self {
            name,
            exporter: Arc::new(Lane::build(&config, exporter, &clock)),
            clock,
            intake: intake.clone(),
            queue_bytes: config.max_memory_usage.get() as usize,
            state: Mutex::new(state),
            wake: Notify::new(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers a sealed segment to the lane of its signal: never waits for the backend.
    pub(crate) fn offer(&self, sealed: &Sealed, now: Duration) {
        let mut state = self.state();
        let at = sealed.batch.signal().index();
        let before = state.next(now);
        let Some(batch) = state.outboxes[at].route(sealed) else { return };
        let batch = batch.clone();
        if !state.outboxes[at].is_blocked() && state.make_room(at, sealed.bytes, self.queue_bytes) {
            state.outboxes[at].admit(batch, sealed.bytes, now);
        } else {
            state.outboxes[at].refuse(batch, sealed.bytes, now, self.intake.bytes());
        }
        let sooner = state.next(now) != before;
        drop(state);
        if sooner {
            self.wake.notify_one();
        }
    }

    /// Asks for all that is here to leave.
    pub(crate) fn flush(&self) -> u64 {
        let mut state = self.state();
        let ticket = state.ask_flush();
        drop(state);
        self.wake.notify_one();
        ticket
    }

    /// Waits for a flush; returns whether all of it left in time, and the exporter said that it arrived.
    pub(crate) fn flushed(&self, ticket: u64, deadline: Deadline) -> bool {
        let done = deadline.wait(self.state(), &self.changed, |state| {
            state.flush.done >= ticket || state.stage == Stage::Done
        });
        let flush = self.state().flush;
        done && flush.done >= ticket && flush.failed < ticket
    }

    /// Begins the end: what is here leaves, then the exporter is shut down.
    pub(crate) fn drain(&self) {
        self.advance(Stage::Draining);
    }

    /// Cancels what is on its way and gives everything up.
    pub(crate) fn cut(&self) {
        self.advance(Stage::Cut);
    }

    /// Waits no longer for the exporter to shut down.
    pub(crate) fn give_up(&self) {
        self.advance(Stage::Done);
    }

    fn advance(&self, stage: Stage) {
        let mut state = self.state();
        state.advance(stage, &self.intake);
        drop(state);
        self.wake.notify_one();
        self.changed.notify_all();
    }

    /// Waits until the exporter was shut down.
    pub(crate) fn ended(&self, deadline: Deadline) -> bool {
        deadline.wait(self.state(), &self.changed, |state| state.stage == Stage::Done)
    }

    /// Whether nothing was given up because time was up, and the exporter closed well.
    pub(crate) fn ended_well(&self) -> bool {
        let state = self.state();
        !state.unclean
            && state.outboxes.iter().all(|outbox| outbox.terms().dropped.get(crate::dropped::SHUTDOWN) == 0)
    }

    /// The ledgers and the health.
    pub(crate) fn report(&self) -> DestinationReport {
        let state = self.state();
        let signals = Signal::ALL.map(|signal| state.outboxes[signal.index()].terms());
        DestinationReport { name: self.name.clone(), health: state.health.clone(), signals: signals.into() }
    }

    pub(crate) fn health(&self) -> Health {
        self.state().health.clone()
    }

    /// The signals whose lane loses what waits when the process dies.
    pub(crate) fn not_durable(&self) -> Vec<Signal> {
        let state = self.state();
        let lanes = Signal::ALL.into_iter().zip(&state.outboxes);
        lanes
            .filter(|(_, outbox)| outbox.is_supported() && !outbox.is_durable())
            .map(|(signal, _)| signal)
            .collect()
    }
}

impl State {
    fn bytes(&self) -> usize {
        self.outboxes.iter().map(Outbox::bytes).sum()
    }

    /// Whether a segment fits, after the oldest ones were given up if that is the policy.
    fn make_room(&mut self, at: usize, bytes: usize, limit: usize) -> bool {
        while self.bytes() + bytes > limit {
            if bytes > limit || self.outboxes[at].overflow() != Overflow::DropOldest {
                return false;
            }
            let mut fattest: Vec<usize> = (0..Signal::COUNT).collect();
            fattest.sort_by_key(|at| std::cmp::Reverse(self.outboxes[*at].bytes()));
            if !fattest.into_iter().any(|at| self.outboxes[at].make_room()) {
                return false;
            }
        }
        true
    }

    /// Lets in what waits before the lanes, as far as there is room now.
    fn unblock(&mut self, limit: usize, intake: &Intake) {
        for at in 0..Signal::COUNT {
            while let Some(bytes) = self.outboxes[at].next_parked()
                && (self.bytes() + bytes <= limit)
            {
                self.outboxes[at].admit_parked(intake.bytes());
            }
        }
    }

    /// When one lane is due.
    fn due(&self, at: usize, now: Duration) -> Due {
        self.hold.delays(self.outboxes[at].due(now, self.stage > Stage::Running), now)
    }

    /// When there is something to do.
    fn next(&self, now: Duration) -> Due {
        let lanes = (0..Signal::COUNT).map(|at| earlier(self.due(at, now), self.outboxes[at].expires()));
        lanes.fold(Due::Never, earlier)
    }

    fn is_empty(&self) -> bool {
        self.outboxes.iter().all(Outbox::is_empty)
    }

    /// Marks all that is here: now, or for when the flush under way is done.
    fn ask_flush(&mut self) -> u64 {
        self.flush.wanted += 1;
        if self.flush.marked == self.flush.left {
            self.flush.marked = self.flush.wanted;
            self.outboxes.iter_mut().for_each(Outbox::flush);
        } else {
            self.outboxes.iter_mut().for_each(Outbox::flush_next);
        }
        self.flush.wanted
    }

    /// The flush whose records have all left just now; the one that was asked for meanwhile begins.
    fn flush_left(&mut self) -> Option<u64> {
        if self.flush.marked == self.flush.left || !self.outboxes.iter().all(Outbox::is_flushed) {
            return None;
        }
        self.flush.left = self.flush.marked;
        if self.flush.wanted > self.flush.marked {
            self.flush.marked = self.flush.wanted;
            self.outboxes.iter_mut().for_each(Outbox::next_flush);
        }
        Some(self.flush.left)
    }

    fn advance(&mut self, stage: Stage, intake: &Intake) {
        if stage <= self.stage {
            return;
        }
        self.stage = stage;
        match stage {
            Stage::Running => {}
            Stage::Draining => {
                self.hold = Hold::No;
                self.outboxes.iter_mut().for_each(Outbox::hurry);
            }
            Stage::Cut | Stage::Done => {
                self.outboxes.iter_mut().for_each(|outbox| outbox.abandon(intake.bytes()));
            }
        }
    }

    /// Settles a batch; what comes after the end changes nothing, since its records are accounted for.
    fn settle(&mut self, destination: &Destination, signal: Signal, outcome: Outcome, now: Duration) {
        if self.stage >= Stage::Cut {
            return;
        }
        self.health = health(&outcome);
        let chance = self.jitter.chance();
        let out = self.outboxes[signal.index()].settle(outcome, now, chance);
        self.hold.answered(out, now);
        if out.is_some() && self.stage == Stage::Draining {
            let idle = self.outboxes.iter_mut().filter(|outbox| !outbox.is_sending());
            idle.for_each(|outbox| outbox.abandon(destination.intake.bytes()));
            self.hold = Hold::No;
        }
        self.unblock(destination.queue_bytes, &destination.intake);
    }
}

/// How a destination is, by its last batch.
fn health(outcome: &Outcome) -> Health {
    match (&outcome.trouble, first_rejection(&outcome.receipt)) {
        (Some(trouble), _) => Health::Unhealthy(format!("{}: {}", trouble.kind, trouble.message).into()),
        (None, Some((kind, reason))) => {
            Health::Degraded(format!("records were rejected ({kind}): {reason}").into())
        }
        (None, None) => Health::Healthy,
    }
}

/// A batch on its way.
#[derive(Debug)]
struct Sending {
    signal: Signal,
    batch: Batch,
}
