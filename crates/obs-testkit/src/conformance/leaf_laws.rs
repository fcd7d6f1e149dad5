//! The laws of a leaf.

use std::error::Error as _;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use obs_core::{Batch, Error, ErrorKind, Exporter, Health, Signal, Support};
use tokio::sync::Barrier;

use super::account::assert_conserved;
use super::{Harness, Observed, Setup, export_and_account, input, run_leaf};
use crate::fixtures;

const SETUPS: [Setup; 2] = [Setup::Defaults, Setup::Everything];

/// Every signal that the descriptor has arrives, as often as the receipt says; with everything on, that is every signal
/// of the type.
pub fn law_4_every_flag_reaches_the_backend<H: Harness>() {
    run_leaf(async {
        for setup in SETUPS {
            let harness = H::start(setup).await;
            let exporter = harness.exporter();
            for signal in exporter.descriptor().signals().iter() {
                let what = format!("{signal} with {setup:?}");
                let before = harness.observe().await;
                let outcome = send(&*exporter, &fixtures::batch(signal)).await;
                outcome.assert_settled(&what);
                let delivered = outcome.settled.delivered + outcome.settled.queued;
                assert!(delivered > 0, "{what}: the flag is set, and nothing was delivered");
                flushed(&*exporter).await;
                let after = harness.observe().await;
                let arrived = after.of(signal) - before.of(signal);
                assert_eq!(
                    arrived, delivered,
                    "{what}: {delivered} reported as delivered, {arrived} arrived"
                );
                assert_only(signal, &before, &after, &what);
            }
        }
    });
}

/// A signal that the descriptor does not have is refused as `Unsupported`, and the destination is not touched.
pub fn law_4_no_flag_no_request<H: Harness>() {
    run_leaf(async {
        for setup in SETUPS {
            let harness = H::start(setup).await;
            let exporter = harness.exporter();
            let untouched = harness.observe().await;
            let taken = exporter.descriptor().signals();
            for signal in Signal::ALL.into_iter().filter(|signal| !taken.contains(*signal)) {
                let batch = fixtures::batch(signal);
                let error = failed(&*exporter, &batch, &format!("{signal} is not supported")).await;
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{signal} with {setup:?}: {error}");
                assert_eq!(error.undelivered().len(), batch.len(), "{signal}: some of it settled");
            }
            flushed(&*exporter).await;
            assert_eq!(
                harness.observe().await.writes,
                untouched.writes,
                "{setup:?}: the destination was touched"
            );
        }
    });
}

/// The descriptor of an instance is that of its type with nothing added; defaults only lack what needs configuration.
pub fn law_4_an_instance_only_narrows_its_type<H: Harness>() {
    run_leaf(async {
        let of_type = H::descriptor();
        for setup in SETUPS {
            let exporter = H::start(setup).await.exporter();
            let of_instance = exporter.descriptor();
            assert_eq!(of_instance.kind(), of_type.kind(), "{setup:?}: the kind differs");
            assert_eq!(
                of_instance.metric_form(),
                of_type.metric_form(),
                "{setup:?}: the metric form differs"
            );
            for signal in Signal::ALL {
                let (instance, whole) = (of_instance.support(signal), of_type.support(signal));
                let needs_nothing = matches!(whole, Support::Native | Support::As(_));
                let may_lack = setup == Setup::Defaults && !needs_nothing;
                let agrees = instance == whole || (may_lack && instance == Support::No);
                assert!(
                    agrees,
                    "{signal} with {setup:?}: the type says {whole:?}, the instance {instance:?}"
                );
                let (instance, whole) = (of_instance.limits(signal), of_type.limits(signal));
                let within = instance.items <= whole.items && instance.bytes <= whole.bytes;
                assert!(within, "{signal} with {setup:?}: limits {instance:?} are wider than {whole:?}");
            }
        }
    });
}

/// Every fixture, nasty ones too, comes to exactly its records, and as many arrive as are reported delivered.
pub fn law_1_every_record_is_accounted_for<H: Harness>() {
    run_leaf(async {
        for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
            let harness = H::start(Setup::Everything).await;
            let (exporter, signal) = (harness.exporter(), batch.signal());
            if !exporter.descriptor().signals().contains(signal) {
                continue;
            }
            let outcome = send(&*exporter, &batch).await;
            flushed(&*exporter).await;
            let arrived = harness.observe().await.of(signal);
            let delivered = outcome.settled.delivered + outcome.settled.queued;
            assert_eq!(
                arrived, delivered,
                "{signal}: {delivered} reported as delivered, {arrived} arrived: {outcome:?}"
            );
        }
    });
}

