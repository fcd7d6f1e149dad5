//! Logs into requests.

use std::time::Duration;

use obs_core::{Entity, Level, Log, Mapped, Payload, Records, Refused, SpanRef, Str, Value, write_json};

use crate::log_fields::{Entries, Field, Fields};
use crate::pack::Packer;
use crate::tags::Unified;
use crate::wire::{Place, Request};
use crate::{DatadogExporter, TraceIdFormat, naming};

/// How old a log may be: older ones Datadog drops after it has answered with success.
const PAST: Duration = Duration::from_hours(18);

/// What is told of an error, as OpenTelemetry and as Datadog name it; the first that is there counts.
const ERRORS: &[(&str, &str)] = &[
    ("exception.type", "error.kind"),
    ("error.type", "error.kind"),
    ("exception.message", "error.message"),
    ("exception.stacktrace", "error.stack"),
];

/// Requests of all logs.
pub(crate) fn map(exporter: &DatadogExporter, logs: &Records<Log>) -> Mapped<Request> {
    let oldest = exporter.now().saturating_sub(PAST);
    let mut packer = Packer::new(Place::Logs, b"[".to_vec(), b"]");
    for (at, log) in logs.iter().enumerate() {
        if log.time < oldest {
            packer.refuse(Refused::encode(at, "older than 18 h, and Datadog drops such logs without a word"));
            continue;
        }
        packer.add(at, log, |log, out| write(exporter, log, out));
    }
    packer.finish()
}

fn write(exporter: &DatadogExporter, log: &Log, out: &mut Vec<u8>) -> Result<(), String> {
    let document = log.data.as_ref().map(Payload::settled);
    let entries = document.as_deref().and_then(Entries::of);
    let mut fields = Fields::default();
    reserved(exporter, log, &mut fields);
    correlation(exporter, log, &mut fields);
    let errors = errors(log, &mut fields);
    context(log, &mut fields);
    for (name, value) in log.attributes.iter().filter(|(name, _)| !errors.contains(&name.as_str())) {
        fields.user(name.as_str(), Field::Value(value));
    }
    match (entries, &document) {
        (Some(Entries(entries)), _) => {
            for (name, json) in entries {
                fields.user(name, Field::Json(json));
            }
        }
        (None, Some(document)) => fields.user("data", Field::Payload(document)),
        (None, None) => {}
    }
    let unified = Unified::of(exporter.config(), &log.context, &log.resource);
    for (name, value) in log.resource.attributes.iter().filter(|(name, value)| !is_told(name, value, unified))
    {
        fields.user(name.as_str(), Field::Value(value));
    }
    write_json(out, &fields).map_err(|cause| cause.to_string())
}

/// Whether an attribute of the resource is told elsewhere in the log; where the trace says another, it stays.
fn is_told(name: &str, value: &Value, unified: Unified<'_>) -> bool {
    let Some(text) = value.as_str() else { return false };
    match name {
        "host.name" => true,
        "service.name" => unified.service == Some(text),
        "service.version" => unified.version == Some(text),
        "deployment.environment" | "deployment.environment.name" => unified.env == Some(text),
        _ => false,
    }
}

/// The attributes that Datadog reserves, and the event's name.
fn reserved<'a>(exporter: &'a DatadogExporter, log: &'a Log, fields: &mut Fields<'a>) {
    let config = exporter.config();
    let unified = Unified::of(config, &log.context, &log.resource);
    let host = log.resource.attributes.get("host.name").and_then(Value::as_str);
    fields.text("ddsource", Some(config.ddsource.as_str()));
    fields.text("ddtags", tags(exporter, log, unified));
    fields.text("hostname", host.or(config.hostname.as_deref()));
    fields.text("service", unified.service);
    fields.text("status", Some(status(log.level)));
    fields.own("timestamp", Field::Number(log.time.as_millis()));
    fields.text("message", Some(log.message.as_str()));
    fields.text("evt.name", log.event_name.as_deref());
    // Datadog has nothing finer than debug.
    fields.text("otel.severity_text", (log.level == Level::Trace).then_some("trace"));
}

