//! The fixtures have every variant of every enum, and every nasty case.

use std::collections::{BTreeSet, HashSet};

use obs_core::{
    Batch, Feedback, Form, Level, Log, LoopKind, Metric, MetricValue, Payload, Record, ResultType, Score,
    ScoreValue, Signal, Span, SpanKind, SpanRecord, SpanType, Status, StepFlavour, Target, Temporality,
    Value, WorkflowStatus,
};
use obs_testkit::fixtures;

/// Fails unless each pattern matches some value; a variant that no pattern names does not compile.
macro_rules! covered {
    ($values:expr, $($pattern:pat),+ $(,)?) => {{
        const NAMES: &[&str] = &[$(stringify!($pattern)),+];
        let seen: BTreeSet<&str> = $values.into_iter().map(|value| match value { $($pattern => stringify!($pattern)),+ }).collect();
        let missing: Vec<_> = NAMES.iter().filter(|name| !seen.contains(**name)).collect();
        assert!(missing.is_empty(), "no fixture has {missing:?}");
    }};
}

fn spans(batch: Batch) -> Vec<SpanRecord> {
    let Batch::Traces(spans) = batch else { panic!("not spans") };
    spans.iter().cloned().collect()
}

fn ordinary() -> Vec<Span> {
    spans(fixtures::batch(Signal::Traces)).into_iter().map(|record| record.span().clone()).collect()
}

fn metrics(batch: Batch) -> Vec<Metric> {
    let Batch::Metrics(metrics) = batch else { panic!("not metrics") };
    metrics.iter().cloned().collect()
}

fn logs(batch: Batch) -> Vec<Log> {
    let Batch::Logs(logs) = batch else { panic!("not logs") };
    logs.iter().cloned().collect()
}

fn scores(batch: Batch) -> Vec<Score> {
    let Batch::Scores(scores) = batch else { panic!("not scores") };
    scores.iter().cloned().collect()
}

fn feedback(batch: Batch) -> Vec<Feedback> {
    let Batch::Feedback(feedback) = batch else { panic!("not feedback") };
    feedback.iter().cloned().collect()
}

#[test]
fn every_variant_of_a_span_is_in_the_ordinary_batch() {
    covered!(spans(fixtures::batch(Signal::Traces)), SpanRecord::Started(_), SpanRecord::Ended(_));
    let spans = ordinary();
    covered!(
        spans.iter().map(|span| &span.span_type),
        SpanType::AgentRun(_),
        SpanType::WorkflowRun(_),
        SpanType::WorkflowStep(_),
        SpanType::LlmGeneration(_),
        SpanType::ToolCall(_),
        SpanType::McpToolCall(_),
        SpanType::MemoryLookup(_),
        SpanType::MemoryUpdate(_),
        SpanType::RagQuery(_),
        SpanType::Embedding(_),
        SpanType::EvalExecution(_),
        SpanType::Generic,
    );
    covered!(
        spans.iter().map(|span| span.kind),
        SpanKind::Internal,
        SpanKind::Client,
        SpanKind::Server,
        SpanKind::Producer,
        SpanKind::Consumer,
    );
    covered!(spans.iter().map(|span| span.status), Status::Unset, Status::Ok, Status::Error);
    covered!(
        spans.iter().filter_map(|span| match &span.span_type {
            SpanType::WorkflowRun(run) => run.status,
            _ => None,
        }),
        WorkflowStatus::Running,
        WorkflowStatus::Completed,
        WorkflowStatus::Failed,
        WorkflowStatus::Suspended,
        WorkflowStatus::Skipped,
    );
    let flavours = || {
        spans.iter().filter_map(|span| match &span.span_type {
            SpanType::WorkflowStep(step) => Some(&step.flavour),
            _ => None,
        })
    };
    covered!(
        flavours(),
        StepFlavour::Plain,
        StepFlavour::Conditional { .. },
        StepFlavour::Parallel { .. },
        StepFlavour::Loop { .. },
        StepFlavour::Sleep { .. },
        StepFlavour::WaitEvent { .. },
    );
    covered!(
        flavours().filter_map(|flavour| match flavour {
            StepFlavour::Loop { kind, .. } => Some(kind),
            _ => None,
        }),
        LoopKind::ForEach,
        LoopKind::While,
        LoopKind::Until,
    );
}