/// An empty batch is delivered, and the destination is not touched.
pub fn an_empty_batch_is_delivered_without_a_request<H: Harness>() {
    run_leaf(async {
        let harness = H::start(Setup::Everything).await;
        let exporter = harness.exporter();
        let untouched = harness.observe().await;
        for signal in exporter.descriptor().signals().iter() {
            match exporter.export(&Batch::empty(signal)).await {
                Ok(receipt) => assert_eq!(receipt.settled(), 0, "{signal}: an empty batch settled records"),
                Err(error) => panic!("{signal}: an empty batch failed: {error:?}"),
            }
        }
        flushed(&*exporter).await;
        assert_eq!(
            harness.observe().await.writes,
            untouched.writes,
            "an empty batch touched the destination"
        );
    });
}

/// `shutdown` can be called again; what was exported before is there, and what comes after is refused as `Closed`.
pub fn shutdown_twice_is_fine_and_closes<H: Harness>() {
    run_leaf(async {
        let harness = H::start(Setup::Everything).await;
        let exporter = harness.exporter();
        let mut delivered = 0;
        for signal in exporter.descriptor().signals().iter() {
            let settled = send(&*exporter, &fixtures::batch(signal)).await.settled;
            delivered += settled.delivered + settled.queued;
        }
        for nth in ["first", "second"] {
            if let Err(error) = exporter.shutdown().await {
                panic!("the {nth} shutdown failed: {error:?}");
            }
        }
        let at_the_end = harness.observe().await;
        assert_eq!(at_the_end.total(), delivered, "not all that was delivered is there after shutdown");
        for signal in exporter.descriptor().signals().iter() {
            let batch = fixtures::batch(signal);
            let error = failed(&*exporter, &batch, "it was shut down").await;
            assert_eq!(error.kind(), ErrorKind::Closed, "{signal}: {error}");
            assert_eq!(error.undelivered().len(), batch.len(), "{signal}: some settled after shutdown");
        }
        assert!(
            exporter.flush().await.is_ok(),
            "flush fails after shutdown, though nothing is left to flush"
        );
        assert_eq!(harness.observe().await.writes, at_the_end.writes, "it wrote after shutdown");
    });
}

/// Eight exports at once of every signal are all accounted for.
pub fn overlapping_exports_are_all_accounted_for<H: Harness>() {
    run_leaf(async {
        let harness = H::start(Setup::Everything).await;
        let exporter = harness.exporter();
        for signal in exporter.descriptor().signals().iter() {
            let start = Arc::new(Barrier::new(8));
            let exports: Vec<_> = (0..8)
                .map(|_| {
                    let (exporter, start) = (Arc::clone(&exporter), Arc::clone(&start));
                    tokio::spawn(async move {
                        start.wait().await;
                        send(&*exporter, &fixtures::batch(signal)).await.settled
                    })
                })
                .collect();
            let mut delivered = 0;
            for export in exports {
                match export.await {
                    Ok(settled) => delivered += settled.delivered + settled.queued,
                    Err(error) => panic!("{signal}: one of several exports at once panicked: {error}"),
                }
            }
            flushed(&*exporter).await;
            let arrived = harness.observe().await.of(signal);
            assert_eq!(arrived, delivered, "{signal}: {delivered} reported as delivered, {arrived} arrived");
        }
    });
}

/// `flush` succeeds with nothing to do, and after it all that was taken over is at the destination.
pub fn flush_returns_when_all_is_there<H: Harness>() {
    run_leaf(async {
        let harness = H::start(Setup::Everything).await;
        let exporter = harness.exporter();
        flushed(&*exporter).await;
        assert_eq!(harness.observe().await.total(), 0, "records arrived before any were exported");
        let mut taken = 0;
        for signal in exporter.descriptor().signals().iter() {
            let settled = send(&*exporter, &fixtures::batch(signal)).await.settled;
            taken += settled.delivered + settled.queued;
        }
        flushed(&*exporter).await;
        assert_eq!(harness.observe().await.total(), taken, "not all is there after flush");
    });
}

