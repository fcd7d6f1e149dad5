//! Where the fields stand in the events for old servers.

use obs_core::{Batch, Feedback, Form, Level, Log, Payload, Score, ScoreValue, Signal, Span, Status, Str};
use obs_langfuse::Ingestion;
use obs_testkit::{Captured, conformance, fixtures};
use serde_json::Value;

use super::judged::{FEEDBACK, Judged, SCORES};
use super::of_record::{cost, kind, of_call, of_entity, parameters, stamp, text, tokens, value};
use crate::support::{Bench, events};

const SPANS: &[Judged<Span>] = &[
    ("id", "/id", |span| span.span_id.to_string().into()),
    ("trace", "/traceId", |span| span.trace_id.to_string().into()),
    ("parent", "/parentObservationId", |span| {
        let parent = span.parent_span_id.filter(|parent| *parent != span.span_id);
        text(parent.map(|parent| parent.to_string()).as_deref())
    }),
    ("name", "/name", |span| span.name.as_str().into()),
    ("start", "/startTime", |span| stamp(span.start.as_nanos())),
    ("end", "/endTime", |span| span.end.map_or(Value::Null, |end| stamp(end.as_nanos()))),
    ("level", "/level", |span| (if span.status == Status::Error { "ERROR" } else { "DEFAULT" }).into()),
    ("status message", "/statusMessage", |span| {
        let error = span.error.as_ref().map(|error| error.message.as_str());
        text(error.filter(|error| !error.is_empty()))
    }),
    ("input", "/input", |span| document(span.input.as_ref())),
    ("output", "/output", |span| document(span.output.as_ref())),
    ("model", "/model", |span| match span.span_type.as_generation() {
        Some(call) => text(call.response_model.as_deref().or(call.model.as_deref())),
        None => text(span.span_type.model().and_then(|(model, ..)| model.map(Str::as_str))),
    }),
    ("parameters", "/modelParameters", |span| match of_call(span, parameters) {
        Value::Object(mut map) => {
            for value in
                map.values_mut().filter(|value| value.is_null() || value.is_array() || value.is_object())
            {
                *value = value.to_string().into();
            }
            map.into()
        }
        other => other,
    }),
    ("tokens", "/usageDetails", |span| {
        span.span_type.model().map_or(Value::Null, |(.., usage)| tokens(usage))
    }),
    ("cost", "/costDetails", |span| of_call(span, |call| call.cost.as_deref().map_or(Value::Null, cost))),
    ("first token", "/completionStartTime", |span| {
        let after = span.span_type.as_generation().and_then(|call| call.time_to_first_token);
        let at =
            |after: std::time::Duration| span.start.as_nanos() + u64::try_from(after.as_nanos()).unwrap();
        after.map_or(Value::Null, |after| stamp(at(after)))
    }),
    ("prompt", "/promptName", |span| {
        of_call(span, |call| text(call.prompt.as_ref().map(|prompt| prompt.name.as_str())))
    }),
    ("environment", "/environment", |span| text(span.context.environment.as_deref())),
    ("version", "/version", |span| {
        let of_service = span.resource.attributes.get("service.version").and_then(|version| version.as_str());
        text(span.context.version.as_deref().or(of_service))
    }),
    ("type", "/metadata/spanType", |span| span.span_type.name().into()),
];

/// What stands with the trace of a span.
const TRACES: &[Judged<Span>] = &[
    ("id", "/id", |span| span.trace_id.to_string().into()),
    ("name", "/name", |span| {
        let is_root = span.parent_span_id.is_none_or(|parent| parent == span.span_id);
        text(span.context.name.as_deref().or_else(|| is_root.then_some(span.name.as_str())))
    }),
    ("user", "/userId", |span| text(span.context.user_id.as_deref())),
    ("session", "/sessionId", |span| {
        text(span.context.session_id.as_deref().or(span.context.thread_id.as_deref()))
    }),
    ("tags", "/tags", |span| {
        let tags: Vec<_> = span.context.tags.iter().map(Str::as_str).collect();
        if tags.is_empty() { Value::Null } else { tags.into() }
    }),
    ("environment", "/environment", |span| text(span.context.environment.as_deref())),
    ("release", "/release", |span| text(span.context.release.as_deref())),
    ("version", "/version", |span| text(span.context.version.as_deref())),
    ("experiment", "/metadata/experimentId", |span| text(span.context.experiment_id.as_deref())),
    ("thread", "/metadata/threadId", |span| text(span.context.thread_id.as_deref())),
    ("organisation", "/metadata/organizationId", |span| text(span.context.organization_id.as_deref())),
    ("service", "/metadata/serviceName", |span| text(span.context.service.as_deref())),
    ("entity", "/metadata/entityId", |span| of_entity(span.context.entity.as_ref(), |entity| &entity.id)),
];

