//! Every event and point read by code that shares nothing with the exporter, and compared with the records by a table.

use obs_core::{Batch, Feedback, Metric, MetricValue, Score, ScoreValue, Signal, Target, Temporality};
use obs_testkit::fixtures;
use serde_json::{Map, Value, json};

use crate::support::Bench;

/// A row: what it is, where it stands, and how to read it off the record; `Null` where the record has none.
type Row<T> = (&'static str, &'static str, fn(&T) -> Value);

fn label(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Numeric { .. } => Value::Null,
        ScoreValue::Boolean(value) => json!(value.to_string()),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => json!(&**words),
    }
}

fn kind(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Numeric { .. } => Value::Null,
        ScoreValue::Boolean(_) => json!("boolean"),
        ScoreValue::Categorical(_) => json!("categorical"),
        ScoreValue::Text(_) => json!("text"),
    }
}

fn bound(value: &ScoreValue, of: fn(&obs_core::Range) -> f64) -> Value {
    match value {
        ScoreValue::Numeric { range: Some(range), .. } => json!(of(range)),
        _ => Value::Null,
    }
}

fn target(target: &Target) -> Value {
    json!(match target {
        Target::Span { .. } => "span",
        Target::Trace { .. } => "trace",
        Target::Session { .. } => "session",
        Target::ExperimentRun { .. } => "experiment_run",
    })
}

fn trace(target: &Target) -> Value {
    target.trace_id().map_or(Value::Null, |id| json!(id.to_string()))
}

fn span(target: &Target) -> Value {
    target.span_id().map_or(Value::Null, |id| json!(id.to_string()))
}

fn root(target: &Target) -> Value {
    target.root_span_id().map_or(Value::Null, |id| json!(id.to_string()))
}

fn session(target: &Target, known: Option<&obs_core::Str>) -> Value {
    match target {
        Target::Session { session_id } => json!(&**session_id),
        _ => json!(known.map(|known| &**known)),
    }
}

const SCORE: &[Row<Score>] = &[
    ("id", "id", |score| json!(score.id.to_string())),
    ("time", "timestamp", |score| json!(score.time.as_nanos() / 1_000_000)),
    ("name", "name", |score| json!(&*score.name)),
    ("number", "score", |score| match score.value {
        ScoreValue::Numeric { value, .. } => json!(value),
        ScoreValue::Boolean(value) => json!(i32::from(value)),
        _ => Value::Null,
    }),
    ("words", "label", |score| label(&score.value)),
    ("kind of value", "value_type", |score| kind(&score.value)),
    ("least", "score.min", |score| bound(&score.value, |range| range.min)),
    ("greatest", "score.max", |score| bound(&score.value, |range| range.max)),
    ("why", "explanation", |score| json!(score.comment.as_deref())),
    ("source", "source", |score| json!(score.source.as_deref())),
    ("scorer's id", "scorer.id", |score| json!(score.scorer.as_ref().and_then(|of| of.id.as_deref()))),
    ("scorer's name", "scorer.name", |score| json!(score.scorer.as_ref().and_then(|of| of.name.as_deref()))),
    ("scorer's version", "scorer.version", |score| {
        json!(score.scorer.as_ref().and_then(|of| of.version.as_deref()))
    }),
    ("experiment", "experiment_id", |score| json!(score.experiment_id.as_deref())),
    ("metadata", "judge", |score| json!(score.metadata.get("judge"))),
    ("target", "target", |score| target(&score.target)),
    ("trace, as spans have it", "trace.id", |score| trace(&score.target)),
    ("trace, as agents have it", "trace_id", |score| trace(&score.target)),
    ("span, as logs have it", "span.id", |score| span(&score.target)),
    ("span, as agents have it", "span_id", |score| span(&score.target)),
    ("root", "root_span_id", |score| root(&score.target)),
    ("session", "session.id", |score| session(&score.target, score.context.session_id.as_ref())),
    ("user", "user.id", |score| json!(score.context.user_id.as_deref())),
    ("conversation", "gen_ai.conversation.id", |score| json!(score.context.thread_id.as_deref())),
    ("service", "appName", |score| json!(score.resource.service_name().unwrap_or("obs-test"))),
    ("resource", "host.name", |score| json!(score.resource.attributes.get("host.name"))),
];