#[test]
fn every_variant_within_a_span_is_in_the_ordinary_batch() {
    let spans = ordinary();
    covered!(
        spans.iter().filter_map(|span| span.span_type.as_generation()?.result_type),
        ResultType::ToolSelection,
        ResultType::ResponseGeneration,
        ResultType::Reasoning,
        ResultType::Planning,
    );
    covered!(
        spans.iter().flat_map(|span| span.attributes.iter().map(|(_, value)| value)),
        Value::Null,
        Value::Bool(_),
        Value::I64(_),
        Value::F64(_),
        Value::Str(_),
        Value::List(_),
        Value::Map(_),
    );
    let inputs = spans.iter().filter_map(|span| span.input.as_ref());
    let outputs = spans.iter().filter_map(|span| span.output.as_ref());
    covered!(inputs.chain(outputs).map(Payload::form), Form::Text | Form::Json, Form::Unchecked);
}

#[test]
fn every_variant_of_the_other_signals_is_in_their_ordinary_batches() {
    covered!(
        logs(fixtures::batch(Signal::Logs)).iter().map(|log| log.level),
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Fatal,
    );
    let metrics = metrics(fixtures::batch(Signal::Metrics));
    covered!(
        metrics.iter().map(|metric| &metric.value),
        MetricValue::Add(_),
        MetricValue::UpDown(_),
        MetricValue::Gauge(_),
        MetricValue::Sample(_),
        MetricValue::Sum { monotonic: true, .. },
        MetricValue::Sum { monotonic: false, .. },
        MetricValue::Histogram(_),
        MetricValue::ExpHistogram(_),
    );
    covered!(
        metrics.iter().filter_map(|metric| metric.temporality),
        Temporality::Delta,
        Temporality::Cumulative
    );
    let scores = scores(fixtures::batch(Signal::Scores));
    let feedback = feedback(fixtures::batch(Signal::Feedback));
    for pairs in [
        scores.iter().map(|score| (&score.target, &score.value)).collect::<Vec<_>>(),
        feedback.iter().map(|feedback| (&feedback.target, &feedback.value)).collect(),
    ] {
        covered!(
            pairs.iter().map(|(target, _)| target),
            Target::Span { .. },
            Target::Trace { root_span_id: Some(_), .. },
            Target::Trace { root_span_id: None, .. },
            Target::Session { .. },
            Target::ExperimentRun { .. },
        );
        covered!(
            pairs.iter().map(|(_, value)| value),
            ScoreValue::Numeric { .. },
            ScoreValue::Boolean(_),
            ScoreValue::Categorical(_),
            ScoreValue::Text(_),
        );
    }
    let kinds: BTreeSet<&str> = feedback.iter().map(|feedback| &*feedback.kind).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["comment", "correction", "rating", "thumbs"]);
}

