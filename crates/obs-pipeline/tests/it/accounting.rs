//! Law 1, under random faults in every layer.

use std::sync::Arc;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{ErrorKind, Exporter, MetricForm, Retry, Signal, Timestamp};
use obs_pipeline::{Clock, DestinationSpec, LaneConfig, Pipeline, Report, dropped};
use obs_testkit::{Fail, Scripted, Step};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::coverage::{Coverage, Layer, Watched, WatchedLetters};
use crate::holding::Keeper;
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

/// What an exporter may report, each with the advice that comes with it, and without.
fn fail() -> impl Strategy<Value = Step> {
    let kinds = [
        ErrorKind::Config,
        ErrorKind::Encode,
        ErrorKind::Auth,
        ErrorKind::RateLimited,
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::Rejected,
        ErrorKind::TooLarge,
        ErrorKind::Unsupported,
        ErrorKind::UnresolvableTarget,
        ErrorKind::Closed,
        ErrorKind::Io,
    ];
    let retries = [
        Retry::Never,
        Retry::Backoff,
        Retry::After(Duration::from_secs(7)),
        Retry::Hold(Duration::from_mins(1)),
        Retry::Hold(Duration::from_mins(1)),
    ];
    let (kind, retry) = (prop::sample::select(kinds.to_vec()), prop::sample::select(retries.to_vec()));
    (kind, retry, 0usize..60, 0usize..20).prop_map(|(kind, retry, delivered, rejected)| {
        Step::Fail(Fail { kind, retry, status: None, delivered, rejected })
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Deliver),
        6 => fail(),
        1 => prop::collection::vec(0usize..50, 0..4).prop_map(Step::Reject),
        1 => (0usize..50).prop_map(Step::Lose),
        1 => Just(Step::Panic),
        1 => Just(Step::Hang),
    ]
}

/// Steps one after the other; now and then a backend that refuses everything for a while.
fn script(steps: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    let refusing = Just(vec![Step::refused(); 18]);
    let run = prop_oneof![12 => steps.prop_map(|step| vec![step]), 1 => refusing];
    prop::collection::vec(run, 0..25).prop_map(|runs| runs.concat())
}

/// Steps of a backend that is often out, so that its fallback has work.
fn shaky() -> impl Strategy<Value = Step> {
    let out = Just(Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_secs(1))));
    prop_oneof![4 => out, 1 => step()]
}

/// Scripts for four destinations, and for the fallback of the second.
fn scripts() -> impl Strategy<Value = (Vec<Vec<Step>>, Vec<Step>)> {
    let each = (script(step()), script(shaky()), script(step()), script(step()));
    (each, script(step())).prop_map(|((a, b, c, d), fallback)| (vec![a, b, c, d], fallback))
}

/// A pipeline of destinations that take metrics in each form, with fallbacks and dead letters before some, behind a
/// processor that holds records back.
struct Rig {
    pipeline: Pipeline,
    hand: obs_pipeline::ManualClock,
    exporters: Vec<Arc<Scripted>>,
    fallback: Arc<Scripted>,
    letters: WatchedLetters,
}

const NAMES: [&str; 4] = ["records", "shaky", "delta", "cumulative"];

