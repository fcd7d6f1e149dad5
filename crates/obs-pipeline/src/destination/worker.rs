//! The thread of a destination: every call into its exporter happens here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use obs_core::{Batch, DeadLetters, Error, ErrorKind, Exporter, Health, Receipt, Rejection, Signal};
use obs_redact::Redactor;
use tokio::runtime::{Builder, Runtime};

use super::doomed::{Buried, Dead};
use super::entrance::Meant;
use super::notice::Notices;
use super::outbox::{Due, Outbox};
use super::{Destination, Sending, Stage};
use crate::Loaded;
use crate::guard;
use crate::monitored::{Alert, Alerts};
use crate::outcome::Outcome;
use crate::spec::OnAlert;
use crate::suppress::suppress_this_thread;

/// Starts the thread; what panics on it is told by the pipeline's rules of redaction.
///
/// # Errors
/// [`ErrorKind::Io`] where the system refuses a thread or a runtime.
pub(crate) fn spawn(destination: &Arc<Destination>, rules: Option<&Redactor>) -> Result<(), Error> {
    let refused = |error: std::io::Error| {
        let message =
            format!("the system refused a thread for the destination {}: {error}", destination.name);
        Error::without_records(ErrorKind::Io, message)
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_start(suppress_this_thread)
        .build()
        .map_err(refused)?;
    let worker = Arc::clone(destination);
    let rules = rules.cloned();
    let run = move || {
        guard::tell_by(rules.as_ref());
        run(&worker, runtime);
    };
    let name = format!("obs-{}", destination.name);
    thread::Builder::new().name(name).spawn(run).map_err(refused)?;
    Ok(())
}

fn run(destination: &Destination, runtime: Runtime) {
    suppress_this_thread();
    let mut notices = Notices::default();
    let ended = guard::guarded(|| runtime.block_on(work(destination, &mut notices)));
    let panic = ended.err().map(|panic| format!("its thread panicked and delivers no more: {panic}"));
    if let Some(message) = &panic {
        notices.say(&destination.name, message, destination.clock.monotonic());
    }
    let mut state = destination.state();
    if let Some(message) = panic {
        state.status.died(message);
    }
    state.advance(Stage::Done, destination.intake.bytes());
    let lost = |outbox: &Outbox| outbox.terms().dropped.get(crate::dropped::SHUTDOWN);
    let lost: u64 = state.outboxes.iter().map(lost).sum();
    drop(state);
    if lost > 0 {
        let why = match destination.health() {
            Health::Healthy => None,
            Health::Degraded(reason) | Health::Unhealthy(reason) => Some(reason),
        };
        notices.lost(&destination.name, lost, why.as_deref(), destination.clock.monotonic());
    }
    destination.changed.notify_all();
    runtime.shutdown_background();
}

/// What is on its way comes back as one of these.
enum Done {
    Sent(Sending, Result<Receipt, Error>),
    Flushed(u64, Result<(), Error>),
    Loaded(Signal, Vec<Loaded>),
    Buried(Signal, Vec<Buried>),
    Checked(Health),
}

type Calls<'d> = FuturesUnordered<LocalBoxFuture<'d, Done>>;

async fn work(destination: &Destination, notices: &mut Notices) {
    let mut calls: Calls<'_> = FuturesUnordered::new();
    let mut alerts = Alerts::new(destination.state().config.alert_thresholds);
    loop {
        let woken = destination.wake.notified();
        let until = match begin(destination, &mut calls) {
            Step::Wait(until) => until,
            Step::End => break,
        };
        tell_refused(destination, notices);
        raise_alerts(destination, &mut alerts, notices);
        let timer = async {
            match until {
                Some(until) => destination.clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = woken => {}
            Some(done) = calls.next(), if !calls.is_empty() => finish(destination, notices, done),
            () = timer => {}
        }
    }
    drop(calls);
    if let Err(error) = destination.lane.shutdown().await {
        let message = format!("shutdown failed: {error}");
        notices.say(&destination.name, &message, destination.clock.monotonic());
        let mut state = destination.state();
        state.unclean = true;
        state.status.complain(message);
    }
}

enum Step {
    /// Until something happens, or the clock reads this.
    Wait(Option<Duration>),
    End,
}

/// Puts everything on its way that is due.
fn begin<'d>(destination: &'d Destination, calls: &mut Calls<'d>) -> Step {
    let now = destination.clock.monotonic();
    let mut state = destination.state();
    state.tidy(now, destination);
    for signal in Signal::ALL {
        let at = signal.index();
        let reads = state.outboxes[at].reads_to_give_up(now);
        if reads || state.due(at, now) == Due::Now {
            if let Some(load) = state.outboxes[at].load() {
                calls.push(async move { Done::Loaded(signal, load()) }.boxed_local());
            } else if !reads && let Some(batch) = state.outboxes[at].send(destination.clock.at(now)) {
                state.hold.sent();
                calls.push(export(destination, Sending { signal, batch }));
            }
        }
        if let Some(doomed) = state.outboxes[at].next_doomed() {
            calls.push(bury(destination, signal, doomed));
        }
    }
    if state.check_at.is_some_and(|at| now >= at) {
        state.check_at = None;
        calls.push(async { Done::Checked(destination.lane.check().await) }.boxed_local());
    }
    while let Some(ticket) = state.flush_left() {
        calls.push(flush(destination, ticket));
    }
    let drained = state.stage == Stage::Draining && state.is_empty();
    if drained || state.stage >= Stage::Cut {
        return Step::End;
    }
    match state.next(now) {
        Due::Now => Step::Wait(Some(now)),
        Due::At(at) => Step::Wait(Some(at)),
        Due::Never => Step::Wait(None),
    }
}

fn export(destination: &Destination, sending: Sending) -> LocalBoxFuture<'_, Done> {
    async move {
        let result = destination.lane.export(&sending.batch).await;
        Done::Sent(sending, result)
    }
    .boxed_local()
}

