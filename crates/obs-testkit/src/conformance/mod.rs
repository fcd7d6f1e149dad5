//! Suites that hold an exporter to the contract of [`obs_core::Exporter`].
//!
//! For a leaf, implement [`Harness`] and write `obs_testkit::conformance!(MyHarness);` in a test module: every law of
//! [`leaf`] becomes one test.
//! For a decorator, write `obs_testkit::decorator_conformance!(make);` with a function that wraps an exporter, or call
//! [`decorator()`](fn@decorator) in a test.
//!
//! The suites bring their own runtime, so call them from plain `#[test]` functions.

mod account;
mod config;
mod decorator_laws;
mod harness;
mod input;
mod leaf_laws;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use obs_core::Exporter;

pub use account::{Outcome, assert_conserved, export_and_account};
pub use config::ConfigCheck;
pub use harness::{Harness, Observed, Setup};
pub use input::{cut, input};

/// The laws of a leaf, each as a function that panics where it is broken.
pub mod leaf {
    pub use super::leaf_laws::*;
}

/// The laws of a decorator, each as a function that panics where it is broken.
pub mod decorator {
    pub use super::decorator_laws::*;
}

/// How long a law may take before the exporter counts as hung.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs all laws of a decorator that forwards to one exporter.
///
/// `make` wraps the exporter it is given with a configuration under which every record passes.
/// Time is paused and runs ahead while nothing else does, so that decorators with delays take none.
///
/// # Panics
/// Where a law is broken, with the law and what was seen.
pub fn decorator(make: impl Fn(Arc<dyn Exporter>) -> Arc<dyn Exporter>) {
    decorator::law_1_every_record_is_accounted_for(&make);
    decorator::law_4_the_descriptor_is_forwarded(&make);
    decorator::check_flush_and_shutdown_are_forwarded(&make);
    decorator::an_export_after_shutdown_is_refused(&make);
    decorator::an_unsupported_signal_is_refused(&make);
    decorator::an_empty_batch_settles_nothing(&make);
    decorator::nothing_is_called_while_idle(&make);
    decorator::a_dropped_export_leaves_it_usable(&make);
    decorator::a_panic_leaves_it_usable(&make);
}

/// Runs a leaf's law on a runtime of two threads, in real time.
fn run_leaf<F: Future>(law: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    bounded(runtime, law)
}

/// Runs a decorator's law on one thread, in paused time.
fn run_decorator<F: Future>(law: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(law),
        Err(error) => panic!("no runtime for the suite: {error}"),
    }
}

fn bounded<F: Future>(runtime: std::io::Result<tokio::runtime::Runtime>, law: F) -> F::Output {
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for the suite: {error}"));
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, law).await });
    outcome.unwrap_or_else(|_| panic!("the exporter did not answer within {PATIENCE:?}"))
}

/// One test for each law of a leaf; takes the type of a [`conformance::Harness`](crate::conformance::Harness).
#[macro_export]
macro_rules! conformance {
    ($harness:ty) => {
        $crate::conformance! { @tests $harness:
            law_4_every_flag_reaches_the_backend
            law_4_no_flag_no_request
            law_4_an_instance_only_narrows_its_type
            law_1_every_record_is_accounted_for
            an_empty_batch_is_delivered_without_a_request
            shutdown_twice_is_fine_and_closes
            overlapping_exports_are_all_accounted_for
            flush_returns_when_all_is_there
            a_dropped_export_leaves_it_usable
            a_working_destination_is_healthy
            law_6_no_secret_is_told
            an_unknown_option_is_refused_with_the_nearest_name
        }
    };
    (@tests $harness:ty: $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $crate::conformance::leaf::$law::<$harness>();
            }
        )*
    };
}

/// One test for each law of a decorator; takes a function from an exporter to the decorated one.
#[macro_export]
macro_rules! decorator_conformance {
    ($make:expr) => {
        $crate::decorator_conformance! { @tests $make,
            law_1_every_record_is_accounted_for
            law_4_the_descriptor_is_forwarded
            check_flush_and_shutdown_are_forwarded
            an_export_after_shutdown_is_refused
            an_unsupported_signal_is_refused
            an_empty_batch_settles_nothing
            nothing_is_called_while_idle
            a_dropped_export_leaves_it_usable
            a_panic_leaves_it_usable
        }
    };
    (@tests $make:expr, $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $crate::conformance::decorator::$law(&$make);
            }
        )*
    };
}
