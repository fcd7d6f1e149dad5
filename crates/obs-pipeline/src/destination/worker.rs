//! The thread of a destination: every call into its exporter happens here.

use std::sync::Arc;
use std::thread;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use obs_core::{Batch, Error, ErrorKind, Health, Receipt, Signal};
use tokio::runtime::{Builder, Runtime};

use super::notice::Notices;
use super::outbox::Due;
use super::{Destination, Sending, Stage};
use crate::guard;
use crate::outcome::Outcome;
use crate::suppress::suppress_this_thread;

/// Starts the thread.
///
/// # Errors
/// [`ErrorKind::Io`] where the system refuses a thread or a runtime.
pub(crate) fn spawn(destination: &Arc<Destination>) -> Result<(), Error> {
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
    let name = format!("obs-{}", destination.name);
    thread::Builder::new().name(name).spawn(move || run(&worker, runtime)).map_err(refused)?;
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
    state.health = panic.map_or(state.health.clone(), |message| Health::Unhealthy(message.into()));
    state.advance(Stage::Done, &destination.intake);
    drop(state);
    destination.changed.notify_all();
    runtime.shutdown_background();
}

/// What is on its way comes back as one of these.
enum Done {
    Sent(Sending, Result<Receipt, Error>),
    Flushed(u64, Result<(), Error>),
}

type Calls<'d> = FuturesUnordered<LocalBoxFuture<'d, Done>>;

async fn work(destination: &Destination, notices: &mut Notices) {
    let mut calls: Calls<'_> = FuturesUnordered::new();
    loop {
        let woken = destination.wake.notified();
        let until = match begin(destination, &mut calls) {
            Step::Wait(until) => until,
            Step::End => break,
        };
        tell_refused(destination, notices);
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
    if let Err(error) = destination.exporter.shutdown().await {
        let message = format!("shutdown failed: {error}");
        notices.say(&destination.name, &message, destination.clock.monotonic());
        let mut state = destination.state();
        state.unclean = true;
        state.health = Health::Degraded(message.into());
    }
}

enum Step {
    /// Until something happens, or the clock reads this.
    Wait(Option<std::time::Duration>),
    End,
}

/// Puts everything on its way that is due.
fn begin<'d>(destination: &'d Destination, calls: &mut Calls<'d>) -> Step {
    let now = destination.clock.monotonic();
    let mut state = destination.state();
    for outbox in &mut state.outboxes {
        outbox.expire(now, destination.intake.bytes());
    }
    state.unblock(destination.queue_bytes, &destination.intake);
    for signal in Signal::ALL {
        if state.due(signal.index(), now) == Due::Now
            && let Some(batch) = state.outboxes[signal.index()].send(destination.clock.at(now))
        {
            state.hold.sent();
            calls.push(export(destination, Sending { signal, batch }));
        }
    }
    while let Some(ticket) = state.flush_left() {
        calls.push(flush(destination, ticket));
    }
    let drained = state.stage == Stage::Draining && state.is_empty() && calls.is_empty();
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
        let result = destination.exporter.export(&sending.batch).await;
        Done::Sent(sending, result)
    }
    .boxed_local()
}

fn flush(destination: &Destination, ticket: u64) -> LocalBoxFuture<'_, Done> {
    async move { Done::Flushed(ticket, destination.exporter.flush().await) }.boxed_local()
}

/// Tells what the lanes refused on the way in.
fn tell_refused(destination: &Destination, notices: &mut Notices) {
    for signal in Signal::ALL {
        let refused = destination.state().outboxes[signal.index()].take_refused();
        let Some(rejection) = refused else { continue };
        let receipt = Receipt { rejected: vec![rejection], ..Receipt::default() };
        let outcome = Outcome { receipt, left: Batch::empty(signal), trouble: None };
        notices.tell(&destination.name, signal, &outcome, destination.clock.monotonic());
        destination.state().health = super::health(&outcome);
    }
}

/// Settles what came back; the operator is told without any lock, since whoever listens may ask for a report.
fn finish(destination: &Destination, notices: &mut Notices, done: Done) {
    let now = destination.clock.monotonic();
    match done {
        Done::Sent(Sending { signal, batch }, result) => {
            let outcome = Outcome::of(&batch, result);
            notices.tell(&destination.name, signal, &outcome, now);
            destination.state().settle(destination, signal, outcome, now);
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
                state.health = Health::Degraded(message.into());
            }
        }
    }
    destination.changed.notify_all();
}
