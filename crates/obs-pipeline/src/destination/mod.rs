//! A destination: its lanes, its budget, its hold, and what others may ask of it.

mod doomed;
mod entrance;
mod hold;
pub(crate) mod notice;
mod outbox;
mod pace;
mod series;
mod shares;
mod state;
mod status;
mod worker;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{
    Batch, DeadLetters, Descriptor, Error, Exporter, Health, MetricForm, Signal, Signals, Temporality,
};
use tokio::sync::Notify;

use crate::collector::{Sealed, without_starts};
use crate::deadline::Deadline;
use crate::jitter::Jitter;
use crate::monitored::LastResult;
use crate::route::Gate;
use crate::spec::OnAlert;
use crate::stats::DestinationStats;
use crate::{Clock, DestinationReport, DestinationSpec, Intake, Lane, LaneConfig, Log, MemoryQueue};

use entrance::Entrance;
use hold::Hold;
use outbox::{Outbox, Rules, Store};
use pace::Pace;
use series::Series;
use state::{FallbackBooks, Flush, Stage, State};
use status::Status;

pub(crate) use entrance::Meant;
pub(crate) use worker::spawn;

/// What the collector, the host's threads and the destination's own thread share.
#[derive(Debug)]
pub(crate) struct Destination {
    name: Box<str>,
    descriptor: Descriptor,
    lane: Lane,
    entrance: Entrance,
    dead_letters: Option<Arc<dyn DeadLetters>>,
    on_alert: Option<OnAlert>,
    log: Option<Arc<dyn Log>>,
    clock: Clock,
    intake: Intake,
    state: Mutex<State>,
    /// Told to the destination's thread.
    wake: Arc<Notify>,
    /// Told to the host's threads that wait for it.
    changed: Condvar,
}

