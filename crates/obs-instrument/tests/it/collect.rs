//! A destination that keeps what arrives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Exporter, Feedback, Log, Metric, Record, Score, Signal, Signals, Span};
use obs_instrument::{Observability, ObservabilityBuilder, Registry};
use obs_testkit::Scripted;

const DEADLINE: Duration = Duration::from_secs(20);

/// The registry of the process, for one test at a time: whoever stands in it records what everybody without an instance does.
pub(crate) fn with_global_registry<R>(run: impl FnOnce(&'static Registry) -> R) -> R {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    run(Registry::global())
}

/// What arrived, by signal.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) spans: Vec<Span>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) logs: Vec<Log>,
    pub(crate) scores: Vec<Score>,
    pub(crate) feedback: Vec<Feedback>,
}

impl Arrived {
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> &Span {
        self.spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}"))
    }
}

/// An instance and the place its records arrive at.
pub(crate) struct Bench {
    pub(crate) obs: Observability,
    exporter: Arc<Scripted>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder) -> Self {
        Self::of(Scripted::new([]), configure)
    }

    /// One whose destination takes these signals alone.
    pub(crate) fn taking(signals: Signals) -> Self {
        Self::taking_with(signals, |builder| builder)
    }

    pub(crate) fn taking_with(
        signals: Signals,
        configure: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder,
    ) -> Self {
        let exporter = Scripted::builder([]);
        let descriptor = exporter.descriptor().narrowed(signals);
        Self::of(exporter.with_descriptor(descriptor).shared(), configure)
    }

    fn of(
        exporter: Arc<Scripted>,
        configure: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder,
    ) -> Self {
        let obs = configure(Observability::builder("test").to(Arc::clone(&exporter))).build().unwrap();
        Self { obs, exporter }
    }

    /// How many spans have arrived by now; asks nobody to deliver.
    pub(crate) fn delivered(&self) -> usize {
        self.exporter.delivered(Signal::Traces)
    }

    /// How many spans have arrived once the last handle is gone, which this must hold.
    pub(crate) fn last_handle(self) -> usize {
        drop(self.obs);
        self.exporter.delivered(Signal::Traces)
    }

    pub(crate) fn arrived(&self) -> Arrived {
        let report = self.obs.flush(DEADLINE);
        assert!(report.complete, "{report}");
        let mut arrived = Arrived::default();
        for record in self.exporter.records() {
            match record {
                Record::Span(span) => arrived.spans.push(span.ended().unwrap().clone()),
                Record::Metric(metric) => arrived.metrics.push(metric),
                Record::Log(log) => arrived.logs.push(log),
                Record::Score(score) => arrived.scores.push(score),
                Record::Feedback(feedback) => arrived.feedback.push(feedback),
            }
        }
        arrived
    }
}
