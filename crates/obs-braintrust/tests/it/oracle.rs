//! A second reading of what is sent: each row is decoded by a table of fields that shares nothing with the exporter, and
//! held against the record it came from.

use std::collections::{BTreeMap, BTreeSet};

use obs_core::{
    Attributes, Batch, Feedback, InputTokens, Log, OutputTokens, Payload, Records, Score, ScoreValue, Signal,
    Span, SpanRecord, SpanType, Timestamp, TraceContext, Usage,
};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use crate::server::{lenient, sent};

/// What it is, where it stands in the row, and how it is read off the record; null is absent.
type Field<T> = (&'static str, &'static str, fn(&T) -> Value);

/// A time in seconds as the wire has it, from the whole number of microseconds.
fn seconds(time: Timestamp) -> Value {
    json!(time.as_micros() as f64 / 1e6)
}

/// The same to a microsecond, since floats differ in their last digit by the way that they were made.
fn near(told: &Value, wanted: &Value) -> bool {
    match (told.as_f64(), wanted.as_f64()) {
        (Some(told), Some(wanted)) => (told - wanted).abs() <= 2e-6_f64.max(wanted.abs() * 1e-15),
        _ => told == wanted,
    }
}

fn or_null<T: serde::Serialize>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| serde_json::to_value(value).unwrap())
}

fn usage(span: &Span) -> Option<&Usage> {
    span.span_type.model().map(|(_, _, usage)| usage)
}

fn input(span: &Span, part: fn(&InputTokens) -> u64) -> Value {
    or_null(usage(span).map(|usage| part(&usage.input_details)).filter(|tokens| *tokens > 0))
}

fn output(span: &Span, part: fn(&OutputTokens) -> u64) -> Value {
    or_null(usage(span).map(|usage| part(&usage.output_details)).filter(|tokens| *tokens > 0))
}

/// A document: JSON as itself, words as words; of a model call words are a message.
fn document(span: &Span, document: Option<&Payload>, role: &str) -> Value {
    let Some(document) = document else { return Value::Null };
    let json = lenient(&serde_json::to_string(document).unwrap());
    let chat = matches!(span.span_type, SpanType::LlmGeneration(_)) && json.is_string();
    if chat { json!([{"role": role, "content": json}]) } else { json }
}

