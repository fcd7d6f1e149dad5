//! Every run decoded by other code than the exporter's, and held against its span by one table of fields.

use std::collections::HashMap;

use jiff::Timestamp as Instant;
use obs_core::{Batch, Exporter, Signal, Span, SpanRecord, SpanType};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::bench::{self, Sent};
use super::fields::{CONTEXT, IDS, MODEL, OTHERS};

/// The wire's value, times as microseconds since the epoch.
fn at(run: &Value, place: &str) -> Value {
    match run.pointer(place) {
        Some(Value::String(text)) if place.ends_with("_time") => {
            json!(text.parse::<Instant>().unwrap().as_microsecond())
        }
        found => found.cloned().unwrap_or_default(),
    }
}

async fn decoded(batch: &Batch) -> Vec<(Span, Sent)> {
    let server = bench::server().await;
    bench::exporter(&server).export(batch).await.unwrap();
    let mut runs: HashMap<String, Vec<Sent>> = HashMap::new();
    for sent in bench::sent(&server.requests()) {
        let id = sent.json["id"].as_str().unwrap()[19..].replace('-', "");
        runs.entry(id).or_default().push(sent);
    }
    let Batch::Traces(records) = batch else { panic!("traces") };
    let ended = records.iter().filter_map(SpanRecord::ended);
    let pairs: Vec<_> = ended
        .map(|span| (span.clone(), runs.get_mut(&span.span_id.to_string()).unwrap().remove(0)))
        .collect();
    assert!(runs.values().all(Vec::is_empty), "runs of no span");
    pairs
}

fn batches() -> [Batch; 3] {
    [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces), fixtures::trace_batches().remove(0)]
}

#[tokio::test]
async fn every_field_is_where_the_table_says() {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for batch in batches() {
        for (span, run) in decoded(&batch).await {
            for (what, place, read) in [IDS, CONTEXT, MODEL, OTHERS].concat() {
                let wanted = read(&span);
                *seen.entry(what).or_default() += usize::from(!wanted.is_null());
                assert_eq!(at(&run.json, place), wanted, "{what} of {:.40}", span.name);
            }
        }
    }
    let rows = [IDS, CONTEXT, MODEL, OTHERS].concat();
    let unseen: Vec<_> = rows.iter().filter(|(what, ..)| seen[what] == 0).map(|(what, ..)| what).collect();
    assert!(unseen.is_empty(), "no fixture has {unseen:?}");
}

/// A document as it should stand in a run.
fn wanted(payload: &obs_core::Payload, name: &str, role: Option<&str>) -> Option<Value> {
    let text = payload.as_str();
    let settled = payload.settled();
    let json = (settled.form() == obs_core::Form::Json).then(|| serde_json::from_str::<Value>(text).ok());
    Some(match (json, role) {
        // Beyond this reader.
        (Some(None), _) => return None,
        (None, Some(role)) => json!({"messages": [{"role": role, "content": text}]}),
        (None, None) => json!({ name: text }),
        (Some(Some(list @ Value::Array(_))), Some(_)) if list[0]["role"].is_string() => {
            json!({"messages": list})
        }
        (Some(Some(object @ Value::Object(_))), _) => object,
        (Some(Some(other)), _) => json!({ name: other }),
    })
}

#[tokio::test]
async fn inputs_and_outputs_are_the_documents_of_the_span() {
    let mut compared = 0;
    for batch in batches() {
        for (span, run) in decoded(&batch).await {
            let (user, assistant) = match span.span_type {
                SpanType::LlmGeneration(_) => (Some("user"), Some("assistant")),
                _ => (None, None),
            };
            for (payload, name, field, role) in
                [(&span.input, "input", "inputs", user), (&span.output, "output", "outputs", assistant)]
            {
                let sent = &run.json[field];
                assert!(sent.is_null() || sent.is_object(), "{field} of {:.40} is no object", span.name);
                let Some(wanted) = payload.as_ref().and_then(|payload| wanted(payload, name, role)) else {
                    continue;
                };
                if sent.get("beyond this reader").is_some() {
                    continue;
                }
                assert_eq!(sent, &wanted, "{field} of {:.40}", span.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[tokio::test]
async fn names_errors_and_events_are_the_spans() {
    for batch in batches() {
        for (span, run) in decoded(&batch).await {
            let own = if span.name.is_empty() { span.span_type.name() } else { &span.name };
            match span.context.name.as_deref().filter(|_| span.parent_span_id.is_none()) {
                Some(trace) if trace != own => {
                    assert_eq!((&run.json["name"], run.metadata("span_name")), (&json!(trace), &json!(own)));
                }
                _ => assert_eq!((&run.json["name"], run.metadata("span_name")), (&json!(own), &Value::Null)),
            }
            let error = run.json["error"].as_str().unwrap_or_default();
            let failed = span.error.is_some() || span.status == obs_core::Status::Error;
            assert_eq!(!error.is_empty(), failed, "{error:.80}");
            if let Some(info) = &span.error {
                assert!(
                    error.contains(info.message.as_str())
                        && info.stack.iter().all(|stack| error.contains(stack.as_str()))
                );
            }
            let events: Vec<&str> = run.json["events"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|event| event["name"].as_str().unwrap())
                .collect();
            let first =
                span.span_type.as_generation().and_then(|g| g.time_to_first_token).map(|_| "new_token");
            let wanted: Vec<&str> =
                first.into_iter().chain(span.events.iter().map(|event| event.name.as_str())).collect();
            assert_eq!(events, wanted);
            for (name, value) in span.attributes.iter() {
                assert_eq!(run.metadata(name), &json!(value), "attribute {name}");
            }
        }
    }
}
