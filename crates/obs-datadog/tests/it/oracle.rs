//! A second reading of what is sent: each span and evaluation is decoded by a table of fields that shares nothing with the
//! exporter, and held against the record it came from.

use obs_core::{
    Attributes, Batch, Feedback, Payload, Score, ScoreValue, Signal, Span, SpanRecord, SpanType, Status,
    Target, Timestamp, TraceContext, Usage, Value as Attribute,
};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use crate::server::sent;

/// What it is, where it stands, and how it is read off the record; null is absent.
type Field<T> = (&'static str, &'static str, fn(&T) -> Value);

fn or_null<T: serde::Serialize>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| serde_json::to_value(value).unwrap())
}

/// A count, absent where it is zero.
fn some(count: u64) -> Value {
    or_null(Some(count).filter(|count| *count > 0))
}

/// The usage of a model call.
fn usage(span: &Span) -> Option<&Usage> {
    match &span.span_type {
        SpanType::LlmGeneration(call) => Some(&call.usage),
        SpanType::Embedding(embedding) => Some(&embedding.usage),
        _ => None,
    }
}

const TRACE: &[Field<TraceContext>] = &[
    ("trace's name", "/metadata/trace_name", |context| or_null(context.name.clone())),
    ("user", "/metadata/user_id", |context| or_null(context.user_id.clone())),
    ("thread", "/metadata/thread_id", |context| or_null(context.thread_id.clone())),
    ("request", "/metadata/request_id", |context| or_null(context.request_id.clone())),
    ("organisation", "/metadata/organization_id", |context| or_null(context.organization_id.clone())),
    ("release", "/metadata/release", |context| or_null(context.release.clone())),
    ("version", "/metadata/trace_version", |context| or_null(context.version.clone())),
    ("entity", "/metadata/entity.id", |context| {
        or_null(context.entity.as_ref().and_then(|one| one.id.clone()))
    }),
    ("parent entity", "/metadata/parent_entity.name", |context| {
        or_null(context.parent_entity.as_ref().and_then(|one| one.name.clone()))
    }),
];

const SPAN: &[Field<Span>] = &[
    ("trace", "/trace_id", |span| json!(format!("{:032x}", span.trace_id.get()))),
    ("span", "/span_id", |span| json!(format!("{:016x}", span.span_id.get()))),
    ("parent", "/parent_id", |span| match span.parent_span_id {
        Some(parent) => json!(format!("{:016x}", parent.get())),
        None => json!("undefined"),
    }),
    ("name", "/name", |span| json!(span.name)),
    ("start", "/start_ns", |span| json!(span.start.as_nanos())),
    ("duration", "/duration", |span| {
        let end = span.end.map_or(0, Timestamp::as_nanos);
        json!(u64::try_from(i128::from(end) - i128::from(span.start.as_nanos())).unwrap_or(0))
    }),
    ("session", "/session_id", |span| or_null(span.context.session_id.clone())),
    ("status", "/status", |span| {
        json!(if span.status == Status::Error || span.error.is_some() { "error" } else { "ok" })
    }),
    ("error", "/meta/error/message", |span| or_null(span.error.as_ref().map(|error| error.message.clone()))),
    ("error's type", "/meta/error/type", |span| {
        or_null(span.error.as_ref().and_then(|error| error.error_type.clone()))
    }),
    ("model", "/meta/model_name", |span| match &span.span_type {
        SpanType::LlmGeneration(call) => or_null(call.model.clone().or(call.response_model.clone())),
        SpanType::Embedding(embedding) => or_null(embedding.model.clone()),
        _ => Value::Null,
    }),
    ("input tokens", "/metrics/input_tokens", |span| or_null(usage(span).and_then(|usage| usage.input))),
    ("output tokens", "/metrics/output_tokens", |span| or_null(usage(span).and_then(|usage| usage.output))),
    ("cached tokens", "/metrics/cache_read_input_tokens", |span| {
        usage(span).map_or(Value::Null, |usage| some(usage.input_details.cache_read))
    }),
    ("reasoning tokens", "/metrics/reasoning_output_tokens", |span| {
        usage(span).map_or(Value::Null, |usage| some(usage.output_details.reasoning))
    }),
    ("type", "/meta/metadata/span_type", |span| json!(span.span_type.name())),
    ("events", "/meta/metadata/events", |span| {
        or_null((!span.events.is_empty()).then(|| serde_json::to_string(&span.events).unwrap()))
    }),
    ("links", "/meta/metadata/links", |span| {
        or_null((!span.links.is_empty()).then(|| serde_json::to_string(&span.links).unwrap()))
    }),
];

const SCORE: &[Field<Score>] = &[
    ("id", "/metadata/score_id", |score| json!(score.id)),
    ("span", "/join_on/span/span_id", |score| match &score.target {
        Target::Span { span_id, .. } => json!(format!("{:016x}", span_id.get())),
        other => or_null(other.root_span_id().map(|root| format!("{:016x}", root.get()))),
    }),
    ("trace", "/join_on/span/trace_id", |score| {
        or_null(score.target.trace_id().map(|trace| format!("{:032x}", trace.get())))
    }),
    ("time", "/timestamp_ms", |score| json!(score.time.as_nanos() / 1_000_000)),
    ("comment", "/reasoning", |score| or_null(score.comment.clone())),
    ("source", "/metadata/source", |score| or_null(score.source.clone())),
    ("scorer", "/metadata/scorer_name", |score| {
        or_null(score.scorer.as_ref().and_then(|one| one.name.clone()))
    }),
];