impl Rig {
    fn new(scripts: Vec<Vec<Step>>, fallback: Vec<Step>, coverage: &Coverage) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000_000));
        let forms = [MetricForm::Records, MetricForm::Records, MetricForm::Delta, MetricForm::Cumulative];
        let of_form = |(script, form)| {
            Scripted::builder(script).with_descriptor(Scripted::DESCRIPTOR.with_metric_form(form)).shared()
        };
        let exporters: Vec<_> = scripts.into_iter().zip(forms).map(of_form).collect();
        let fallback = Scripted::new(fallback);
        let letters = WatchedLetters::new(5, coverage);
        let watched = |inner: &Arc<Scripted>, layer| Watched {
            inner: Arc::clone(inner),
            layer,
            coverage: coverage.clone(),
        };
        let leaf =
            |at: usize| DestinationSpec::new(watched(&exporters[at], Layer::Leaf)).with_name(NAMES[at]);
        let tight = LaneConfig {
            max_memory_usage: Bytes::new(256 << 10),
            max_age: Some(Duration::from_mins(3)),
            ..LaneConfig::DEFAULT
        };
        let fallen = LaneConfig { fallback_on_auth: true, ..LaneConfig::DEFAULT };
        let pipeline = builder()
            .clock(clock)
            .without_redaction()
            .processor(Keeper::of_every_third())
            .to(leaf(0).with_config(tight).with_dead_letters(letters.clone()))
            .to(leaf(1)
                .with_config(fallen)
                .with_fallback("fallback", watched(&fallback, Layer::Fallback))
                .with_dead_letters(letters.clone()))
            .to(leaf(2))
            .to(leaf(3).with_dead_letters(letters.clone()))
            .build()
            .unwrap();
        Self { pipeline, hand, exporters, fallback, letters }
    }

    fn act(&self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::Record(signal, count) => {
                (0..*count).for_each(|at| record(&self.pipeline.intake(), *signal, at));
            }
            Act::Advance(by) => self.hand.advance(*by),
            Act::Flush => self.check(&self.pipeline.flush(Duration::from_millis(2)))?,
        }
        self.check(&self.pipeline.report())
    }

    /// Lets time pass until everything is settled: what hangs runs into its timeout, what is held is probed.
    fn settle(&self) -> Report {
        for _ in 0..400 {
            let report = self.pipeline.flush(Duration::from_millis(2));
            if report.complete {
                return report;
            }
            self.hand.advance(Duration::from_secs(31));
        }
        self.pipeline.flush(PATIENCE)
    }

    fn check(&self, report: &Report) -> Result<(), TestCaseError> {
        prop_assert!(report.is_balanced(), "{report}");
        for (name, exporter) in NAMES.iter().zip(&self.exporters) {
            let destination = report.destination(name).unwrap();
            for (signal, terms) in
                destination.signals.iter().filter(|(signal, _)| in_records(exporter, *signal))
            {
                prop_assert!(terms.delivered <= exporter.delivered(signal) as u64, "{signal}: {report}");
            }
        }
        Ok(())
    }

    /// What must be so once nothing waits any more.
    fn check_settled(&self, report: &Report, recorded: &[u64; Signal::COUNT]) -> Result<(), TestCaseError> {
        self.check(report)?;
        prop_assert!(report.complete, "{report}");
        for (name, exporter) in NAMES.iter().zip(&self.exporters) {
            for (signal, terms) in report.destination(name).unwrap().signals.iter() {
                prop_assert_eq!((terms.offered, terms.queued), (recorded[signal.index()], 0));
                if in_records(exporter, signal) {
                    prop_assert_eq!(
                        terms.delivered,
                        exporter.delivered(signal) as u64,
                        "{}: {}",
                        signal,
                        report
                    );
                }
                let lost = terms.dropped.get(dropped::EXPIRED) + terms.dropped.get(dropped::OVERFLOW);
                prop_assert_eq!(terms.dropped.total(), lost, "{}: {}", signal, report);
                if in_records(exporter, signal) {
                    let kept = self.letters.kept(name, signal);
                    prop_assert_eq!(terms.dead_lettered, kept, "{}: {}", signal, report);
                }
            }
        }
        for (signal, terms) in report.destination("fallback").unwrap().signals.iter() {
            if signal != Signal::Metrics {
                prop_assert_eq!(
                    terms.delivered,
                    self.fallback.delivered(signal) as u64,
                    "{}: {}",
                    signal,
                    report
                );
            }
        }
        Ok(())
    }
}

/// Whether the destination is given records one by one, so that what arrived can be counted; series are folded.
fn in_records(exporter: &Scripted, signal: Signal) -> bool {
    signal != Signal::Metrics || exporter.descriptor().metric_form() == MetricForm::Records
}

#[test]
fn law_1_accounting_is_exact_over_a_thousand_random_fault_scripts() {
    let coverage = Coverage::default();
    let runs = (prop::collection::vec(act(), 1..25), scripts());
    let config = Config { cases: 1_000, max_shrink_iters: 60, ..Config::with_source_file(file!()) };
    let held = TestRunner::new(config).run(&runs, |(acts, (scripts, fallback))| {
        let rig = Rig::new(scripts, fallback, &coverage);
        let mut recorded = [0u64; Signal::COUNT];
        for act in &acts {
            if let Act::Record(signal, count) = act {
                recorded[signal.index()] += count;
            }
            rig.act(act)?;
        }
        rig.check_settled(&rig.settle(), &recorded)?;
        rig.check(&rig.pipeline.shutdown(PATIENCE))
    });
    let missing = coverage.report(20);
    held.unwrap();
    assert!(missing.is_empty(), "hit less than 20 times: {missing:#?}");
}