/// Environment, version, the configuration's tags and the trace's, with commas between.
fn tags(exporter: &DatadogExporter, log: &Log, unified: Unified<'_>) -> Option<String> {
    let own = [("env", unified.env), ("version", unified.version)];
    let own = own.into_iter().filter_map(|(key, value)| naming::pair(key, value?));
    let given =
        exporter.config().tags.iter().map(String::as_str).chain(log.context.tags.iter().map(Str::as_str));
    let mut tags: Vec<String> = Vec::new();
    for tag in own.chain(given.filter_map(naming::tag)) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    (!tags.is_empty()).then(|| tags.join(","))
}

const fn status(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
        Level::Fatal => "critical",
    }
}

/// The trace and the span, once as Datadog joins them and once as OpenTelemetry writes them, which can be searched for.
fn correlation(exporter: &DatadogExporter, log: &Log, fields: &mut Fields<'_>) {
    let Some(SpanRef { trace_id, span_id }) = log.span else { return };
    let whole = u128::from_be_bytes(trace_id.to_bytes());
    let joined = match exporter.config().trace_id_format {
        TraceIdFormat::Hex128 => trace_id.to_string(),
        TraceIdFormat::Dec64 => (whole as u64).to_string(),
    };
    fields.text("dd.trace_id", Some(joined));
    fields.text("dd.span_id", span_id.map(|id| u64::from_be_bytes(id.to_bytes()).to_string()));
    fields.text("otel.trace_id", Some(trace_id.to_string()));
    fields.text("otel.span_id", span_id.map(|id| id.to_string()));
}

/// What the attributes tell of an error, under Datadog's names; returns the attributes that are told so.
fn errors<'a>(log: &'a Log, fields: &mut Fields<'a>) -> Vec<&'static str> {
    let (mut told, mut known) = (Vec::new(), Vec::new());
    for (name, datadogs) in ERRORS {
        let Some(text) = log.attributes.get(name).and_then(Value::as_str) else { continue };
        // What is there under Datadog's own name already stays, and what would be told twice keeps its name.
        if log.attributes.get(datadogs).is_none() && !known.contains(datadogs) {
            fields.text(datadogs, Some(text));
            told.push(*name);
            known.push(*datadogs);
        }
    }
    told
}

/// The fields of an entity and of the one that called it.
const ENTITY: [&str; 4] = ["entity.type", "entity.id", "entity.name", "entity.version"];
const PARENT: [&str; 4] =
    ["parent_entity.type", "parent_entity.id", "parent_entity.name", "parent_entity.version"];

/// What is known of the trace, and what instrumentation wrote the log.
fn context<'a>(log: &'a Log, fields: &mut Fields<'a>) {
    let context = &*log.context;
    for (name, text) in [
        ("usr.id", &context.user_id),
        ("session_id", &context.session_id),
        ("thread_id", &context.thread_id),
        ("http.request_id", &context.request_id),
        ("organization.id", &context.organization_id),
        ("experiment.id", &context.experiment_id),
        ("trace.name", &context.name),
        ("trace.version", &context.version),
    ] {
        fields.text(name, text.as_deref());
    }
    for (names, of) in [(ENTITY, &context.entity), (PARENT, &context.parent_entity)] {
        let Some(Entity { kind, id, name, version }) = of else { continue };
        for (field, text) in names.into_iter().zip([kind, id, name, version]) {
            fields.text(field, text.as_deref());
        }
    }
    if !context.metadata.is_empty() {
        fields.own("metadata", Field::Attributes(&context.metadata));
    }
    if let Some(scope) = &log.resource.scope {
        fields.text("logger.name", Some(scope.name.as_str()));
        fields.text("logger.version", scope.version.as_deref());
        if !scope.attributes.is_empty() {
            fields.own("logger.attributes", Field::Attributes(&scope.attributes));
        }
    }
}