const SPAN: &[Field<Span>] = &[
    ("row", "/id", |span| json!(span.span_id)),
    ("span", "/span_id", |span| json!(span.span_id)),
    ("trace", "/root_span_id", |span| json!(span.trace_id)),
    ("parent", "/span_parents", |span| json!(span.parent_span_id.into_iter().collect::<Vec<_>>())),
    ("name", "/span_attributes/name", |span| json!(span.name)),
    ("type", "/span_attributes/type", |span| {
        json!(match span.span_type.name() {
            "llm_generation" | "embedding" => "llm",
            "tool_call" | "mcp_tool_call" => "tool",
            "workflow_step" | "memory_lookup" | "memory_update" | "rag_query" => "function",
            "eval_execution" => "score",
            _ => "task",
        })
    }),
    ("purpose", "/span_attributes/purpose", |span| {
        or_null((span.span_type.name() == "eval_execution").then_some("scorer"))
    }),
    ("start", "/metrics/start", |span| seconds(span.start)),
    ("end", "/metrics/end", |span| span.end.map_or(Value::Null, seconds)),
    ("created", "/created", |span| json!(span.start.rfc3339().to_string())),
    ("input", "/input", |span| document(span, span.input.as_ref(), "user")),
    ("output", "/output", |span| document(span, span.output.as_ref(), "assistant")),
    ("input tokens", "/metrics/prompt_tokens", |span| or_null(usage(span).and_then(|usage| usage.input))),
    ("output tokens", "/metrics/completion_tokens", |span| {
        or_null(usage(span).and_then(|usage| usage.output))
    }),
    ("tokens", "/metrics/tokens", |span| or_null(usage(span).and_then(Usage::total))),
    ("cached", "/metrics/prompt_cached_tokens", |span| input(span, |input| input.cache_read)),
    ("written to the cache", "/metrics/prompt_cache_creation_tokens", |span| {
        input(span, |input| {
            [input.cache_write, input.cache_write_5m, input.cache_write_1h]
                .iter()
                .fold(0, |a, b| a.saturating_add(*b))
        })
    }),
    ("for 5 minutes", "/metrics/prompt_cache_creation_5m_tokens", |span| {
        input(span, |input| input.cache_write_5m)
    }),
    ("for an hour", "/metrics/prompt_cache_creation_1h_tokens", |span| {
        input(span, |input| input.cache_write_1h)
    }),
    ("audio in", "/metrics/prompt_audio_tokens", |span| input(span, |input| input.audio)),
    ("images in", "/metrics/prompt_image_tokens", |span| input(span, |input| input.image)),
    ("reasoning", "/metrics/completion_reasoning_tokens", |span| output(span, |output| output.reasoning)),
    ("audio out", "/metrics/completion_audio_tokens", |span| output(span, |output| output.audio)),
    ("images out", "/metrics/completion_image_tokens", |span| output(span, |output| output.image)),
    ("first token", "/metrics/time_to_first_token", |span| {
        or_null(
            span.span_type
                .as_generation()
                .and_then(|call| call.time_to_first_token)
                .map(|time| time.as_secs_f64()),
        )
    }),
    ("cost", "/metrics/estimated_cost", |span| {
        or_null(span.span_type.as_generation().and_then(|call| Some(call.cost.as_ref()?.total)))
    }),
    ("parts of the cost", "/metadata/cost", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.cost.clone()))
    }),
    ("error", "/error", |span| match &span.error {
        Some(error) => serde_json::to_value(error).unwrap(),
        None if span.status == obs_core::Status::Error => json!("it failed, and did not say how"),
        None => Value::Null,
    }),
    ("model", "/metadata/model", |span| or_null(span.span_type.model().and_then(|(model, _, _)| model))),
    ("provider", "/metadata/provider", |span| {
        or_null(span.span_type.model().and_then(|(_, provider, _)| provider))
    }),
    ("prompt", "/metadata/prompt", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.prompt.clone()))
    }),
    ("top p", "/metadata/top_p", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.parameters.top_p))
    }),
    ("stopped", "/metadata/finish_reason", |span| {
        or_null(span.span_type.as_generation().and_then(|call| call.finish_reason.clone()))
    }),
    ("type in obs", "/metadata/span_type", |span| json!(span.span_type.name())),
    ("links", "/metadata/links", |span| or_null((!span.links.is_empty()).then_some(&span.links))),
    ("events", "/metadata/events", |span| {
        let event = |event: &obs_core::Event| {
            let mut told = json!({"time": event.time.rfc3339().to_string(), "name": event.name});
            if !event.attributes.is_empty() {
                told["attributes"] = json!(event.attributes);
            }
            told
        };
        or_null((!span.events.is_empty()).then(|| span.events.iter().map(event).collect::<Vec<_>>()))
    }),
    ("state", "/metadata/trace_state", |span| or_null(span.trace_state.clone())),
    ("tags", "/tags", |span| {
        or_null(
            (span.parent_span_id.is_none() && !span.context.tags.is_empty()).then_some(&span.context.tags),
        )
    }),
    ("merged", "/_is_merge", |_| json!(true)),
];