const FEEDBACK: &[Field<Feedback>] = &[
    ("id", "/metadata/feedback_id", |given| json!(given.id)),
    ("time", "/timestamp_ms", |given| json!(given.time.as_nanos() / 1_000_000)),
    ("comment", "/reasoning", |given| or_null(given.comment.clone())),
    ("source", "/metadata/source", |given| or_null(given.source.clone())),
    ("session", "/session_id", |given| match &given.target {
        Target::Session { session_id } => json!(session_id),
        _ => Value::Null,
    }),
];

/// Every field of the table.
fn hold<T>(table: &[Field<T>], record: &T, told: &Value) {
    for (what, place, read) in table {
        let found = told.pointer(place).unwrap_or(&Value::Null);
        assert_eq!(*found, read(record), "{what} at {place}, in {told:.2000}");
    }
}

/// Each attribute stands under its name, or under it with where it is from before it, as a number, a truth value or a text.
fn hold_attributes(attributes: &Attributes, source: &str, metadata: &Value) {
    for (name, value) in attributes.iter() {
        let expected = match value {
            Attribute::Bool(_) | Attribute::I64(_) | Attribute::Str(_) | Attribute::F64(_) => json!(value),
            Attribute::Null => json!("null"),
            nested => json!(serde_json::to_string(nested).unwrap()),
        };
        let mut place = name.to_string();
        let found = std::iter::repeat_with(|| {
            let found = metadata.get(&place).cloned();
            place = format!("{source}.{place}");
            found
        });
        let found = found.take(5).flatten().any(|found| found == expected);
        assert!(found, "{source} {name}: {expected} is lost in {metadata:.3000}");
    }
}

/// The value of a judgement, told by the only field that has one.
fn hold_value(value: &ScoreValue, told: &Value) {
    let fields = ["score_value", "boolean_value", "categorical_value", "text_value"];
    let found: Vec<_> = fields.iter().filter_map(|name| told.get(*name)).collect();
    let expected = match value {
        ScoreValue::Numeric { value, .. } => json!(value),
        ScoreValue::Boolean(value) => json!(value),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => json!(words),
    };
    assert_eq!(found, [&expected]);
}

/// Every text of a document, wherever it stands.
fn texts(payload: &Payload) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(fields) => {
                fields.iter().filter(|(name, _)| *name != "type").for_each(|(_, value)| collect(value, into));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    match serde_json::from_str(payload.as_str()) {
        Ok(value) => collect(&value, &mut all),
        Err(_) => all.push(payload.as_str().to_owned()),
    }
    all
}

fn spans_of(batch: &Batch) -> Vec<Span> {
    let Batch::Traces(records) = batch else { panic!("no spans") };
    records.iter().filter_map(SpanRecord::ended).cloned().collect()
}

#[tokio::test]
async fn every_span_says_what_the_record_says() {
    let mut held = 0;
    for batch in [
        fixtures::batch(Signal::Traces),
        fixtures::nasty(Signal::Traces),
        fixtures::trace_batches().swap_remove(0),
    ] {
        for span in spans_of(&batch) {
            let sent = sent(crate::server::ended([span.clone()])).await;
            if sent.receipt.delivered == 0 {
                continue;
            }
            let told = sent.span();
            hold(SPAN, &span, &told);
            hold(TRACE, &span.context, &told["meta"]);
            hold_attributes(&span.attributes, "attributes", &told["meta"]["metadata"]);
            hold_attributes(&span.context.metadata, "trace_metadata", &told["meta"]["metadata"]);
            held += 1;
        }
    }
    assert!(held > 40, "{held} spans");
}

#[tokio::test]
async fn no_text_of_an_input_or_output_is_lost() {
    for span in spans_of(&fixtures::batch(Signal::Traces)) {
        let told = sent(crate::server::ended([span.clone()])).await.span();
        let whole = serde_json::to_string(&told["meta"]).unwrap();
        for payload in [&span.input, &span.output].into_iter().flatten() {
            for text in texts(payload) {
                let quoted = serde_json::to_string(&text).unwrap();
                let inner = quoted.trim_matches('"');
                let twice = serde_json::to_string(inner).unwrap();
                assert!(
                    whole.contains(inner) || whole.contains(twice.trim_matches('"')),
                    "{text} of {} is lost: {whole:.3000}",
                    span.name
                );
            }
        }
    }
}

#[tokio::test]
async fn every_judgement_says_what_the_record_says() {
    let mut held = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        match &batch {
            Batch::Scores(all) => {
                for score in all.iter() {
                    let sent = sent(crate::server::scores([score.clone()])).await;
                    let Some(told) = sent.evaluations().pop() else { continue };
                    hold(SCORE, score, &told);
                    hold(TRACE, &score.context, &told);
                    hold_value(&score.value, &told);
                    hold_attributes(&score.metadata, "score_metadata", &told["metadata"]);
                    held += 1;
                }
            }
            Batch::Feedback(all) => {
                for given in all.iter() {
                    let sent = sent(crate::server::feedback([given.clone()])).await;
                    let Some(told) = sent.evaluations().pop() else { continue };
                    hold(FEEDBACK, given, &told);
                    hold_value(&given.value, &told);
                    hold_attributes(&given.metadata, "feedback_metadata", &told["metadata"]);
                    held += 1;
                }
            }
            _ => {}
        }
    }
    assert!(held > 20, "{held} judgements");
}