/// An export whose future is dropped at any await leaves the exporter usable.
pub fn a_dropped_export_leaves_it_usable<H: Harness>() {
    run_leaf(async {
        let harness = H::start(Setup::Everything).await;
        let exporter = harness.exporter();
        for signal in exporter.descriptor().signals().iter() {
            let batch = input(&fixtures::batch(signal), exporter.descriptor());
            for polls in 0..8 {
                let mut export = pin!(exporter.export(&batch));
                for _ in 0..polls {
                    let polled =
                        std::future::poll_fn(|context| Poll::Ready(export.as_mut().poll(context))).await;
                    if polled.is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let outcome = send(&*exporter, &batch).await;
            outcome.assert_settled(&format!("{signal} after dropped exports"));
            let delivered = outcome.settled.delivered + outcome.settled.queued;
            flushed(&*exporter).await;
            let arrived = harness.observe().await.of(signal);
            assert!(arrived >= delivered, "{signal}: {delivered} reported as delivered, {arrived} arrived");
        }
    });
}

/// `check` calls a destination healthy that takes data.
pub fn a_working_destination_is_healthy<H: Harness>() {
    run_leaf(async {
        for setup in SETUPS {
            let harness = H::start(setup).await;
            let health = harness.exporter().check().await;
            assert_eq!(health, Health::Healthy, "with {setup:?}");
            assert_eq!(harness.observe().await.total(), 0, "checking delivered records");
        }
    });
}

/// No credential stands in `Debug`, in an error, in what `check` says, or in what is written as data.
pub fn law_6_no_secret_is_told<H: Harness>() {
    run_leaf(async {
        for setup in SETUPS {
            let harness = H::start(setup).await;
            let (exporter, secrets) = (harness.exporter(), harness.secrets());
            for secret in &secrets {
                assert!(secret.len() >= 8, "a secret of the harness is too short to be looked for");
            }
            let mut said =
                vec![format!("{exporter:?} {exporter:#?}"), format!("{:?}", exporter.check().await)];
            for batch in fixtures::all() {
                let piece = batch.slice(0..batch.len().min(3));
                if let Err(error) = exporter.export(&piece).await {
                    said.push(told(&error));
                }
            }
            let observed = harness.observe().await;
            said.push(String::from_utf8_lossy(&observed.bytes).into_owned());
            for step in [exporter.flush().await, exporter.shutdown().await] {
                said.extend(step.err().map(|error| told(&error)));
            }
            let closed = failed(&*exporter, &fixtures::batch(Signal::Logs), "it was shut down").await;
            said.push(told(&closed));
            said.push(format!("{exporter:?}"));
            let leaked = secrets
                .iter()
                .filter(|secret| said.iter().any(|said| said.contains(secret.as_str())))
                .count();
            assert_eq!(leaked, 0, "{leaked} of {} secrets are told with {setup:?}", secrets.len());
        }
    });
}

/// An option that the configuration does not know is refused by name, and a misspelt one with the right name.
pub fn an_unknown_option_is_refused_with_the_nearest_name<H: Harness>() {
    if let Some(config) = H::config() {
        config.assert_strict();
    }
}

/// Exports a fixture as the pipeline would hand it over, held to conservation.
async fn send(exporter: &dyn Exporter, batch: &Batch) -> super::Outcome {
    export_and_account(exporter, &input(batch, exporter.descriptor())).await
}

async fn flushed(exporter: &dyn Exporter) {
    if let Err(error) = exporter.flush().await {
        panic!("flush failed: {error:?}");
    }
}

/// The error of an export that must fail.
async fn failed(exporter: &dyn Exporter, batch: &Batch, why: &str) -> Error {
    let result = exporter.export(batch).await;
    assert_conserved(batch, &result);
    match result {
        Ok(receipt) => panic!("{} were taken, though {why}: {receipt:?}", batch.signal()),
        Err(error) => error,
    }
}

/// Only records of the signal arrived in between.
fn assert_only(signal: Signal, before: &Observed, after: &Observed, what: &str) {
    for other in Signal::ALL.into_iter().filter(|other| *other != signal) {
        assert_eq!(after.of(other), before.of(other), "{what}: {other} arrived besides");
    }
}

/// All that an error says, with its sources.
fn told(error: &Error) -> String {
    let mut said = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(said, " {cause} {cause:?}");
        source = cause.source();
    }
    said
}
