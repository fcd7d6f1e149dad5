//! The running whole.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Health, Retry, Signal, Signals};
use obs_redact::Redactor;

use crate::builder::PipelineBuilder;
use crate::collector::{Collector, Control, DiskWatch, Lanes, Sealed};
use crate::deadline::Deadline;
use crate::destination::{self, Destination};
use crate::redact::Finish;
use crate::route::Gate;
use crate::self_metrics::SelfMetrics;
use crate::{
    Clock, DestinationSpec, DestinationStats, Intake, LaneConfig, LastResult, Log, Matching, PerSignal,
    RecordRef, Report, Route, SyncReport,
};

/// Delivery at work: it owns the threads; dropping it shuts it down within [`PipelineBuilder::drop_deadline`].
///
/// Its methods block the calling thread until they are done or their deadline passes; they need no runtime and work
/// inside any, since nothing they wait for runs on the caller's.
#[derive(Debug)]
pub struct Pipeline {
    intake: Intake,
    control: Arc<Control>,
    destinations: Arc<[Arc<Destination>]>,
    log: Option<Arc<dyn Log>>,
    drop_deadline: Duration,
}

impl Pipeline {
    /// Describes a pipeline.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::new()
    }

    pub(crate) fn start(builder: PipelineBuilder) -> Result<Self, Error> {
        let PipelineBuilder {
            destinations,
            processors,
            redact,
            intake_bytes,
            clock,
            drop_deadline,
            matching,
            log,
            self_metrics,
            advised_bounds: _,
        } = builder;
        let rules = redact.map(|rules| Redactor::new(&rules)).transpose();
        let rules = rules.map_err(|error| Error::config("redact", error))?;
        let mut wanted: Signals =
            processors.iter().fold(Signals::NONE, |wanted, processor| wanted.union(processor.needs()));
        let mut started = false;
        for destination in &destinations {
            let descriptor = destination.exporter.descriptor();
            wanted = wanted.union(descriptor.signals());
            started |= descriptor.wants_started();
            wanted = wanted.union(destination.route.as_ref().map_or(Signals::NONE, Route::needs));
        }
        let intake = Intake::new(wanted, started, intake_bytes, clock.unwrap_or_else(Clock::system));
        let self_metrics = self_metrics.and_then(|(to, every)| {
            let at = destinations.iter().position(|destination| destination.name == to)?;
            Some(SelfMetrics::new(at, every))
        });
        let gates = gates(&destinations, matching);
        let destinations: Arc<[_]> = destinations
            .into_iter()
            .zip(gates)
            .map(|(spec, gate)| Arc::new(Destination::new(spec, gate, &intake, log.as_ref())))
            .collect();
        let mut pipeline = Self {
            intake,
            control: Arc::default(),
            destinations,
            log: log.clone(),
            drop_deadline: Duration::ZERO,
        };
        for destination in &*pipeline.destinations {
            destination::spawn(destination, rules.as_ref())?;
        }
        let control = Arc::clone(&pipeline.control);
        let destinations = Arc::clone(&pipeline.destinations);
        let durable =
            destinations.iter().fold(Signals::NONE, |all, destination| all.union(destination.durable()));
        let lanes = Lanes { destinations, log, durable, self_metrics, disk: DiskWatch::default() };
        Collector::new(pipeline.intake(), control, lanes, processors, Finish::new(rules)).spawn()?;
        pipeline.drop_deadline = drop_deadline;
        Ok(pipeline)
    }

    /// Where records enter.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Delivers all that was recorded before, if that is done within `deadline`.
    ///
    /// Processors that hold records back decide at once on what they have seen so far.
    /// After a shutdown it only reports.
    pub fn flush(&self, deadline: Duration) -> Report {
        if self.intake.is_closed() {
            return self.report();
        }
        let deadline = Deadline::after(deadline);
        if !self.collect(false, deadline) {
            return self.reported(false);
        }
        let tickets: Vec<_> = self.destinations.iter().map(|destination| destination.flush()).collect();
        let mut complete = self.control.is_settled();
        for (destination, ticket) in self.destinations.iter().zip(tickets) {
            complete &= destination.flushed(ticket, deadline);
        }
        self.reported(complete)
    }

    /// Brings all that was recorded before to disk where a lane has one, if that is done within `deadline`.
    ///
    /// Lanes in memory cannot do that; the report names them.
    /// Processors that hold records back decide at once, as for a flush.
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        if self.intake.is_forked() {
            let reason = Some("this process was forked; build a pipeline after the fork".into());
            return SyncReport {
                durable: false,
                not_durable: Vec::new(),
                reason,
                report: self.reported(false),
            };
        }
        let deadline = Deadline::after(deadline);
        let collected = self.collect(false, deadline);
        let settled = self.control.is_settled();
        let complete = collected && settled && self.log.as_ref().is_none_or(|log| log.sync(deadline.left()));
        let lanes = self.destinations.iter().flat_map(|destination| {
            let lane = |signal| format!("{}/{signal}", destination.name()).into_boxed_str();
            destination.not_durable().into_iter().map(lane).collect::<Vec<_>>()
        });
        let not_durable: Vec<Box<str>> = lanes.collect();
        let at_risk = self.destinations.iter().find(|destination| destination.is_at_risk());
        let reason: Option<Box<str>> = match (&self.log, collected) {
            (_, false) => Some("the deadline passed before all was collected".into()),
            (_, true) if !settled => Some("a processor holds records back in memory".into()),
            (Some(log), true) if !complete => Some(match log.health() {
                Health::Degraded(why) | Health::Unhealthy(why) => why,
                Health::Healthy => "the deadline passed before all was on disk".into(),
            }),
            _ => at_risk.map(|destination| {
                format!("records wait in memory for {}; see `not_durable`", destination.name()).into()
            }),
        };
        SyncReport { durable: reason.is_none(), not_durable, reason, report: self.reported(complete) }
    }

    /// Stops recording, delivers what is there and shuts the exporters down, all within `deadline`.
    ///
    /// Delivery may take four fifths of the deadline; what is left then is dropped and counted as `shutdown`, so that
    /// exporters have time to close.
    /// A second call only reports.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        let (end, cut) = (Deadline::after(deadline), Deadline::after(deadline.mul_f64(0.8)));
        self.intake.close();
        if self.intake.is_forked() {
            return self.reported(false);
        }
        let mut complete = self.collect(true, cut);
        if let Some(log) = &self.log {
            // What disk has need not be given up by a destination that is out; half of the time is for those that are not.
            log.sync(cut.left() / 2);
        }
        for destination in &*self.destinations {
            destination.drain();
        }
        for destination in &*self.destinations {
            if !destination.ended(cut) {
                destination.cut();
            }
        }
        // The rest is for the queue on disk, so that another process may open it afterwards.
        let last = Deadline::after(end.left().mul_f64(if self.log.is_some() { 0.8 } else { 1.0 }));
        for destination in &*self.destinations {
            if !destination.ended(last) {
                destination.give_up();
                complete = false;
            }
            complete &= destination.ended_well();
        }
        if let Some(log) = &self.log {
            complete &= log.close(end.left());
        }
        self.reported(complete)
    }

    /// Has the collector take everything that was recorded; with `close`, for the last time.
    fn collect(&self, close: bool, deadline: Deadline) -> bool {
        if self.intake.is_forked() {
            return false;
        }
        let ticket = self.control.ask(close);
        self.intake.bell().ring();
        self.control.answered(ticket, deadline)
    }

    /// The ledgers at this moment; asks nobody.
    pub fn report(&self) -> Report {
        let mut report = self.reported(false);
        let waiting = report.destinations.iter().flat_map(|destination| destination.signals.iter());
        let queued: u64 = waiting.map(|(_, terms)| terms.queued).sum();
        let pending: u64 = report.intake.iter().map(|(_, terms)| terms.pending).sum();
        report.complete = queued + pending == 0 && !self.intake.is_forked();
        report
    }

    /// All ledgers at one moment: the books stand still meanwhile.
    ///
    /// A forked child has none: the parent's threads may have held a lock when it was made.
    fn reported(&self, complete: bool) -> Report {
        if self.intake.is_forked() {
            return Report { complete: false, intake: PerSignal::default(), destinations: Vec::new() };
        }
        let books = self.intake.books();
        let intake = books.snapshot();
        let destinations = self.destinations.iter().flat_map(|destination| destination.report()).collect();
        drop(books);
        Report { complete, intake, destinations }
    }

    /// The numbers of a destination; `None` if none is called so.
    pub fn stats(&self, destination: &str) -> Option<DestinationStats> {
        Some(self.destination(destination).ok()?.stats())
    }

    /// What the last call to a destination's exporter came to; `None` before the first, and if none is called so.
    pub fn last_result(&self, destination: &str) -> Option<LastResult> {
        self.destination(destination).ok()?.last_result()
    }

    /// Changes a destination's options while it runs: those of batches, buffers, health and alerts.
    ///
    /// # Errors
    /// A configuration error if none is called so, or for an option that cannot change while it runs: what the layers
    /// before the exporter were built with.
    pub fn update_config(
        &self,
        destination: &str,
        change: impl FnOnce(&mut LaneConfig),
    ) -> Result<(), Error> {
        self.destination(destination)?.update_config(change)
    }

    /// Offers records to one destination alone, past the intake, its processors and any route: for replays.
    ///
    /// They are redacted already, or not at all.
    ///
    /// # Errors
    /// A configuration error if none is called so, and [`ErrorKind::Closed`] after a shutdown.
    pub fn replay(&self, destination: &str, batch: Batch) -> Result<(), Error> {
        let found = self.destination(destination)?;
        if self.intake.is_closed() || found.is_done() {
            let message = "the pipeline was shut down: replay into one that runs";
            return Err(Error::new(ErrorKind::Closed, Retry::Never, message, batch));
        }
        let books = self.intake.books();
        found.offer_own(&Sealed::of(batch), self.intake.clock().monotonic());
        drop(books);
        Ok(())
    }

    /// The destination of this name; none in a forked child, where a lock may never be given back.
    fn destination(&self, name: &str) -> Result<&Destination, Error> {
        if self.intake.is_forked() {
            return Err(Error::config(
                "destination",
                "this process was forked; build a pipeline after the fork",
            ));
        }
        let found = self.destinations.iter().find(|destination| destination.name() == name);
        found.map(|found| &**found).ok_or_else(|| {
            Error::config("destination", format!("none is called `{name}`; name one of the pipeline's"))
        })
    }

    /// How the destinations are, as far as their last calls tell, and the queue on disk where there is one; asks nobody.
    ///
    /// In a forked child all are unhealthy: its threads stayed with the parent, so build a pipeline after the fork.
    pub fn health(&self) -> Vec<(Box<str>, Health)> {
        let forked = self.intake.is_forked();
        let health = |destination: &Destination| {
            if forked {
                Health::Unhealthy(
                    "recording is off in a forked process; build a pipeline after the fork".into(),
                )
            } else {
                destination.health()
            }
        };
        let destinations =
            self.destinations.iter().map(|destination| (destination.name().into(), health(destination)));
        let disk = self.log.as_ref().filter(|_| !forked).map(|log| ("queue on disk".into(), log.health()));
        destinations.chain(disk).collect()
    }
}

/// The gates before the destinations; those that come first take precedence where a record goes to the first match.
fn gates(destinations: &[DestinationSpec], matching: Matching) -> Vec<Option<Gate>> {
    let mut earlier: Vec<Route> = Vec::new();
    let mut gates = Vec::with_capacity(destinations.len());
    for destination in destinations {
        gates.push(destination.route.clone().map(|route| Gate::new(Some(route), earlier.clone())));
        if let (Matching::First, Some(route)) = (matching, destination.route.clone()) {
            // What it does not take at all is left to those behind it.
            let descriptor = destination.exporter.descriptor();
            let (signals, started) = (descriptor.signals(), descriptor.wants_started());
            earlier.push(route.when(move |record| match record {
                RecordRef::Span(record) => {
                    signals.contains(Signal::Traces) && (started || record.ended().is_some())
                }
                other => signals.contains(other.signal()),
            }));
        }
    }
    gates
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.shutdown(self.drop_deadline);
    }
}
