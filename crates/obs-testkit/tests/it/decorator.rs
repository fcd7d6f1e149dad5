//! The suite of decorators passes one that forwards, and catches each that does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Diverted, Error, ErrorKind, Exporter, Health, Receipt, Rejection, Retry, Signal,
    Signals,
};
use obs_testkit::conformance::{assert_conserved, decorator};
use obs_testkit::fixtures;

use crate::broken;

/// A way to break the contract.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    SwallowsErrors,
    HidesSignals,
    AlwaysHealthy,
    NeverFlushes,
    NeverCloses,
    NamesItClosed,
    RetriesEmpty,
    CallsWhileIdle,
    StaysBusyWhenDropped,
    StaysBusyAfterPanic,
}

#[derive(Debug)]
struct Wrapper {
    flaw: Flaw,
    inner: Arc<dyn Exporter>,
    descriptor: Descriptor,
    busy: AtomicBool,
}

#[async_trait]
impl Exporter for Wrapper {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let busy = self.busy.swap(true, Ordering::SeqCst);
        let marks = matches!(self.flaw, Flaw::StaysBusyWhenDropped | Flaw::StaysBusyAfterPanic);
        if busy && marks {
            return Err(Error::new(ErrorKind::Io, Retry::Backoff, "busy", batch.clone()));
        }
        let result = self.inner.export(batch).await;
        self.busy.store(false, Ordering::SeqCst);
        match (self.flaw, result) {
            (Flaw::SwallowsErrors, Err(error)) => Ok(error.take_settled().0),
            (Flaw::NamesItClosed, Err(error)) => {
                Err(Error::new(ErrorKind::Closed, Retry::Never, "closed", error.undelivered().clone()))
            }
            (Flaw::RetriesEmpty, Ok(_)) if batch.is_empty() => Ok(Receipt::delivered(1)),
            (_, result) => result,
        }
    }

    async fn check(&self) -> Health {
        if self.flaw == Flaw::AlwaysHealthy { Health::Healthy } else { self.inner.check().await }
    }

    async fn flush(&self) -> Result<(), Error> {
        if self.flaw == Flaw::NeverFlushes { Ok(()) } else { self.inner.flush().await }
    }

    async fn shutdown(&self) -> Result<(), Error> {
        if self.flaw == Flaw::NeverCloses { Ok(()) } else { self.inner.shutdown().await }
    }
}

fn wrap(flaw: Flaw) -> impl Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter> {
    move |inner| {
        let mut descriptor = inner.descriptor().clone();
        if flaw == Flaw::HidesSignals {
            descriptor = descriptor.narrowed(Signals::ALL.without(Signal::Scores));
        }
        if flaw == Flaw::CallsWhileIdle {
            let inner = Arc::clone(&inner);
            tokio::spawn(async move { inner.check().await });
        }
        Arc::new(Wrapper { flaw, inner, descriptor, busy: AtomicBool::new(false) })
    }
}

mod forwarding {
    obs_testkit::decorator_conformance!(super::wrap(super::Flaw::None));
}

#[test]
fn one_call_runs_them_all() {
    decorator(wrap(Flaw::None));
    let message = broken(|| decorator(wrap(Flaw::SwallowsErrors))).unwrap();
    assert!(message.contains("accounted for"), "{message}");
}

#[test]
fn each_flaw_is_caught() {
    macro_rules! caught {
        ($($law:ident, $flaw:ident, $reason:literal;)*) => {
            $(
                let message = broken(|| decorator::$law(&wrap(Flaw::$flaw)));
                let message = message.unwrap_or_else(|| panic!(concat!(stringify!($flaw), " passes")));
                assert!(message.contains($reason), "{message}");
            )*
        };
    }
    caught! {
        law_1_every_record_is_accounted_for, SwallowsErrors, "accounted for";
        law_4_the_descriptor_is_forwarded, HidesSignals, "the signals differ";
        check_flush_and_shutdown_are_forwarded, AlwaysHealthy, "unhealthy";
        check_flush_and_shutdown_are_forwarded, NeverFlushes, "flush does not reach";
        check_flush_and_shutdown_are_forwarded, NeverCloses, "shutdown does not reach";
        an_export_after_shutdown_is_refused, NeverCloses, "not refused as closed";
        an_unsupported_signal_is_refused, NamesItClosed, "closed";
        an_empty_batch_settles_nothing, RetriesEmpty, "settled something";
        nothing_is_called_while_idle, CallsWhileIdle, "though nobody asked";
        a_dropped_export_leaves_it_usable, StaysBusyWhenDropped, "does not pass";
        a_panic_leaves_it_usable, StaysBusyAfterPanic, "does not pass";
    }
}

#[test]
fn records_that_another_destination_rejected_are_held_to_the_batch() {
    let batch = fixtures::batch(Signal::Logs);
    let rejected = |records: Batch| {
        let rejected = vec![Rejection::of(records, ErrorKind::Rejected, "no")];
        let receipt = Receipt { rejected, ..Receipt::default() };
        let diverted = vec![Diverted { to: "other".into(), receipt }];
        Ok(Receipt { diverted, ..Receipt::delivered(batch.len() - 1) })
    };
    assert_conserved(&batch, &rejected(batch.slice(0..1)));
    let foreign = fixtures::nasty(Signal::Logs).slice(0..1);
    let message = broken(|| assert_conserved(&batch, &rejected(foreign))).unwrap();
    assert!(message.contains("a record came back that was not given"), "{message}");
}