impl Destination {
    /// A destination whose lanes keep their records in `log`, where there is one and they ask for it.
    pub(crate) fn new(
        spec: DestinationSpec,
        gate: Option<Gate>,
        intake: &Intake,
        log: Option<&Arc<dyn Log>>,
    ) -> Self {
        let clock = intake.clock().clone();
        let descriptor = spec.exporter.descriptor().clone();
        let log = log.filter(|_| spec.config.durable);
        let wake = Arc::new(Notify::new());
        let outboxes = Signal::ALL.map(|signal| {
            let store = store(&spec, signal, &clock, log, &wake);
            Outbox::new(rules(&spec.config, &descriptor, signal, &store, spec.dead_letters.is_some()), store)
        });
        let fallbacks = spec.fallbacks.iter().map(|(name, _)| FallbackBooks::new(name.clone())).collect();
        let state = State {
            check_at: spec.config.health_check_interval.map(|every| clock.monotonic() + every),
            config: spec.config.clone(),
            outboxes,
            fallbacks,
            hold: Hold::No,
            stage: Stage::Running,
            flush: Flush::default(),
            status: Status::default(),
            resigned: false,
            unclean: false,
            jitter: Jitter::new(),
        };
        Self {
            name: spec.name.clone(),
            entrance: Entrance::new(&descriptor, gate),
            descriptor,
            dead_letters: spec.timed_letters(&clock),
            on_alert: spec.on_alert.clone(),
            lane: Lane::build(spec, &clock),
            log: log.cloned(),
            clock,
            intake: intake.clone(),
            state: Mutex::new(state),
            wake,
            changed: Condvar::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what it gives up goes to dead letters.
    fn buries(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// What of a sealed segment is meant for the destination; asks its route, which is the user's code.
    pub(crate) fn route(&self, sealed: &Sealed, now: Duration) -> Meant {
        self.entrance.pass(&sealed.batch, sealed.ended.as_ref(), now)
    }

    /// Offers a sealed segment to the lane of its signal: never waits for the backend.
    pub(crate) fn offer(&self, sealed: &Sealed, meant: &Meant, now: Duration) {
        self.enter(sealed, meant, now, false);
    }

    /// Offers records that did not pass the intake, whatever the destination's route says.
    pub(crate) fn offer_own(&self, sealed: &Sealed, now: Duration) {
        let meant = Meant::all_of(sealed, &self.descriptor);
        self.enter(sealed, &meant, now, true);
    }

    fn enter(&self, sealed: &Sealed, meant: &Meant, now: Duration, own: bool) {
        let at = sealed.batch.signal().index();
        let mut state = self.state();
        let (before, depth) = (state.next(now), state.items());
        state.outboxes[at].offered(sealed, meant, own);
        if meant.batch.is_empty() {
            state.outboxes[at].skip(sealed, now);
        } else {
            state.take(self, sealed, meant, now);
        }
        let alarming = state.config.alert_thresholds.queue_depth;
        let alert = self.on_alert.is_some() && depth <= alarming && state.items() > alarming;
        let sooner = state.next(now) != before || state.outboxes[at].has_refused();
        drop(state);
        if sooner || alert {
            self.wake.notify_one();
        }
    }

    /// What of a segment, which an earlier process sealed, is meant for the destination.
    fn pass_again(&self, batch: &Batch, now: Duration) -> Meant {
        self.entrance.pass_unseen(batch, without_starts(batch).as_ref(), now)
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
        self.lane.hurry();
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
        state.advance(stage, self.intake.bytes());
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

    /// The ledgers and the health: its own, then those of its fallbacks.
    pub(crate) fn report(&self) -> Vec<DestinationReport> {
        let health = self.health();
        let state = self.state();
        let signals = Signal::ALL.map(|signal| state.outboxes[signal.index()].terms());
        let own =
            DestinationReport { name: self.name.clone(), fallback_of: None, health, signals: signals.into() };
        let fallbacks = state.fallbacks.iter().map(|fallback| fallback.report(&self.name));
        std::iter::once(own).chain(fallbacks).collect()
    }

    /// How it is, as far as its last calls tell; where its disk fails, that counts too.
    pub(crate) fn health(&self) -> Health {
        let (health, threshold) = {
            let state = self.state();
            (state.health(), state.config.unhealthy_threshold_failures)
        };
        if health != Health::Healthy {
            return health;
        }
        // What is tried again and again below the lane has not come back to it yet.
        let failures = self.lane.failures_in_a_row();
        match self.lane.last_result().and_then(|last| last.error) {
            Some(error) if failures >= threshold => Health::Unhealthy(error.message),
            Some(error) if failures > 0 => Health::Degraded(error.message),
            _ => self.log.as_ref().map_or(health, |log| log.health()),
        }
    }

    /// The numbers of this moment.
    pub(crate) fn stats(&self) -> DestinationStats {
        let (export, breaker) = (self.lane.stats(), self.lane.breaker());
        let state = self.state();
        let signals = Signal::ALL.map(|signal| state.outboxes[signal.index()].terms());
        let doomed: usize = state.outboxes.iter().map(Outbox::doomed_bytes).sum();
        DestinationStats::new(
            self.name.clone(),
            &state.config,
            (state.items(), state.bytes() + doomed),
            &signals,
            export,
            breaker,
        )
    }

    /// What the last call to the exporter came to.
    pub(crate) fn last_result(&self) -> Option<LastResult> {
        self.lane.last_result()
    }

    /// Changes options while it runs.
    ///
    /// # Errors
    /// A configuration error that names an option which cannot change.
    pub(crate) fn update_config(&self, change: impl FnOnce(&mut LaneConfig)) -> Result<(), Error> {
        // The user's function may ask for what this lock guards.
        let mut config = self.state().config.clone();
        change(&mut config);
        let mut state = self.state();
        config.check_change(&self.name, &state.config)?;
        for signal in Signal::ALL {
            let outbox = &mut state.outboxes[signal.index()];
            let rules = rules(&config, &self.descriptor, signal, outbox.store(), self.buries());
            outbox.configure(rules);
        }
        let now = self.clock.monotonic();
        state.check_at = config.health_check_interval.map(|every| now.saturating_add(every));
        state.config = config;
        state.tidy(now, self);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Whether records wait in a lane that loses them when the process dies.
    pub(crate) fn is_at_risk(&self) -> bool {
        let state = self.state();
        state.outboxes.iter().any(|outbox| !outbox.is_durable() && outbox.held() > 0)
    }

    /// Whether it takes nothing any more.
    pub(crate) fn is_done(&self) -> bool {
        self.state().stage >= Stage::Cut
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

    /// The signals whose lane keeps its records on disk.
    pub(crate) fn durable(&self) -> Signals {
        let state = self.state();
        let lanes = Signal::ALL.into_iter().zip(&state.outboxes);
        lanes.filter(|(_, outbox)| outbox.is_durable()).map(|(signal, _)| signal).collect()
    }
}

/// Where the records of one signal wait.
fn store(
    spec: &DestinationSpec,
    signal: Signal,
    clock: &Clock,
    log: Option<&Arc<dyn Log>>,
    wake: &Arc<Notify>,
) -> Store {
    let descriptor = spec.exporter.descriptor();
    let temporality = match (signal, descriptor.metric_form()) {
        (Signal::Metrics, MetricForm::Delta) => Some(Temporality::Delta),
        (Signal::Metrics, MetricForm::Cumulative) => Some(Temporality::Cumulative),
        _ => None,
    };
    match (temporality, log) {
        (Some(temporality), _) => {
            let (metrics, form) = (&spec.config.metrics, descriptor.histogram_form());
            let goes_stale = temporality == Temporality::Cumulative && !descriptor.is_local();
            let heartbeat = metrics.heartbeat.filter(|_| goes_stale);
            Store::Series(Box::new(Series::new(metrics, temporality, form, heartbeat, clock.now())))
        }
        (None, Some(log)) if descriptor.support(signal).is_some() => {
            let wake = Arc::clone(wake);
            Store::Queue(log.lane(&spec.name, signal, clock, Arc::new(move || wake.notify_one())))
        }
        (None, _) => Store::Queue(Box::new(MemoryQueue::new(signal))),
    }
}

/// What the options say of the lane of a signal.
fn rules(config: &LaneConfig, descriptor: &Descriptor, signal: Signal, store: &Store, buries: bool) -> Rules {
    let interval = match store {
        Store::Series(_) => config.metric_interval_for(descriptor.is_local()),
        Store::Queue(_) => config.flush_interval_for(descriptor.is_local()),
    };
    let durable = matches!(store, Store::Queue(queue) if queue.is_durable());
    Rules {
        signal,
        supported: descriptor.support(signal).is_some(),
        limits: config.limits_within(descriptor.limits(signal)),
        pace: Pace::new(config, interval),
        max_age: config.max_age_for(durable),
        overflow: config.overflow,
        block_timeout: config.block_timeout,
        retry: config.retry_config,
        buries,
    }
}

/// A batch on its way.
#[derive(Debug)]
struct Sending {
    signal: Signal,
    batch: Batch,
}
