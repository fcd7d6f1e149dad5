//! A subscriber whose layer leads to a destination that keeps what arrives.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Log, Metric, Record, Span, SpanType};
use obs_instrument::{Observability, ObservabilityBuilder};
use obs_testkit::Scripted;
use obs_tracing::ObsLayer;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

const DEADLINE: Duration = Duration::from_secs(20);

/// What arrived, by signal.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) spans: Vec<Span>,
    pub(crate) logs: Vec<Log>,
    pub(crate) metrics: Vec<Metric>,
}

impl Arrived {
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> &Span {
        self.spans
            .iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("no span {name}: {self:#?}"))
    }

    #[track_caller]
    pub(crate) fn log(&self, message: &str) -> &Log {
        self.logs
            .iter()
            .find(|log| log.message == message)
            .unwrap_or_else(|| panic!("no log {message}: {self:#?}"))
    }

    /// The name of the span above, if it arrived.
    pub(crate) fn parent(&self, name: &str) -> Option<&str> {
        let id = self.span(name).parent_span_id?;
        self.spans.iter().find(|span| span.span_id == id).map(|span| span.name.as_str())
    }
}

#[track_caller]
pub(crate) fn attribute<'a>(span: &'a Span, key: &str) -> &'a obs_core::Value {
    span.attributes.get(key).unwrap_or_else(|| panic!("no {key}: {span:#?}"))
}

#[track_caller]
pub(crate) fn generation(span: &Span) -> &obs_core::LlmGeneration {
    let SpanType::LlmGeneration(call) = &span.span_type else { panic!("{:?}", span.span_type) };
    call
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
        let exporter = Scripted::new([]);
        let obs = configure(Observability::builder("test").to(Arc::clone(&exporter))).build().unwrap();
        Self { obs, exporter }
    }

    /// A subscriber with the layer as it is.
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.dispatch_with(|layer| layer)
    }

    pub(crate) fn dispatch_with(&self, configure: impl FnOnce(ObsLayer) -> ObsLayer) -> Dispatch {
        Dispatch::new(tracing_subscriber::registry().with(configure(obs_tracing::layer(&self.obs))))
    }

    /// Runs under a subscriber with the layer as it is, and gives what arrived.
    pub(crate) fn run(&self, run: impl FnOnce()) -> Arrived {
        self.run_with(|layer| layer, run)
    }

    pub(crate) fn run_with(
        &self,
        configure: impl FnOnce(ObsLayer) -> ObsLayer,
        run: impl FnOnce(),
    ) -> Arrived {
        tracing::dispatcher::with_default(&self.dispatch_with(configure), run);
        self.arrived()
    }

    pub(crate) fn arrived(&self) -> Arrived {
        let report = self.obs.flush(DEADLINE);
        assert!(report.complete, "{report}");
        let mut arrived = Arrived::default();
        for record in self.exporter.records() {
            match record {
                Record::Span(span) => arrived.spans.extend(span.ended().cloned()),
                Record::Log(log) => arrived.logs.push(log),
                Record::Metric(metric) => arrived.metrics.push(metric),
                _ => {}
            }
        }
        arrived
    }
}
