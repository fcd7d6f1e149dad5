//! A destination that keeps what arrives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Feedback, Health, Log, Mapped, Mappers, Metric, Receipt, Record,
    Records, Score, Span,
};
use obs_instrument::{Observability, ObservabilityBuilder};

const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Default)]
pub(crate) struct Collect(Arc<Mutex<Vec<Record>>>);

fn map<T>(_: &Collect, _: &Records<T>) -> Mapped<()> {
    Mapped::default()
}

const MAPPERS: Mappers<Collect, ()> =
    Mappers::NONE.traces(map).metrics(map).logs(map).scores(map).feedback(map);
static DESCRIPTOR: Descriptor = Descriptor::of("collect", &MAPPERS).with_local();

#[async_trait]
impl Exporter for Collect {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch.to_records());
        Ok(Receipt::delivered(batch.len()))
    }

    async fn check(&self) -> Health {
        Health::Healthy
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
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
    collect: Collect,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder) -> Self {
        let collect = Collect::default();
        let obs = configure(Observability::builder("test").to(collect.clone())).build().unwrap();
        Self { obs, collect }
    }

    pub(crate) fn arrived(&self) -> Arrived {
        let report = self.obs.flush(DEADLINE);
        assert!(report.complete, "{report}");
        let mut arrived = Arrived::default();
        for record in self.collect.0.lock().unwrap().iter().cloned() {
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
