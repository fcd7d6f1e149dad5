//! The decorators, each alone.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Exporter, Level, Log, Receipt, Record, Timestamp};
use obs_pipeline::{Clock, Lane, Split, Timeout, Unwind};
use obs_testkit::{Scripted, Step, conformance};

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

/// Logs whose time is their number.
fn logs(count: u64) -> Batch {
    Batch::Logs((0..count).map(|at| Log::new(Timestamp::from_nanos(at), Level::Info, "m")).collect())
}

fn number(record: &Record) -> u64 {
    match record {
        Record::Log(log) => log.time.as_nanos(),
        _ => unreachable!("the batches are of logs"),
    }
}

fn split(poison: fn(&Record) -> bool) -> (Receipt, usize) {
    let exporter = Scripted::builder([]).with_poison(ErrorKind::Rejected, poison).shared();
    let split = Split::new(Arc::clone(&exporter), 256);
    let receipt: Result<Receipt, Error> = run(split.export(&logs(1_000)));
    let receipt = receipt.unwrap();
    assert_eq!(receipt.settled(), 1_000);
    (receipt, exporter.calls().exports)
}

#[test]
fn split_isolates_one_poison_of_a_thousand_within_21_requests() {
    let (receipt, requests) = split(|record| number(record) == 777);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (999, 1));
    assert_eq!(receipt.rejected[0].records, Some(logs(1_000).slice(777..778)));
    assert!(requests <= 21, "{requests}");
}

#[test]
fn split_isolates_ten_poisons_spread_over_a_thousand() {
    let (receipt, requests) = split(|record| number(record) % 100 == 3);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (990, 10));
    assert!(receipt.rejected.iter().all(|rejection| rejection.kind == ErrorKind::Rejected), "{requests}");
}

#[test]
fn split_does_not_storm_a_backend_that_refuses_everything() {
    let (receipt, requests) = split(|_| true);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1_000));
    assert!(requests <= 20, "{requests}");
    assert!(receipt.rejected.iter().any(|rejection| rejection.kind == ErrorKind::SplitBudget));
}

#[test]
fn split_cuts_the_longest_text_of_a_record_that_is_too_large() {
    let too_large = |record: &Record| match record {
        Record::Log(log) => log.message.len() > 100_000,
        _ => false,
    };
    let exporter = Scripted::builder([]).with_poison(ErrorKind::TooLarge, too_large).shared();
    let batch: Batch = Batch::Logs(
        (0..8)
            .map(|at| {
                let message = if at == 5 { "x".repeat(1 << 20) } else { "short".to_owned() };
                Log::new(Timestamp::from_nanos(at), Level::Info, message)
            })
            .collect(),
    );
    let receipt = run(Split::new(Arc::clone(&exporter), 256).export(&batch)).unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (8, 0));
    let cut = exporter.records().into_iter().filter(|record| number(record) == 5);
    assert!(cut.eq(exporter.records().into_iter().filter(|record| match record {
        Record::Log(log) => log.message.contains("truncated by obs: 1048576 bytes"),
        _ => false,
    })));
}

#[test]
fn split_passes_trouble_of_the_destination_through_with_all_that_is_left() {
    let exporter = Scripted::new([Step::refused(), Step::Deliver, Step::unavailable()]);
    let error = run(Split::new(exporter, 256).export(&logs(10))).unwrap_err();
    assert_eq!((error.kind(), error.settled().delivered), (ErrorKind::Unavailable, 5));
    assert_eq!(*error.undelivered(), logs(10).slice(5..10));
}

#[test]
fn timeout_gives_an_export_up_and_keeps_the_records() {
    let exporter = Scripted::new([Step::Hang]);
    let timeout = Timeout::new(Arc::clone(&exporter), Duration::from_mins(1), Clock::system());
    let error = run(timeout.export(&logs(3))).unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Timeout, 3));
    assert_eq!(exporter.under_way(), 0, "the future was dropped");
}

#[test]
fn unwind_turns_a_panic_into_an_error_about_the_content() {
    let error = run(Unwind::new(Scripted::new([Step::Panic])).export(&logs(3))).unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Panic, 3));
    assert!(error.kind().is_content() && error.message().contains("the script says so"), "{error}");
}

#[test]
fn every_decorator_keeps_the_contract() {
    let clock = Clock::system();
    conformance::decorator(|inner| Arc::new(Split::new(inner, 256)));
    conformance::decorator(|inner| Arc::new(Unwind::new(inner)));
    conformance::decorator(|inner| Arc::new(Timeout::new(inner, Duration::from_mins(1), clock.clone())));
    conformance::decorator(|inner| Arc::new(Lane::build(inner, &clock)));
}
