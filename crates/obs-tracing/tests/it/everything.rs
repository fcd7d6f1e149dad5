//! All of it at once, on whatever runs it: the same records arrive, and the books balance.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Error, Exporter, Record, ScoreValue, Signal, Signals, Span, SpanId, Target, Trace, TraceId, TraceQuery,
    TraceReader, TraceSummary,
};
use obs_instrument::pipeline::{Report, filtered};
use obs_instrument::{Observability, Registry, TailSampling};
use obs_testkit::Scripted;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::flavours::Flavour;
use crate::program::{self, SECRET, SERVICE, TENANT};

const DEADLINE: Duration = Duration::from_secs(20);

/// Where the records of both services arrive, and are read back from.
#[derive(Debug)]
struct Kept {
    service: Arc<Scripted>,
    numbers: Arc<Scripted>,
    tenant: Arc<Scripted>,
}

impl Kept {
    fn new() -> Arc<Self> {
        let numbers = Scripted::builder([]);
        let descriptor = numbers.descriptor().narrowed(Signals::from_iter([Signal::Metrics]));
        let numbers = numbers.with_descriptor(descriptor).shared();
        Arc::new(Self { service: Scripted::new([]), numbers, tenant: Scripted::new([]) })
    }

    fn spans(&self) -> Vec<Span> {
        let records = self.service.records().into_iter().chain(self.tenant.records());
        let span = |record| if let Record::Span(record) = record { record.ended().cloned() } else { None };
        records.filter_map(span).collect()
    }
}

#[async_trait]
impl TraceReader for Kept {
    async fn trace(&self, id: TraceId) -> Result<Option<Trace>, Error> {
        let spans: Vec<_> = self.spans().into_iter().filter(|span| span.trace_id == id).collect();
        Ok((!spans.is_empty()).then(|| Trace { spans, ..Trace::new(id) }))
    }

    async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        Ok(Vec::new())
    }
}

/// The two instances, under their names.
fn services(kept: &Arc<Kept>) -> Registry {
    let service = Observability::builder("service")
        .to_named("all", Arc::clone(&kept.service))
        .to_named("numbers", Arc::clone(&kept.numbers))
        .reader(Arc::<Kept>::clone(kept))
        .exclude_span_types(["memory_lookup"])
        .unwrap()
        .baggage_attributes(["tenant"])
        .tail_sampling(TailSampling::new().with_baseline(0.0))
        .build()
        .unwrap();
    let tenant = Observability::builder("tenant").to(Arc::clone(&kept.tenant)).build().unwrap();
    let registry = Registry::new();
    registry.register(SERVICE, service).unwrap();
    registry.register(TENANT, tenant).unwrap();
    registry
}

/// What arrived, in words that are the same for every run.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Each span and the one above it.
    spans: Vec<String>,
    /// Each log and the span that it names.
    logs: Vec<String>,
    judgements: Vec<String>,
    /// How many measurements have each name.
    metrics: BTreeMap<String, usize>,
    /// What the service's intake counted: recorded, sealed, tail-sampled.
    counts: Vec<(Signal, [u64; 3])>,
}

fn outcome(kept: &Kept, report: &Report) -> Outcome {
    let spans = kept.spans();
    let names: HashMap<SpanId, &str> = spans.iter().map(|span| (span.span_id, span.name.as_str())).collect();
    let name =
        |id: Option<SpanId>| id.map_or("nothing", |id| names.get(&id).copied().unwrap_or("a stranger"));
    let mut outcome = Outcome {
        spans: spans.iter().map(|span| format!("{} < {}", span.name, name(span.parent_span_id))).collect(),
        logs: Vec::new(),
        judgements: Vec::new(),
        metrics: BTreeMap::new(),
        counts: report
            .intake
            .iter()
            .map(|(signal, terms)| {
                (signal, [terms.recorded, terms.sealed, terms.filtered.get(filtered::TAIL_SAMPLED)])
            })
            .collect(),
    };
    let judged = |what: &str, target: &Target| {
        format!("{what}: {} in {}", name(target.span_id()), name(target.root_span_id()))
    };
    for record in kept.service.records() {
        match record {
            Record::Span(_) => {}
            Record::Log(log) => {
                let span = name(log.span.and_then(|span| span.span_id));
                outcome.logs.push(format!("{} < {span}", log.message));
            }
            Record::Score(score) => outcome.judgements.push(judged(&score.name, &score.target)),
            Record::Feedback(given) => outcome.judgements.push(judged(&given.kind, &given.target)),
            Record::Metric(metric) => *outcome.metrics.entry(metric.name.to_string()).or_default() += 1,
        }
    }
    outcome.spans.sort();
    outcome.logs.sort();
    outcome.judgements.sort();
    outcome
}

