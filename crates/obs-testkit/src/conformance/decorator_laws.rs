//! The laws of a decorator.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Retry, Signal, Signals};

use super::account::assert_conserved;
use super::run_decorator;
use crate::{Calls, Fail, Scripted, Step, fixtures};

/// How many scripts the accounting law plays; each has six steps.
const SCRIPTS: u64 = 300;

/// Whatever the inner exporter does, what settled and what is left is the batch, and nothing is called delivered that
/// did not arrive.
pub fn law_1_every_record_is_accounted_for<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        for seed in 0..SCRIPTS {
            let mut random = Random(seed);
            let script: Vec<Step> = (0..6).map(|_| step(&mut random)).collect();
            let inner = Scripted::new(script.clone());
            let exporter = make(inner.clone());
            let mut delivered = 0;
            for _ in 0..4 {
                let signal = Signal::ALL[random.below(Signal::COUNT)];
                let batch = fixtures::batch(signal);
                let batch = batch.slice(0..random.below(batch.len()) + 1);
                let result = exporter.export(&batch).await;
                assert_conserved(&batch, &result);
                delivered += settled(&result).delivered;
            }
            let arrived: usize = Signal::ALL.into_iter().map(|signal| inner.delivered(signal)).sum();
            assert!(
                arrived >= delivered,
                "script {script:?}: {delivered} called delivered, {arrived} arrived"
            );
        }
    });
}

/// The decorator takes the signals that the inner exporter takes, within its limits, in the form that it wants.
pub fn law_4_the_descriptor_is_forwarded<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let logs = Signals::NONE.with(Signal::Logs);
        let started = Scripted::DESCRIPTOR.with_started().with_metric_form(obs_core::MetricForm::Delta);
        for descriptor in [Scripted::DESCRIPTOR, Scripted::DESCRIPTOR.narrowed(logs), started] {
            let exporter = make(Scripted::builder([]).with_descriptor(descriptor.clone()).shared());
            let shown = exporter.descriptor();
            assert_eq!(shown.signals(), descriptor.signals(), "the signals differ from the inner exporter's");
            assert_eq!(shown.metric_form(), descriptor.metric_form(), "the metric form differs");
            assert_eq!(
                shown.wants_started(),
                descriptor.wants_started(),
                "whether starts are wanted differs"
            );
            for signal in descriptor.signals().iter() {
                assert_within(shown, &descriptor, signal);
            }
        }
    });
}

/// `check`, `flush` and `shutdown` reach the inner exporter, and its troubles come back.
pub fn check_flush_and_shutdown_are_forwarded<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let inner = Scripted::new([]);
        let exporter = make(inner.clone());
        assert_eq!(exporter.check().await, Health::Healthy);
        inner.set_health(Health::Unhealthy("it is down".into()));
        let health = exporter.check().await;
        assert_ne!(health, Health::Healthy, "the inner exporter is unhealthy");
        assert!(exporter.flush().await.is_ok(), "flush fails with nothing to flush");
        assert!(inner.calls().flushes > 0, "flush does not reach the inner exporter");
        inner.set_flush_error(Some(ErrorKind::Io));
        let flushed = exporter.flush().await;
        assert!(flushed.is_err(), "an error of the inner exporter's flush is swallowed");
        inner.set_flush_error(None);
        for nth in ["first", "second"] {
            assert!(exporter.shutdown().await.is_ok(), "the {nth} shutdown fails");
        }
        assert!(inner.is_closed(), "shutdown does not reach the inner exporter");
    });
}

/// After `shutdown`, an export is refused as `Closed` with all of its records.
pub fn an_export_after_shutdown_is_refused<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let inner = Scripted::new([]);
        let exporter = make(inner.clone());
        assert!(exporter.shutdown().await.is_ok(), "shutdown fails");
        let batch = fixtures::batch(Signal::Logs);
        refused(&*exporter, &batch, ErrorKind::Closed).await;
        assert_eq!(inner.delivered(Signal::Logs), 0, "records were delivered after shutdown");
    });
}

/// A signal that the inner exporter does not take is refused as `Unsupported` with all of its records.
pub fn an_unsupported_signal_is_refused<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let logs = Scripted::DESCRIPTOR.narrowed(Signals::NONE.with(Signal::Logs));
        let inner = Scripted::builder([]).with_descriptor(logs).shared();
        let exporter = make(inner.clone());
        for signal in Signal::ALL.into_iter().filter(|signal| *signal != Signal::Logs) {
            refused(&*exporter, &fixtures::batch(signal), ErrorKind::Unsupported).await;
        }
        let batch = fixtures::batch(Signal::Logs);
        let result = exporter.export(&batch).await;
        assert_eq!(settled(&result).delivered, batch.len(), "what is supported does not pass afterwards");
    });
}