/// What every row says of its trace.
const TRACE: &[Field<TraceContext>] = &[
    ("user", "/metadata/user_id", |context| or_null(context.user_id.clone())),
    ("session", "/metadata/session_id", |context| or_null(context.session_id.clone())),
    ("thread", "/metadata/thread_id", |context| or_null(context.thread_id.clone())),
    ("request", "/metadata/request_id", |context| or_null(context.request_id.clone())),
    ("organisation", "/metadata/organization_id", |context| or_null(context.organization_id.clone())),
    ("environment", "/metadata/environment", |context| or_null(context.environment.clone())),
    ("release", "/metadata/release", |context| or_null(context.release.clone())),
    ("version", "/metadata/version", |context| or_null(context.version.clone())),
    ("trace's name", "/metadata/trace_name", |context| or_null(context.name.clone())),
    ("experiment", "/metadata/experiment_id", |context| or_null(context.experiment_id.clone())),
    ("entity", "/metadata/entity", |context| or_null(context.entity.clone())),
    ("parent entity", "/metadata/parent_entity", |context| or_null(context.parent_entity.clone())),
];

const LOG: &[Field<Log>] = &[
    ("message", "/output", |log| json!(log.message)),
    ("type", "/span_attributes/type", |_| json!("log")),
    ("level", "/span_attributes/log_level", |log| json!(log.level)),
    ("time", "/metrics/start", |log| seconds(log.time)),
    ("no length", "/metrics/end", |log| seconds(log.time)),
    ("created", "/created", |log| json!(log.time.rfc3339().to_string())),
    ("event", "/metadata/event_name", |log| or_null(log.event_name.clone())),
    ("document", "/metadata/data", |log| {
        log.data.as_ref().map_or(Value::Null, |data| lenient(&serde_json::to_string(data).unwrap()))
    }),
];

/// Every field of the table, and the record's own attributes.
fn hold<T>(table: &[Field<T>], record: &T, row: &Value) {
    for (what, place, read) in table {
        let told = row.pointer(place).unwrap_or(&Value::Null);
        // JSON has no names for what is no number, which the canonical form has as texts.
        let wanted = lenient(&read(record).to_string());
        assert!(near(told, &wanted), "{what} at {place}: {told} and not {wanted}, in {row:.2000}");
    }
}

/// Each attribute stands under its name, or in the object for those whose name is taken.
fn hold_attributes(attributes: &Attributes, object: &str, row: &Value) {
    let metadata = &row["metadata"];
    for (name, value) in attributes.iter() {
        let (flat, covered) = (&metadata[name.as_str()], &metadata[object][name.as_str()]);
        let value = serde_json::to_value(value).unwrap();
        assert!(near(flat, &value) || near(covered, &value), "{object} {name}: {value} is lost");
    }
}

fn spans(batch: Batch) -> Records<SpanRecord> {
    let Batch::Traces(records) = batch else { panic!("no traces") };
    records
}

#[tokio::test]
async fn every_row_of_a_span_says_what_the_span_says() {
    let batches = [
        fixtures::batch(Signal::Traces),
        fixtures::nasty(Signal::Traces),
        fixtures::trace_batches().swap_remove(0),
    ];
    for batch in batches {
        let records = spans(batch.clone());
        // Of a start and an end in one batch the end is sent; of two ends, both, in their order.
        let ended: BTreeSet<_> =
            records.iter().filter_map(SpanRecord::ended).map(|span| span.span_id).collect();
        let mut wanted: BTreeMap<String, Vec<&Span>> = BTreeMap::new();
        for record in records
            .iter()
            .filter(|record| record.ended().is_some() || !ended.contains(&record.span().span_id))
        {
            wanted.entry(record.span().span_id.to_string()).or_default().push(record.span());
        }
        let sent = sent(batch).await;
        assert_eq!(sent.rows.len(), wanted.values().map(Vec::len).sum::<usize>());
        for row in &sent.rows {
            let span = wanted.get_mut(row["id"].as_str().unwrap()).unwrap().remove(0);
            hold(SPAN, span, row);
            hold(TRACE, &span.context, row);
            hold_attributes(&span.attributes, "attributes", row);
            hold_attributes(&span.context.metadata, "trace_metadata", row);
            if let Some(call) = span.span_type.as_generation() {
                hold_attributes(&call.parameters.other, "parameters", row);
            }
        }
    }
}