const FEEDBACK: &[Row<Feedback>] = &[
    ("id", "id", |feedback| json!(feedback.id.to_string())),
    ("time", "timestamp", |feedback| json!(feedback.time.as_nanos() / 1_000_000)),
    ("kind", "category", |feedback| json!(&*feedback.kind)),
    ("value", "rating", |feedback| match &feedback.value {
        ScoreValue::Numeric { value, .. } => json!(value),
        ScoreValue::Boolean(value) => json!(i32::from(*value)),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => json!(&**words),
    }),
    ("words", "label", |feedback| label(&feedback.value)),
    ("least", "rating.min", |feedback| bound(&feedback.value, |range| range.min)),
    ("comment", "message", |feedback| json!(feedback.comment.as_deref())),
    ("source", "source", |feedback| json!(feedback.source.as_deref())),
    ("user", "user_id", |feedback| json!(feedback.user_id.as_deref())),
    ("experiment", "experiment_id", |feedback| json!(feedback.experiment_id.as_deref())),
    ("metadata", "page", |feedback| json!(feedback.metadata.get("page"))),
    ("target", "target", |feedback| target(&feedback.target)),
    ("trace", "trace_id", |feedback| trace(&feedback.target)),
    ("span", "span_id", |feedback| span(&feedback.target)),
    ("root", "root_span_id", |feedback| root(&feedback.target)),
    ("service", "appName", |feedback| json!(feedback.resource.service_name().unwrap_or("obs-test"))),
];

fn compare<T>(table: &[Row<T>], record: &T, found: &Map<String, Value>) {
    for (what, place, read) in table {
        let found = found.get(*place).unwrap_or(&Value::Null);
        let expected = read(record);
        let same =
            found == &expected || found.as_f64().is_some_and(|number| Some(number) == expected.as_f64());
        assert!(same, "{what} at {place}: {found} and not {expected}");
    }
}

#[tokio::test]
async fn every_field_of_a_score_stands_at_its_place() {
    let bench = Bench::account().await;
    let Batch::Scores(scores) = fixtures::batch(Signal::Scores) else { unreachable!() };
    let events = bench.events(&Batch::Scores(scores.clone())).await;
    assert_eq!(events.len(), scores.len());
    for (score, event) in scores.iter().zip(&events) {
        assert_eq!(event["eventType"], "LlmEvaluation");
        compare(SCORE, score, event);
    }
}

#[tokio::test]
async fn every_field_of_a_feedback_stands_at_its_place() {
    let bench = Bench::account().await;
    let Batch::Feedback(feedback) = fixtures::batch(Signal::Feedback) else { unreachable!() };
    let events = bench.events(&Batch::Feedback(feedback.clone())).await;
    assert_eq!(events.len(), feedback.len());
    for (feedback, event) in feedback.iter().zip(&events) {
        assert_eq!(event["eventType"], "LlmFeedbackMessage");
        compare(FEEDBACK, feedback, event);
    }
}

/// What a point is by the Metric API; `Null` where it has no form there.
fn expected(metric: &Metric) -> Value {
    match (&metric.value, metric.temporality) {
        (MetricValue::Gauge(value), _)
        | (MetricValue::Sum { value, monotonic: false }, Some(Temporality::Cumulative)) => {
            json!(["gauge", value])
        }
        (MetricValue::Sum { value, monotonic: true }, Some(Temporality::Delta)) => json!(["count", value]),
        (MetricValue::Histogram(of), _) => {
            json!(["summary", { "count": of.count, "sum": of.sum, "min": of.min, "max": of.max }])
        }
        (MetricValue::ExpHistogram(of), _) => {
            json!(["summary", { "count": of.count, "sum": of.sum, "min": of.min, "max": of.max }])
        }
        _ => Value::Null,
    }
}

#[tokio::test]
async fn every_point_has_its_value_by_the_metric_api() {
    let bench = Bench::native().await;
    let Batch::Metrics(metrics) = bench.input(&fixtures::batch(Signal::Metrics)) else { unreachable!() };
    let points = bench.points(&Batch::Metrics(metrics.clone())).await;
    for metric in metrics.iter() {
        let point = points.iter().find(|point| point["name"] == metric.name.as_str());
        let found = point.map_or(Value::Null, |point| json!([point["type"], point["value"]]));
        assert_eq!(found, expected(metric), "{}", metric.name);
        let Some(point) = point else { continue };
        for (name, value) in metric.labels.iter() {
            assert_eq!(point["attributes"][name.as_str()], value.as_str());
        }
        assert_eq!(point["attributes"]["unit"], json!(metric.unit.as_deref()));
        assert_eq!(point["common"]["host.name"], json!(metric.resource.attributes.get("host.name")));
    }
    assert!(!points.is_empty());
}
