//! What is told of every export.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use obs_core::{Batch, Exporter, Signal};
use obs_pipeline::{Clock, Inspect, InspectConfig};
use obs_testkit::{Scripted, Step, conformance, fixtures};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use crate::monitored::run;

/// Keeps the events under `obs::inspect`, one text each.
#[derive(Debug, Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "obs::inspect"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// What is told of one export of each batch.
fn told(config: InspectConfig, steps: impl IntoIterator<Item = Step>, batches: &[Batch]) -> Vec<String> {
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), || {
        let inspect = Inspect::new(Scripted::new(steps), config, Clock::system());
        run(async {
            for batch in batches {
                let _ = inspect.export(batch).await;
            }
        });
    });
    listener.0.lock().unwrap().clone()
}

const OFF: InspectConfig = InspectConfig::DEFAULT;

#[test]
fn exports_are_told_from_begin_to_outcome() {
    let config = InspectConfig { trace_exports: true, ..OFF };
    let batch = fixtures::batch(Signal::Logs);
    let lines = told(config, [Step::Deliver, Step::unavailable()], &[batch.clone(), batch.clone()]);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].contains("export begins") && lines[0].contains("signal=logs"), "{}", lines[0]);
    assert!(lines[1].contains("export ends") && lines[1].contains(&format!("delivered={}", batch.len())));
    assert!(lines[3].contains("export fails") && lines[3].contains("kind=unavailable"), "{}", lines[3]);
}

#[test]
fn payloads_are_told_as_canonical_json_and_speed_in_records_and_bytes() {
    for batch in Signal::ALL.map(fixtures::batch) {
        let config = InspectConfig { log_payloads: true, ..OFF };
        let lines = told(config, [], std::slice::from_ref(&batch));
        assert_eq!(lines.len(), batch.len());
        let mut json = Vec::new();
        batch.write_lines(&mut json, |_, error| panic!("{error}"));
        for (line, json) in lines.iter().zip(String::from_utf8(json).unwrap().lines()) {
            assert!(line.contains(&format!("record={json:?}")), "{line}");
        }
    }
    let config = InspectConfig { measure_performance: true, ..OFF };
    let lines = told(config, [], &[fixtures::batch(Signal::Scores)]);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains("records_per_second=") && lines[0].contains("bytes_per_second="),
        "{}",
        lines[0]
    );
}

#[test]
fn every_fixture_survives_its_canonical_json() {
    let config = InspectConfig { validate_schemas: true, ..OFF };
    assert_eq!(told(config, [], &Signal::ALL.map(fixtures::batch)), Vec::<String>::new());
}

#[test]
fn law_9_nothing_is_told_that_was_not_asked_for() {
    assert_eq!(told(OFF, [Step::unavailable()], &Signal::ALL.map(fixtures::batch)), Vec::<String>::new());
}

#[test]
fn it_keeps_the_contract_of_a_decorator() {
    let all = InspectConfig {
        trace_exports: true,
        log_payloads: true,
        measure_performance: true,
        validate_schemas: true,
    };
    for config in [OFF, all] {
        tracing::subscriber::with_default(Listener::default(), || {
            conformance::decorator(|inner| Arc::new(Inspect::new(inner, config, Clock::system())));
        });
    }
}