#[test]
fn every_nasty_span_is_there() {
    let records = spans(fixtures::nasty(Signal::Traces));
    let spans: Vec<&Span> = records.iter().map(SpanRecord::span).collect();
    let ids: HashSet<_> = spans.iter().map(|span| span.span_id).collect();
    let at = |id| spans.iter().position(|span| span.span_id == id);
    let has = |what: &str, found: &dyn Fn(&Span) -> bool| {
        assert!(spans.iter().any(|span| found(span)), "no span: {what}");
    };
    let input =
        |span: &Span, found: fn(&str) -> bool| span.input.as_ref().is_some_and(|input| found(input.as_str()));
    has("of zero duration", &|span| span.end == Some(span.start));
    has("that ends before it starts", &|span| span.end.is_some_and(|end| end < span.start));
    has("without a name", &|span| span.name.is_empty());
    has("with a missing parent", &|span| {
        !span.remote_parent && span.parent_span_id.is_some_and(|parent| !ids.contains(&parent))
    });
    has("with a remote parent", &|span| span.remote_parent);
    has("before its parent", &|span| span.parent_span_id.and_then(at) > at(span.span_id));
    has("200 deep", &|span| span.ancestors().count() == 200);
    has("with a mebibyte", &|span| input(span, |text| text.len() >= 1 << 20));
    has("with an empty text", &|span| input(span, str::is_empty));
    has("with NUL", &|span| input(span, |text| text.contains('\0')));
    has("with emoji", &|span| input(span, |text| text.contains('🇪')));
    has("with invalid JSON", &|span| input(span, |text| text == "{\"a\":"));
    has("with the deepest JSON", &|span| input(span, |text| text == "[".repeat(127) + &"]".repeat(127)));
    has("with deeper text", &|span| input(span, |text| text == "[".repeat(500) + &"]".repeat(500)));
    has("with NaN", &|span| span.attributes.iter().any(|(_, value)| value.as_f64().is_some_and(f64::is_nan)));
    has("ended without an end", &|span| span.end.is_none());
    assert!(spans.len() > ids.len(), "no span stands there twice");
}

#[test]
fn every_nasty_number_is_there() {
    let metrics = metrics(fixtures::nasty(Signal::Metrics));
    let has = |what: &str, found: fn(&MetricValue) -> bool| {
        assert!(metrics.iter().any(|metric| found(&metric.value)), "no {what}");
    };
    has("negative gauge", |value| matches!(value, MetricValue::Gauge(value) if *value < 0.0));
    has("NaN", |value| matches!(value, MetricValue::Gauge(value) if value.is_nan()));
    has("negative counter", |value| matches!(value, MetricValue::Add(value) if *value < 0.0));
    has("infinite sample", |value| matches!(value, MetricValue::Sample(value) if value.is_infinite()));
    has("empty histogram", |value| matches!(value, MetricValue::Histogram(value) if value.count == 0));
    let numeric = |value: &ScoreValue| value.as_f64().is_some_and(f64::is_nan);
    assert!(scores(fixtures::nasty(Signal::Scores)).iter().any(|score| numeric(&score.value)));
    assert!(feedback(fixtures::nasty(Signal::Feedback)).iter().any(|feedback| numeric(&feedback.value)));
    assert!(logs(fixtures::nasty(Signal::Logs)).iter().any(|log| log.message.len() >= 1 << 20));
}

#[test]
fn fixtures_are_the_same_every_time_and_can_be_written_and_read() {
    let lines = |batches: Vec<Batch>| {
        let mut out = Vec::new();
        for batch in batches {
            batch.write_lines(&mut out, |at, error| panic!("record {at}: {error}"));
        }
        out
    };
    let first = lines(fixtures::all());
    assert_eq!(first, lines(fixtures::all()));
    let text = String::from_utf8(first).unwrap();
    let read: Vec<Record> = text.lines().map(|line| Record::from_line(line).unwrap()).collect();
    assert_eq!(read.len(), fixtures::all().iter().map(Batch::len).sum::<usize>());
}

#[test]
fn the_trace_is_whole() {
    let trace = fixtures::trace();
    let tree = trace.tree();
    assert_eq!(tree.iter().filter(|node| node.depth == 0).count(), 1);
    let judged: usize = tree.iter().map(|node| node.scores.len() + node.feedback.len()).sum();
    let logs: usize = tree.iter().map(|node| node.logs.len()).sum();
    assert_eq!(
        (trace.spans.len(), logs, judged),
        (12, trace.logs.len(), 1),
        "one score is of a span, the rest of the trace"
    );
    for span in &trace.spans {
        assert_eq!(span.root_span_id(), Some(trace.spans[0].span_id), "{}", span.name);
        let first = span.ancestors().next().map(|ancestor| ancestor.span_id);
        assert_eq!(first, span.parent_span_id, "{}", span.name);
    }
    let summary = trace.summary().unwrap();
    assert_eq!((summary.usage.input, summary.usage.output, summary.errors), (Some(1_020), Some(120), 1));
}