fn flush(destination: &Destination, ticket: u64) -> LocalBoxFuture<'_, Done> {
    async move { Done::Flushed(ticket, destination.lane.flush().await) }.boxed_local()
}

/// Puts what the queue gave up into the dead letters.
fn bury(destination: &Destination, signal: Signal, doomed: Vec<Dead>) -> LocalBoxFuture<'_, Done> {
    async move {
        let mut buried = Vec::with_capacity(doomed.len());
        for Dead { rejection, records } in doomed {
            let result = match &destination.dead_letters {
                Some(dead_letters) => put(&**dead_letters, &destination.name, &rejection).await,
                None => Ok(()),
            };
            buried.push(Buried { kind: rejection.kind, count: records, result });
        }
        Done::Buried(signal, buried)
    }
    .boxed_local()
}

/// Keeps a rejection; a panic is a failure.
async fn put(dead_letters: &dyn DeadLetters, name: &str, rejection: &Rejection) -> Result<(), Error> {
    let put = AssertUnwindSafe(async { dead_letters.put(name, rejection).await }).catch_unwind().await;
    put.unwrap_or_else(|panic| {
        let message = format!("the dead letters panicked: {}", guard::message(&*panic));
        Err(Error::without_records(ErrorKind::Panic, message))
    })
}

/// Calls the user's function for every number that has just passed its threshold.
fn raise_alerts(destination: &Destination, alerts: &mut Alerts, notices: &mut Notices) {
    let Some(OnAlert(tell)) = &destination.on_alert else { return };
    let depth = {
        let state = destination.state();
        alerts.set(state.config.alert_thresholds);
        state.items()
    };
    for alert in alerts.look(&destination.lane.stats(), depth) {
        let alert = Alert { destination: destination.name.clone(), ..alert };
        if let Err(panic) = guard::guarded(|| tell(&alert)) {
            let message = format!("what is told of alerts panicked: {panic}");
            notices.say(&destination.name, &message, destination.clock.monotonic());
        }
    }
}

/// Tells what the lanes refused on the way in.
fn tell_refused(destination: &Destination, notices: &mut Notices) {
    for signal in Signal::ALL {
        let refused = destination.state().outboxes[signal.index()].take_refused();
        let Some(rejection) = refused else { continue };
        let receipt = Receipt { rejected: vec![rejection], ..Receipt::default() };
        let outcome = Outcome { receipt, left: Batch::empty(signal), trouble: None };
        notices.tell(&destination.name, signal, &outcome, None, destination.clock.monotonic());
        destination.state().status.took(&outcome.receipt, None);
    }
}

/// Asks the route about rows that an earlier process sealed: without any lock, since it is the user's code.
fn route(
    destination: &Destination,
    signal: Signal,
    rows: Vec<Loaded>,
    now: Duration,
) -> Vec<(Loaded, Option<Meant>)> {
    let unrouted: Vec<bool> = {
        let state = destination.state();
        rows.iter().map(|row| state.outboxes[signal.index()].is_unrouted(row.position)).collect()
    };
    let ask = |(row, unrouted): (Loaded, bool)| {
        let batch = row.batch.as_ref().ok().filter(|_| unrouted);
        let meant = batch.map(|batch| destination.pass_again(batch, now));
        (row, meant)
    };
    rows.into_iter().zip(unrouted).map(ask).collect()
}

/// Settles what came back; the operator is told without any lock, since whoever listens may ask for a report.
fn finish(destination: &Destination, notices: &mut Notices, done: Done) {
    let now = destination.clock.monotonic();
    match done {
        Done::Sent(Sending { signal, batch }, result) => {
            let outcome = Outcome::of(&batch, result);
            let receipt = &outcome.receipt;
            let is_elsewhere = receipt.dead_lettered > 0 || !receipt.diverted.is_empty();
            let cause = is_elsewhere.then(|| destination.lane.last_error(signal)).flatten();
            notices.tell(&destination.name, signal, &outcome, cause.as_ref(), now);
            destination.state().settle(destination, signal, outcome, cause.as_ref(), now);
        }
        Done::Flushed(ticket, result) => {
            let failed = result.err().map(|error| format!("flush failed: {error}"));
            if let Some(message) = &failed {
                notices.say(&destination.name, message, now);
            }
            let mut state = destination.state();
            state.flush.done = state.flush.done.max(ticket);
            if let Some(message) = failed {
                state.flush.failed = state.flush.failed.max(ticket);
                state.status.complain(message);
            }
        }
        Done::Loaded(signal, rows) => {
            let rows = route(destination, signal, rows, now);
            let mut state = destination.state();
            if state.stage < Stage::Cut {
                state.outboxes[signal.index()].loaded(rows, now);
            }
        }
        Done::Buried(signal, buried) => {
            if let Some(error) = buried.iter().find_map(|buried| buried.result.as_ref().err()) {
                let message = format!("the dead letters did not take records: {error}");
                notices.say(&destination.name, &message, now);
                destination.state().status.complain(message);
            }
            let mut state = destination.state();
            if state.stage < Stage::Cut {
                state.outboxes[signal.index()].buried(&buried);
            }
        }
        Done::Checked(health) => {
            let mut state = destination.state();
            state.status.checked(health);
            if state.stage == Stage::Running {
                state.check_at = state.config.health_check_interval.map(|every| now.saturating_add(every));
            }
        }
    }
    destination.changed.notify_all();
}