#[tokio::test]
async fn every_row_of_a_log_says_what_the_log_says() {
    let batches = [
        fixtures::batch(Signal::Logs),
        fixtures::nasty(Signal::Logs),
        fixtures::trace_batches().swap_remove(1),
    ];
    for batch in batches {
        let Batch::Logs(records) = batch.clone() else { panic!("no logs") };
        let sent = sent(batch).await;
        assert_eq!(sent.rows.len(), records.len());
        for (row, log) in sent.rows.iter().zip(records.iter()) {
            hold(LOG, log, row);
            hold(TRACE, &log.context, row);
            hold_attributes(&log.attributes, "attributes", row);
        }
    }
}

/// What any judgement must leave behind, wherever that is: its value, its comment and its metadata.
fn hold_judgement(
    items: &[Value],
    rows: &[Value],
    id: &str,
    (name, value): (&str, &ScoreValue),
    comment: Option<&str>,
) {
    let item = items
        .iter()
        .find(|item| [&item["metadata"]["score_id"], &item["metadata"]["feedback_id"]].contains(&&json!(id)));
    let raw = |found: &Value| found["metadata"]["raw_scores"][name].clone();
    match value {
        ScoreValue::Boolean(yes) => {
            let told = item.map(|item| (item["scores"][name].clone(), item["expected"].clone()));
            assert!(
                [Some((json!(f64::from(u8::from(*yes))), Value::Null)), Some((Value::Null, json!(yes)))]
                    .contains(&told),
                "{told:?}"
            );
        }
        ScoreValue::Numeric { value, .. } => {
            let number = json!(obs_core::Value::F64(*value));
            let said = item.is_some_and(|item| {
                item["scores"][name] == number || raw(item) == number || item["expected"] == number
            });
            assert!(said || rows.iter().any(|row| raw(row) == number), "{name} {value} is lost");
        }
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => {
            let item = item.unwrap();
            let told = item["comment"].as_str().unwrap_or_default();
            assert!(
                told.contains(words.as_str()) || item["expected"] == json!(words),
                "{words} is lost: {item:.500}"
            );
        }
    }
    for comment in comment.into_iter().filter(|comment| !comment.is_empty()) {
        assert!(item.unwrap()["comment"].as_str().unwrap().ends_with(comment), "{comment} is lost");
    }
}

#[tokio::test]
async fn every_judgement_leaves_its_value_its_comment_and_its_metadata() {
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        let sent = match &batch {
            Batch::Scores(_) | Batch::Feedback(_) => sent(batch.clone()).await,
            _ => continue,
        };
        let refused: BTreeSet<String> = sent
            .receipt
            .rejected
            .iter()
            .filter_map(|rejection| rejection.records.as_ref())
            .flat_map(ids)
            .collect();
        for id in ids(&batch).into_iter().filter(|id| !refused.contains(id)) {
            match &batch {
                Batch::Scores(scores) => {
                    let score: &Score = scores.iter().find(|score| score.id.to_string() == id).unwrap();
                    hold_judgement(
                        &sent.items,
                        &sent.rows,
                        &id,
                        (&score.name, &score.value),
                        score.comment.as_deref(),
                    );
                }
                Batch::Feedback(all) => {
                    let given: &Feedback = all.iter().find(|given| given.id.to_string() == id).unwrap();
                    hold_judgement(
                        &sent.items,
                        &sent.rows,
                        &id,
                        (&given.kind, &given.value),
                        given.comment.as_deref(),
                    );
                }
                _ => {}
            }
        }
        for item in &sent.items {
            assert!(
                item["metadata"]["time"].is_string()
                    && ["api", "app", "external"].contains(&item["source"].as_str().unwrap())
            );
        }
    }
}

fn ids(batch: &Batch) -> Vec<String> {
    match batch {
        Batch::Scores(scores) => scores.iter().map(|score| score.id.to_string()).collect(),
        Batch::Feedback(all) => all.iter().map(|given| given.id.to_string()).collect(),
        _ => Vec::new(),
    }
}