const LOGS: &[Judged<Log>] = &[
    ("trace", "/traceId", |log| text(log.span.map(|span| span.trace_id.to_string()).as_deref())),
    ("parent", "/parentObservationId", |log| {
        text(log.span.and_then(|span| span.span_id).map(|id| id.to_string()).as_deref())
    }),
    ("time", "/startTime", |log| stamp(log.time.as_nanos())),
    ("no end", "/endTime", |_| Value::Null),
    ("name", "/name", |_| "log".into()),
    ("level", "/level", |log| {
        let level = match log.level {
            Level::Trace | Level::Debug => "DEBUG",
            Level::Info => "DEFAULT",
            Level::Warn => "WARNING",
            Level::Error | Level::Fatal => "ERROR",
        };
        level.into()
    }),
    ("message", "/input", |log| log.message.as_str().into()),
    ("own level", "/metadata/level", |log| log.level.as_str().into()),
    ("event", "/metadata/eventName", |log| text(log.event_name.as_deref())),
    ("data", "/metadata/data", |log| document(log.data.as_ref())),
];

const WORDS: [&str; 2] = ["type", "name"];

const OLD_SCORES: &[Judged<Score>] = &[
    ("type", "/dataType", |score| old_type(&score.value).into()),
    ("name", "/name", |score| score.name.as_str().into()),
];

const OLD_FEEDBACK: &[Judged<Feedback>] = &[
    ("type", "/dataType", |feedback| old_type(&feedback.value).into()),
    ("value", "/value", |feedback| value(&feedback.value)),
    ("name", "/name", |feedback| format!("feedback_{}", feedback.kind).into()),
];

fn old_type(value: &ScoreValue) -> &'static str {
    match value {
        ScoreValue::Numeric { .. } => "NUMERIC",
        ScoreValue::Boolean(_) => "BOOLEAN",
        ScoreValue::Categorical(_) | ScoreValue::Text(_) => "CATEGORICAL",
    }
}

/// A document as it stands among others: JSON as such, text as text.
fn document(payload: Option<&Payload>) -> Value {
    payload.map_or(Value::Null, |payload| match payload.form() {
        Form::Text => payload.as_str().into(),
        Form::Json => serde_json::from_str(payload.as_str()).unwrap(),
        Form::Unchecked => serde_json::from_str(payload.as_str()).unwrap_or_else(|_| payload.as_str().into()),
    })
}

/// The events of these requests: what kind, and the body.
fn told(requests: &[Captured]) -> Vec<(String, Value)> {
    let of = |request: &Captured| -> Vec<_> {
        events(&request.body).iter().map(|event| (event.kind.clone(), event.body())).collect()
    };
    requests.iter().flat_map(of).collect()
}

fn compare<T>(rows: &[Judged<T>], skip: &[&str], record: &T, body: &Value) {
    for (what, pointer, read) in rows.iter().filter(|(what, ..)| !skip.contains(what)) {
        assert_eq!(body.pointer(pointer).cloned().unwrap_or_default(), read(record), "{what} of {body}");
    }
}

/// Compares a record with the events it became: its own is the last.
fn compare_one(one: &Batch, told: &[(String, Value)]) {
    let (kind_of_event, body) = told.last().unwrap();
    let expected = match one {
        Batch::Traces(records) => {
            let span = records.get(0).unwrap().span();
            compare(SPANS, &[], span, body);
            assert_eq!((told.len(), told[0].0.as_str()), (2, "trace-create"));
            compare(TRACES, &[], span, &told[0].1);
            let is_priced = ["generation", "embedding"].contains(&kind(&span.span_type));
            if is_priced { "generation-create" } else { "span-create" }
        }
        Batch::Logs(records) => {
            compare(LOGS, &[], records.get(0).unwrap(), body);
            "event-create"
        }
        Batch::Scores(records) => {
            let score = records.get(0).unwrap();
            compare(SCORES, &WORDS, score, body);
            compare(OLD_SCORES, &[], score, body);
            "score-create"
        }
        Batch::Feedback(records) => {
            let feedback = records.get(0).unwrap();
            compare(FEEDBACK, &WORDS, feedback, body);
            compare(OLD_FEEDBACK, &[], feedback, body);
            "score-create"
        }
        Batch::Metrics(_) => panic!("metrics are not taken"),
    };
    assert_eq!(kind_of_event, expected);
}

#[tokio::test]
async fn old_servers_are_told_what_was_recorded() {
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    let mut compared = [0; Signal::COUNT];
    let ordinary = Signal::ALL.into_iter().filter(|signal| *signal != Signal::Metrics).map(fixtures::batch);
    for batch in fixtures::trace_batches().into_iter().chain(ordinary) {
        let batch = conformance::input(&batch, &obs_langfuse::DESCRIPTOR);
        for one in (0..batch.len()).map(|at| batch.slice(at..at + 1)) {
            let receipt = bench.export(&one).await.unwrap();
            let told = told(&bench.server.take_requests());
            if receipt.delivered == 1 {
                compare_one(&one, &told);
                compared[one.signal().index()] += 1;
            }
        }
    }
    let [traces, metrics, logs, scores, feedback] =
        [Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Scores, Signal::Feedback]
            .map(|signal| compared[signal.index()]);
    assert!(metrics == 0 && [traces, logs, scores, feedback].iter().all(|count| *count > 8), "{compared:?}");
}