/// An empty batch succeeds and settles nothing, also while the inner exporter fails.
pub fn an_empty_batch_settles_nothing<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let inner = Scripted::builder([]).and_then(Step::unavailable()).shared();
        let exporter = make(inner);
        for signal in Signal::ALL {
            match exporter.export(&Batch::empty(signal)).await {
                Ok(receipt) => {
                    assert_eq!(receipt, Receipt::default(), "{signal}: an empty batch settled something");
                }
                Err(error) => panic!("{signal}: an empty batch failed: {error:?}"),
            }
        }
    });
}

/// Nothing reaches the inner exporter while nobody asks for anything, however long that is.
pub fn nothing_is_called_while_idle<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let inner = Scripted::new([]);
        let exporter = make(inner.clone());
        tokio::time::sleep(Duration::from_hours(2)).await;
        assert_eq!(inner.calls(), Calls::default(), "the inner exporter was called though nobody asked");
        let batch = fixtures::batch(Signal::Logs);
        let result = exporter.export(&batch).await;
        assert_eq!(
            settled(&result).settled(),
            batch.len(),
            "it does not deliver after it was idle: {result:?}"
        );
    });
}

/// An export whose future is dropped while the inner exporter hangs leaves nothing under way, and the next one passes.
pub fn a_dropped_export_leaves_it_usable<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        for polls in 0..6 {
            let inner = Scripted::new([Step::Hang]);
            let exporter = make(inner.clone());
            let batch = fixtures::batch(Signal::Scores);
            {
                let mut export = pin!(exporter.export(&batch));
                for _ in 0..polls {
                    let polled =
                        std::future::poll_fn(|context| Poll::Ready(export.as_mut().poll(context))).await;
                    assert!(polled.is_pending(), "it answered though the inner exporter hangs: {polled:?}");
                }
            }
            assert_eq!(
                inner.under_way(),
                0,
                "the inner exporter is still at work after the future was dropped"
            );
            inner.release();
            if polls == 0 {
                continue;
            }
            let result = exporter.export(&batch).await;
            assert_conserved(&batch, &result);
            assert_eq!(settled(&result).delivered, batch.len(), "the next export does not pass: {result:?}");
        }
    });
}

/// A panic of the inner exporter is passed on or accounted for, and the next export passes.
pub fn a_panic_leaves_it_usable<M: Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>>(make: &M) {
    run_decorator(async {
        let inner = Scripted::new([Step::Panic]);
        let exporter = make(inner.clone());
        let batch = fixtures::batch(Signal::Feedback);
        let (panicking, given) = (Arc::clone(&exporter), batch.clone());
        if let Ok(result) = tokio::spawn(async move { panicking.export(&given).await }).await {
            assert_conserved(&batch, &result);
        }
        let result = exporter.export(&batch).await;
        assert_eq!(settled(&result).delivered, batch.len(), "the next export does not pass: {result:?}");
    });
}

async fn refused(exporter: &dyn Exporter, batch: &Batch, kind: ErrorKind) {
    let result = exporter.export(batch).await;
    assert_conserved(batch, &result);
    match result {
        Ok(receipt) => panic!("{} were taken, not refused as {kind}: {receipt:?}", batch.signal()),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{error:?}");
            assert_eq!(error.undelivered().len(), batch.len(), "some of it settled: {error:?}");
        }
    }
}

fn settled(result: &Result<Receipt, Error>) -> &Receipt {
    match result {
        Ok(receipt) => receipt,
        Err(error) => error.settled(),
    }
}

fn assert_within(shown: &Descriptor, inner: &Descriptor, signal: Signal) {
    let (shown, inner) = (shown.limits(signal), inner.limits(signal));
    let within = shown.items <= inner.items && shown.bytes <= inner.bytes;
    assert!(within, "{signal}: limits {shown:?} are wider than the inner exporter's {inner:?}");
}

/// Any step that ends by itself.
fn step(random: &mut Random) -> Step {
    const KINDS: [(ErrorKind, Retry, Option<u16>); 7] = [
        (ErrorKind::Unavailable, Retry::Backoff, Some(503)),
        (ErrorKind::Timeout, Retry::Backoff, None),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(2)), Some(429)),
        (ErrorKind::Auth, Retry::Hold(Duration::from_mins(1)), Some(401)),
        (ErrorKind::Rejected, Retry::Never, Some(400)),
        (ErrorKind::TooLarge, Retry::Never, Some(413)),
        (ErrorKind::Io, Retry::Backoff, None),
    ];
    match random.below(8) {
        0 => Step::Queue,
        1 => Step::Reject(vec![0, random.below(5), 999]),
        2 => Step::Lose(random.below(4)),
        3..6 => {
            let (kind, retry, status) = KINDS[random.below(KINDS.len())];
            Step::Fail(Fail { kind, retry, status, delivered: random.below(4), rejected: random.below(3) })
        }
        _ => Step::Deliver,
    }
}

/// A small generator, so that every run plays the same scripts (SplitMix64).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}