/// Law 1, to the record: nothing waits, nothing is dropped, and what was sealed is what each destination had or did not want.
fn check_books(report: &Report, destinations: &[(&str, &Scripted)]) {
    assert!(report.complete && report.is_balanced(), "{report}");
    for (signal, intake) in report.intake.iter() {
        assert_eq!((intake.pending, intake.dropped.total()), (0, 0), "{signal}: {report}");
        for (name, exporter) in destinations {
            let terms = report.destination(name).unwrap().signals.get(signal);
            let taken = exporter.delivered(signal) as u64;
            assert_eq!((terms.offered, terms.delivered), (intake.sealed, taken), "{name} {signal}: {report}");
            assert_eq!(terms.offered, taken + terms.filtered.get(filtered::UNSUPPORTED), "{name} {signal}");
        }
    }
}

fn run(flavour: Flavour) -> Outcome {
    let kept = Kept::new();
    let registry = services(&kept);
    let (service, tenant) = (registry.get(SERVICE).unwrap(), registry.get(TENANT).unwrap());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(obs_tracing::layer(&service)));

    let (sender, receiver) = mpsc::channel();
    let registry = Arc::new(registry);
    let of_program = Arc::clone(&registry);
    flavour.run(
        &dispatch,
        Box::pin(async move { sender.send(program::run(&of_program, flavour).await).unwrap() }),
    );
    let trace_id = receiver.recv().unwrap();
    assert!(tenant.flush(DEADLINE).complete && service.flush(DEADLINE).complete);
    service.trace(trace_id).score("after the fact", true);
    service.trace(trace_id).feedback("comment", ScoreValue::text("after the fact"));
    assert!(service.flush(DEADLINE).complete);

    let destinations = [("all", &*kept.service), ("numbers", &*kept.numbers)];
    check_books(&service.report(), &destinations);
    let outcome = outcome(&kept, &service.report());
    assert!(!format!("{:?}{:?}", kept.service.records(), kept.tenant.records()).contains(SECRET));
    let calls = kept.spans().into_iter().filter(|span| span.span_type.model().is_some());
    let costs: f64 = calls.filter_map(|call| Some(call.span_type.cost()?.total)).sum();
    assert!(costs > 0.0, "calls have their prices");

    for (name, report) in registry.shutdown_all(DEADLINE) {
        assert!(report.complete && report.is_balanced(), "{name}: {report}");
    }
    check_books(&service.report(), &destinations);
    assert!(kept.service.is_closed() && kept.numbers.is_closed() && kept.tenant.is_closed());
    outcome
}

#[test]
fn law_1_accounting_holds_for_a_program_that_uses_everything_on_whatever_runs_it() {
    let first = run(Flavour::NoRuntime);
    assert_eq!(
        first.spans,
        [
            "GET /ask < GET",
            "GET < caller",
            "ambient < nothing",
            "answer < GET /ask",
            "approve < refund",
            "approved < refund",
            "caller < nothing",
            "chat < answer",
            "embed < answer",
            "generate < answer",
            "in a task < search",
            "refund < answer",
            "refund again < caller",
            "search < answer",
            "traced < search",
            "within < chat",
        ]
    );
    let logs = ["asked < chat", "from a pool < search", "in the step < approve", "not there < traced"];
    assert_eq!(first.logs, logs);
    let judgements = [
        "after the fact: nothing in caller",
        "comment: nothing in caller",
        "quality: generate in caller",
        "thumbs: search in caller",
    ];
    assert_eq!(first.judgements, judgements, "of a span or of the trace, with its root");
    let counts = first.counts.iter().filter(|(signal, _)| *signal != Signal::Metrics);
    let counts: Vec<_> = counts.map(|(_, counts)| *counts).collect();
    // Three spans are recorded for their numbers alone: a hidden one, and two of a trace that is not sampled.
    assert_eq!(counts, [[18, 13, 2], [6, 4, 2], [3, 2, 1], [3, 2, 1]], "recorded, sealed and tail-sampled");
    assert_eq!(first.metrics["mastra_agent_runs_started"], 3, "also where nobody sees the run");
    assert_eq!(first.metrics["mastra_errors_total"], 4, "{first:?}");
    for flavour in Flavour::ALL {
        assert_eq!(run(flavour), first, "{flavour:?}");
    }
}
