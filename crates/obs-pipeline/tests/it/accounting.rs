//! Law 1, under random faults.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{ErrorKind, Exporter, MetricForm, Retry, Signal, Timestamp};
use obs_pipeline::{Clock, Pipeline, Report, dropped};
use obs_testkit::{Fail, Scripted, Step};
use proptest::prelude::*;

use crate::make::{PATIENCE, builder, record};

#[derive(Debug, Clone)]
enum Act {
    Record(Signal, u64),
    Advance(Duration),
    Flush,
}

fn act() -> impl Strategy<Value = Act> {
    let signal = prop::sample::select(Signal::ALL.to_vec());
    prop_oneof![
        4 => (signal, 1u64..200).prop_map(|(signal, count)| Act::Record(signal, count)),
        1 => (0u64..90).prop_map(|seconds| Act::Advance(Duration::from_secs(seconds))),
        1 => Just(Act::Flush),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(vec![
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::RateLimited,
        ErrorKind::Io,
        ErrorKind::Rejected,
        ErrorKind::TooLarge,
        ErrorKind::Encode,
        ErrorKind::Auth,
    ]);
    let retry = prop::sample::select(vec![
        Retry::Never,
        Retry::Backoff,
        Retry::After(Duration::from_secs(7)),
        Retry::Hold(Duration::from_mins(1)),
    ]);
    let fail = (kind, retry, 0usize..60, 0usize..20).prop_map(|(kind, retry, delivered, rejected)| {
        Step::Fail(Fail { kind, retry, status: None, delivered, rejected })
    });
    prop_oneof![
        3 => Just(Step::Deliver),
        4 => fail,
        1 => prop::collection::vec(0usize..50, 0..4).prop_map(Step::Reject),
        1 => (0usize..50).prop_map(Step::Lose),
        1 => Just(Step::Panic),
        1 => Just(Step::Hang),
    ]
}

fn check(report: &Report, exporters: &[Arc<Scripted>]) -> Result<(), TestCaseError> {
    prop_assert!(report.is_balanced(), "{report}");
    for (destination, exporter) in report.destinations.iter().zip(exporters) {
        for (signal, terms) in destination.signals.iter().filter(|(signal, _)| in_records(exporter, *signal))
        {
            prop_assert!(terms.delivered <= exporter.delivered(signal) as u64, "{signal}: {report}");
        }
    }
    Ok(())
}

/// Whether the destination is given records one by one, so that what arrived can be counted; series are folded.
fn in_records(exporter: &Scripted, signal: Signal) -> bool {
    signal != Signal::Metrics || exporter.descriptor().metric_form() == MetricForm::Records
}

/// Destinations that want metrics in every form.
fn exporters(scripts: Vec<Vec<Step>>) -> Vec<Arc<Scripted>> {
    let forms = [MetricForm::Records, MetricForm::Delta, MetricForm::Cumulative];
    let make = |(script, form)| {
        Scripted::builder(script).with_descriptor(Scripted::DESCRIPTOR.with_metric_form(form)).shared()
    };
    scripts.into_iter().zip(forms).map(make).collect()
}

/// Lets time pass until everything is settled: what hangs runs into its timeout, what is held is probed.
fn settle(pipeline: &Pipeline, pass: impl Fn()) -> Report {
    for _ in 0..400 {
        let report = pipeline.flush(Duration::from_millis(5));
        if report.complete {
            return report;
        }
        pass();
    }
    pipeline.flush(PATIENCE)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn law_1_accounting_is_exact_under_random_faults(
        acts in prop::collection::vec(act(), 1..25),
        scripts in prop::collection::vec(prop::collection::vec(step(), 0..25), 3),
    ) {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000_000));
        let exporters = exporters(scripts);
        let mut builder = builder().clock(clock).without_redaction();
        for (at, exporter) in exporters.iter().enumerate() {
            builder = builder.to_named(format!("destination {at}"), Arc::clone(exporter));
        }
        let pipeline = builder.build().unwrap();
        let intake = pipeline.intake();
        let mut recorded = [0u64; Signal::COUNT];
        for act in acts {
            match act {
                Act::Record(signal, count) => {
                    (0..count).for_each(|at| record(&intake, signal, at));
                    recorded[signal.index()] += count;
                }
                Act::Advance(by) => hand.advance(by),
                Act::Flush => check(&pipeline.flush(Duration::from_millis(5)), &exporters)?,
            }
            check(&pipeline.report(), &exporters)?;
        }
        let report = settle(&pipeline, || hand.advance(Duration::from_secs(20)));
        check(&report, &exporters)?;
        prop_assert!(report.complete, "{report}");
        for (destination, exporter) in report.destinations.iter().zip(&exporters) {
            for (signal, terms) in destination.signals.iter() {
                prop_assert_eq!(terms.offered, recorded[signal.index()]);
                prop_assert_eq!(terms.queued, 0);
                if in_records(exporter, signal) {
                    prop_assert_eq!(terms.delivered, exporter.delivered(signal) as u64, "{}: {}", signal, report);
                }
                prop_assert_eq!(terms.dropped.total(), terms.dropped.get(dropped::EXPIRED));
            }
        }
        check(&pipeline.shutdown(PATIENCE), &exporters)?;
    }
}
