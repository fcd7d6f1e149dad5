//! Where in canonical JSON each column is from.

use obs_core::{Batch, Form, Payload, Signal, SpanRecord};
use serde::Serialize;
use serde_json::{Value, json};

/// A column and where it is from.
pub(super) struct Field {
    pub(super) column: &'static str,
    pub(super) from: From,
    /// Places that say the same again, where they do.
    pub(super) also: &'static [&'static str],
    /// Whether numbers of any size stand in it.
    pub(super) is_json: bool,
}

/// Where a cell is from.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// The first of these places that there is.
    At(&'static [&'static str]),
    /// What the document as a whole says.
    By(fn(&Value) -> Value),
    /// What no other column says; checked apart.
    Rest,
}

const fn at(column: &'static str, places: &'static [&'static str]) -> Field {
    Field { column, from: From::At(places), also: &[], is_json: false }
}

const fn whole(column: &'static str, places: &'static [&'static str]) -> Field {
    Field { column, from: From::At(places), also: &[], is_json: true }
}

const fn by(column: &'static str, read: fn(&Value) -> Value) -> Field {
    Field { column, from: From::By(read), also: &[], is_json: false }
}

/// A column of the record's own, whose context may say it again.
const fn own(column: &'static str, place: &'static [&'static str], also: &'static [&'static str]) -> Field {
    Field { column, from: From::At(place), also, is_json: false }
}

/// Every column of a signal, in order.
pub(super) fn map(signal: Signal) -> Vec<Field> {
    let fields = match signal {
        Signal::Traces => [spans(), who(), span_documents()].into_iter().flatten().collect::<Vec<_>>(),
        Signal::Metrics => metrics(),
        Signal::Logs => logs(),
        Signal::Scores => judgement(at("name", &["/name"]), scorer()),
        Signal::Feedback => {
            judgement(at("kind", &["/kind"]), vec![own("user_id", &["/user_id"], &["/context/user_id"])])
        }
    };
    let rest = Field { column: "rest", from: From::Rest, also: &[], is_json: true };
    [fields, context(), vec![rest]].into_iter().flatten().collect()
}

fn spans() -> Vec<Field> {
    vec![
        at("trace_id", &["/trace_id"]),
        at("span_id", &["/span_id"]),
        at("parent_span_id", &["/parent_span_id"]),
        by("root_span_id", |span| match span["path"].as_array().and_then(|path| path.last()) {
            Some(top) if top["is_root"] == true => top["span_id"].clone(),
            None if span["parent_span_id"].is_null() => span["span_id"].clone(),
            _ => Value::Null,
        }),
        at("name", &["/name"]),
        at("type", &["/type"]),
        at("kind", &["/kind"]),
        at("status", &["/status"]),
        at("record", &["/record"]),
        by("start_time", |span| span["start"].clone()),
        at("start_ns", &["/start"]),
        by("end_time", |span| span["end"].clone()),
        at("end_ns", &["/end"]),
        by("duration_ns", |span| {
            let end = span["end"].as_u64();
            end.map(|end| end.saturating_sub(span["start"].as_u64().unwrap())).into()
        }),
        at("model", &["/type_fields/model"]),
        at("provider", &["/type_fields/provider"]),
        at("response_model", &["/type_fields/response_model"]),
        at("response_id", &["/type_fields/response_id"]),
        at("finish_reason", &["/type_fields/finish_reason"]),
        at("streaming", &["/type_fields/streaming"]),
        at("time_to_first_token_ns", &["/type_fields/time_to_first_token"]),
        at("prompt_name", &["/type_fields/prompt/name"]),
        at("prompt_version", &["/type_fields/prompt/version"]),
        at("input_tokens", &["/type_fields/usage/input"]),
        at("output_tokens", &["/type_fields/usage/output"]),
        by("cache_read_tokens", |span| tokens(span, "input_details", "cache_read")),
        by("cache_write_tokens", |span| tokens(span, "input_details", "cache_write")),
        by("cache_write_5m_tokens", |span| tokens(span, "input_details", "cache_write_5m")),
        by("cache_write_1h_tokens", |span| tokens(span, "input_details", "cache_write_1h")),
        by("input_audio_tokens", |span| tokens(span, "input_details", "audio")),
        by("input_image_tokens", |span| tokens(span, "input_details", "image")),
        by("reasoning_tokens", |span| tokens(span, "output_details", "reasoning")),
        by("output_audio_tokens", |span| tokens(span, "output_details", "audio")),
        by("output_image_tokens", |span| tokens(span, "output_details", "image")),
        at("cost", &["/type_fields/cost/total"]),
        at("cost_input", &["/type_fields/cost/input"]),
        at("cost_output", &["/type_fields/cost/output"]),
        at("cost_currency", &["/type_fields/cost/currency"]),
        by("cost_partial", |span| flag(&span["type_fields"]["cost"], "partial")),
        by("cost_estimated", |span| flag(&span["type_fields"]["cost"], "estimated")),
        at("agent_id", &["/type_fields/agent_id"]),
        at("agent_name", &["/type_fields/agent_name", "/type_fields/agent", "/type_fields/call/agent"]),
        at("workflow_id", &["/type_fields/workflow_id"]),
        at("workflow_run_id", &["/type_fields/run_id"]),
        at("tool_name", &["/type_fields/tool", "/type_fields/call/tool"]),
        at("tool_call_id", &["/type_fields/call_id", "/type_fields/call/call_id"]),
        at("tool_success", &["/type_fields/success", "/type_fields/call/success"]),
        whole("type_fields", &["/type_fields"]),
        at("error_type", &["/error/type"]),
        at("error_message", &["/error/message"]),
        whole("error", &["/error"]),
    ]
}

fn span_documents() -> Vec<Field> {
    vec![
        at("input", &["/input"]),
        at("input_is_json", &["/input_is_json"]),
        at("output", &["/output"]),
        at("output_is_json", &["/output_is_json"]),
        whole("attributes", &["/attributes"]),
        whole("events", &["/events"]),
        whole("links", &["/links"]),
        whole("ancestors", &["/path"]),
        at("judged", &["/judged"]),
        at("remote_parent", &["/remote_parent"]),
        at("trace_flags", &["/trace_flags"]),
        at("trace_state", &["/trace_state"]),
    ]
}

fn metrics() -> Vec<Field> {
    let mut fields = vec![
        by("time", |metric| metric["time"].clone()),
        at("time_ns", &["/time"]),
        by("start_time", |metric| metric["start"].clone()),
        at("start_ns", &["/start"]),
        at("name", &["/name"]),
        at("type", &["/type"]),
        at("value", &["/value/value", "/histogram/sum", "/value"]),
        at("count", &["/histogram/count"]),
        at("min", &["/histogram/min"]),
        at("max", &["/histogram/max"]),
        at("monotonic", &["/value/monotonic"]),
        at("temporality", &["/temporality"]),
        at("unit", &["/unit"]),
        at("description", &["/description"]),
        at("trace_id", &["/exemplar/span/trace_id"]),
        at("span_id", &["/exemplar/span/span_id"]),
        at("cost", &["/cost/total"]),
        at("cost_input", &["/cost/input"]),
        at("cost_output", &["/cost/output"]),
        at("cost_currency", &["/cost/currency"]),
        at("cost_partial", &["/cost/partial"]),
        at("cost_estimated", &["/cost/estimated"]),
    ];
    fields.extend(who());
    fields.extend([
        whole("labels", &["/labels"]),
        whole("histogram", &["/histogram"]),
        whole("exemplar", &["/exemplar"]),
    ]);
    fields
}

fn logs() -> Vec<Field> {
    let mut fields = vec![
        by("time", |log| log["time"].clone()),
        at("time_ns", &["/time"]),
        at("level", &["/level"]),
        at("message", &["/message"]),
        at("event_name", &["/event_name"]),
        at("trace_id", &["/span/trace_id"]),
        at("span_id", &["/span/span_id"]),
    ];
    fields.extend(who());
    fields.extend([
        at("data", &["/data"]),
        at("data_is_json", &["/data_is_json"]),
        whole("attributes", &["/attributes"]),
    ]);
    fields
}

fn judgement(name: Field, who: Vec<Field>) -> Vec<Field> {
    let mut fields =
        vec![at("id", &["/id"]), by("time", |of| of["time"].clone()), at("time_ns", &["/time"]), name];
    fields.extend([
        at("value_type", &["/value_type"]),
        at("value", &["/number"]),
        at("label", &["/words"]),
        at("value_min", &["/range/min"]),
        at("value_max", &["/range/max"]),
        at("comment", &["/comment"]),
        at("source", &["/source"]),
        at("target", &["/target_kind"]),
        at("trace_id", &["/target/trace_id"]),
        at("span_id", &["/target/span_id"]),
        at("root_span_id", &["/target/root_span_id"]),
        own("session_id", &["/target/session_id", "/context/session_id"], &["/context/session_id"]),
        at("run_id", &["/target/run_id"]),
        own("experiment_id", &["/experiment_id"], &["/context/experiment_id"]),
    ]);
    fields.extend(who);
    fields.push(whole("metadata", &["/metadata"]));
    fields
}

fn scorer() -> Vec<Field> {
    vec![
        at("scorer", &["/scorer/name", "/scorer/id"]),
        at("scorer_id", &["/scorer/id"]),
        at("scorer_version", &["/scorer/version"]),
        at("user_id", &["/context/user_id"]),
    ]
}

fn who() -> Vec<Field> {
    vec![
        at("session_id", &["/context/session_id"]),
        at("user_id", &["/context/user_id"]),
        at("experiment_id", &["/context/experiment_id"]),
    ]
}

fn context() -> Vec<Field> {
    vec![
        at("trace_name", &["/context/name"]),
        at("thread_id", &["/context/thread_id"]),
        at("request_id", &["/context/request_id"]),
        at("organization_id", &["/context/organization_id"]),
        at("environment", &["/context/environment"]),
        at("release", &["/context/release"]),
        at("version", &["/context/version"]),
        at("service", &["/context/service", "/resource/attributes/service.name"]),
        whole("tags", &["/context/tags"]),
        whole("entity", &["/context/entity"]),
        whole("parent_entity", &["/context/parent_entity"]),
        whole("trace_metadata", &["/context/metadata"]),
        whole("resource", &["/resource"]),
    ]
}

/// A bucket, zero where others were reported.
fn tokens(span: &Value, details: &str, bucket: &str) -> Value {
    let usage = &span["type_fields"]["usage"];
    match &usage[details][bucket] {
        Value::Null if usage.is_object() => json!(0),
        tokens => tokens.clone(),
    }
}

/// Whether a cost is partial or estimated, of which canonical JSON says nothing where it is not.
fn flag(cost: &Value, name: &str) -> Value {
    if cost.is_object() { json!(cost[name] == true) } else { Value::Null }
}

/// The records of a batch as canonical JSON, with what is left out there put in, and with what a variant is called
/// beside what is in it.
pub(super) fn documents(batch: &Batch) -> Vec<Value> {
    match batch {
        Batch::Traces(records) => records.iter().map(span).collect(),
        Batch::Metrics(records) => records.iter().map(|record| metric(json_of(record))).collect(),
        Batch::Logs(records) => records
            .iter()
            .map(|log| {
                let mut bare = log.clone();
                let data = bare.data.take();
                with_document(without_nothing(json_of(&bare)), "data", data.as_ref())
            })
            .collect(),
        Batch::Scores(records) => records.iter().map(|record| judged(json_of(record))).collect(),
        Batch::Feedback(records) => records.iter().map(|record| judged(json_of(record))).collect(),
    }
}

fn json_of<T: Serialize>(record: &T) -> Value {
    serde_json::to_value(record).unwrap()
}

fn span(record: &SpanRecord) -> Value {
    let mut bare = record.clone();
    let (input, output) = (bare.span_mut().input.take(), bare.span_mut().output.take());
    let (kind, mut span) = variant(json_of(&bare));
    span["record"] = kind;
    for (field, default) in [
        ("kind", json!("internal")),
        ("status", json!("unset")),
        ("judged", json!(false)),
        ("remote_parent", json!(false)),
    ] {
        if span[field].is_null() {
            span[field] = default;
        }
    }
    let (span_type, fields) = variant(span["type"].take());
    span["type"] = span_type;
    if !fields.is_null() {
        span["type_fields"] = fields;
    }
    with_document(with_document(without_nothing(span), "input", input.as_ref()), "output", output.as_ref())
}

fn metric(mut metric: Value) -> Value {
    let (kind, value) = variant(metric["value"].take());
    let field = if kind.as_str().unwrap().ends_with("histogram") { "histogram" } else { "value" };
    metric[field] = value;
    metric["type"] = kind;
    if metric["cost"].is_object() {
        for name in ["partial", "estimated"] {
            metric["cost"][name] = flag(&metric["cost"], name);
        }
    }
    without_nothing(metric)
}

fn judged(mut judgement: Value) -> Value {
    (judgement["target_kind"], judgement["target"]) = variant(judgement["target"].take());
    let (value_type, mut value) = variant(judgement["value"].take());
    judgement["value_type"] = value_type;
    match value {
        Value::Bool(value) => {
            judgement["number"] = json!(f64::from(u8::from(value)));
            judgement["words"] = json!(value.to_string());
        }
        Value::String(words) => judgement["words"] = json!(words),
        _ => (judgement["number"], judgement["range"]) = (value["value"].take(), value["range"].take()),
    }
    without_nothing(judgement)
}

/// The name of a variant and what is in it.
fn variant(value: Value) -> (Value, Value) {
    match value {
        Value::Object(fields) => {
            let (name, inner) = fields.into_iter().next().unwrap();
            (name.into(), inner)
        }
        name => (name, Value::Null),
    }
}

/// Without a context, a resource and a scorer of which nothing is known, and the places that were asked for in vain.
fn without_nothing(mut document: Value) -> Value {
    let fields = document.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    for field in ["context", "resource", "scorer"] {
        if fields.get(field) == Some(&json!({})) {
            fields.remove(field);
        }
    }
    document
}

/// With the text of a payload, which may be JSON that no other reader takes.
fn with_document(mut document: Value, field: &str, payload: Option<&Payload>) -> Value {
    if let Some(payload) = payload.map(Payload::settled) {
        document[field] = json!(payload.as_str());
        document[format!("{field}_is_json")] = json!(payload.form() == Form::Json);
    }
    document
}
