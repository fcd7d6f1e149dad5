//! The thread of a destination: every call into its exporter happens here.

use std::sync::Arc;
use std::thread;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use obs_core::{Error, ErrorKind, Health, Receipt, Signal};
use tokio::runtime::{Builder, Runtime};

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
    let ended = guard::guarded(|| runtime.block_on(work(destination)));
    let mut state = destination.state();
    if let Err(panic) = ended {
        let message = format!("the destination's thread panicked and delivers no more: {panic}");
        state.notices.say(&destination.name, &message, destination.clock.monotonic());
        state.health = Health::Unhealthy(message.into());
    }
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

async fn work(destination: &Destination) {
    let mut calls: Calls<'_> = FuturesUnordered::new();
    let mut flushing = 0;
    loop {
        let woken = destination.wake.notified();
        let until = match begin(destination, &mut calls, &mut flushing) {
            Step::Wait(until) => until,
            Step::End => break,
        };
        let timer = async {
            match until {
                Some(until) => destination.clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = woken => {}
            Some(done) = calls.next(), if !calls.is_empty() => finish(destination, done),
            () = timer => {}
        }
    }
    drop(calls);
    if let Err(error) = destination.exporter.shutdown().await {
        let message = format!("shutdown failed: {error}");
        destination.state().notices.say(&destination.name, &message, destination.clock.monotonic());
    }
}

enum Step {
    /// Until something happens, or the clock reads this.
    Wait(Option<std::time::Duration>),
    End,
}

/// Puts everything on its way that is due.
fn begin<'d>(destination: &'d Destination, calls: &mut Calls<'d>, flushing: &mut u64) -> Step {
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
    let ticket = state.flush.wanted;
    if ticket > *flushing && state.is_flushed() {
        *flushing = ticket;
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

fn finish(destination: &Destination, done: Done) {
    let now = destination.clock.monotonic();
    let mut state = destination.state();
    match done {
        Done::Sent(sending, result) => {
            let outcome = Outcome::of(&sending.batch, result);
            state.settle(destination, sending.signal, outcome, now);
        }
        Done::Flushed(ticket, result) => {
            state.flush.done = ticket;
            if let Err(error) = result {
                state.flush.failed = ticket;
                state.health = Health::Degraded(format!("flush failed: {error}").into());
                state.notices.say(&destination.name, &format!("flush failed: {error}"), now);
            }
        }
    }
    drop(state);
    destination.changed.notify_all();
}
