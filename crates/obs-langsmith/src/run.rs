//! One run, encoded once for both ways of sending it.

use std::fmt::Write as _;
use std::ops::Range;

use obs_core::{
    Attributes, ErrorInfo, LlmGeneration, Payload, Resource, Span, SpanId, SpanType, Status, TraceId,
    write_json,
};
use uuid::Uuid;

use crate::ids::Place;
use crate::metadata::Metadata;
use crate::payloads::{write_inputs, write_outputs};
use crate::settings::Settings;
use crate::wire::{Extra, InvocationParams, RunBody, RunEvent, Runtime};

/// What a server is asked to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Create it.
    Post,
    /// Update it.
    Patch,
    /// Create it where it is not there, and update it where it is: both in one body.
    Both,
}

impl Verb {
    /// The names of it on the wire, in the order of sending.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Post => &["post"],
            Self::Patch => &["patch"],
            Self::Both => &["post", "patch"],
        }
    }
}

/// The fields that travel beside a run, in the order of writing.
pub(crate) const FIELDS: [&str; 5] = ["inputs", "outputs", "events", "extra", "error"];

/// What of a span has come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its start; its end will be a request of its own.
    Started,
    /// All of it.
    Whole,
}

/// A run as it goes on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: Uuid,
    pub(crate) verb: Verb,
    pub(crate) phase: Phase,
    pub(crate) span: (TraceId, SpanId),
    /// Whether it is the true root of its trace.
    pub(crate) is_root: bool,
    /// The run at the top of its tree.
    pub(crate) trace_id: Uuid,
    pub(crate) encoded: Encoded,
}

/// The JSON of a run without its last brace, then that of each of [`FIELDS`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    /// Where the run, and then each field, ends; a field that ends where the one before does is absent.
    ends: [usize; FIELDS.len() + 1],
}

impl Encoded {
    /// Encodes a span; what it reports cannot be put into JSON.
    pub(crate) fn of(settings: &Settings, span: &Span, place: &Place, phase: Phase) -> Result<Self, String> {
        let mut encoded = Self { bytes: Vec::with_capacity(2_048), ends: [0; FIELDS.len() + 1] };
        encoded.write(settings, span, place, phase).map_err(|cause| cause.to_string())?;
        Ok(encoded)
    }

    fn write(
        &mut self,
        settings: &Settings,
        span: &Span,
        place: &Place,
        phase: Phase,
    ) -> Result<(), serde_json::Error> {
        let whole = phase == Phase::Whole;
        let (name, span_name) = names(span);
        write_json(
            &mut self.bytes,
            &RunBody {
                id: place.id,
                trace_id: place.trace_id,
                parent_run_id: place.parent,
                dotted_order: &place.dotted_order,
                name,
                run_type: run_type(&span.span_type),
                start_time: span.start.rfc3339().micros(),
                // A run that ends before it starts is refused, and one without an end is pending for ever.
                end_time: whole.then(|| span.end.unwrap_or(span.start).max(span.start).rfc3339().micros()),
                session_name: settings.project_id.is_none().then_some(&settings.project),
                session_id: settings.project_id,
                tags: &span.context.tags,
            },
        )?;
        self.bytes.pop();
        self.ends[0] = self.bytes.len();
        if !settings.hidden.inputs {
            write_inputs(&mut self.bytes, span)?;
        }
        self.ends[1] = self.bytes.len();
        if whole && !settings.hidden.outputs {
            write_outputs(&mut self.bytes, span)?;
        }
        self.ends[2] = self.bytes.len();
        write_events(&mut self.bytes, span)?;
        self.ends[3] = self.bytes.len();
        let metadata = Metadata { span, hidden: settings.hidden, span_name };
        let invocation_params = span.span_type.as_generation().and_then(invocation_params);
        write_json(
            &mut self.bytes,
            &Extra { metadata, runtime: runtime(&span.resource), invocation_params },
        )?;
        self.ends[4] = self.bytes.len();
        if let Some(error) = error(span) {
            write_json(&mut self.bytes, &error)?;
        }
        self.ends[5] = self.bytes.len();
        Ok(())
    }

    /// The JSON of the run without its last brace.
    pub(crate) fn run(&self) -> &[u8] {
        self.slice(0..self.ends[0])
    }

    /// The fields that are there, with their JSON.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let slices = self.ends.windows(2).map(|ends| self.slice(ends[0]..ends[1]));
        FIELDS.into_iter().zip(slices).filter(|(_, json)| !json.is_empty())
    }

    /// Hands the bytes over to who holds them against a limit; [`Self::put_bytes`] takes them back.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Takes the bytes back.
    pub(crate) fn put_bytes(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    /// All the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}

/// The run's name, and the span's where it is another: the root of a trace has the trace's name.
fn names(span: &Span) -> (&str, Option<&str>) {
    let own = if span.name.is_empty() { span.span_type.name() } else { &span.name };
    match span.context.name.as_deref().filter(|name| span.is_root() && !name.is_empty() && *name != own) {
        Some(name) => (name, Some(own)),
        None => (own, None),
    }
}

/// What LangSmith shows a span as.
pub(crate) const fn run_type(span_type: &SpanType) -> &'static str {
    match span_type {
        SpanType::LlmGeneration(_) => "llm",
        SpanType::ToolCall(_) | SpanType::McpToolCall(_) => "tool",
        SpanType::MemoryLookup(_) | SpanType::RagQuery(_) => "retriever",
        SpanType::Embedding(_) => "embedding",
        SpanType::AgentRun(_)
        | SpanType::WorkflowRun(_)
        | SpanType::WorkflowStep(_)
        | SpanType::MemoryUpdate(_)
        | SpanType::EvalExecution(_)
        | SpanType::Generic => "chain",
    }
}

/// The first token, which LangSmith wants as an event with its time, then the span's own events.
fn write_events(out: &mut Vec<u8>, span: &Span) -> Result<(), serde_json::Error> {
    let first = span.span_type.as_generation().and_then(|generation| generation.time_to_first_token);
    let first = first.map(|after| RunEvent {
        name: "new_token",
        time: span.start.saturating_add(after).rfc3339().micros(),
        kwargs: None,
    });
    let own = span.events.iter().map(|event| RunEvent {
        name: &event.name,
        time: event.time.rfc3339().micros(),
        kwargs: present(&event.attributes),
    });
    let events: Vec<_> = first.into_iter().chain(own).collect();
    if events.is_empty() { Ok(()) } else { write_json(out, &events) }
}

fn present(attributes: &Attributes) -> Option<&Attributes> {
    Some(attributes).filter(|attributes| !attributes.is_empty())
}

fn runtime(resource: &Resource) -> Runtime<'_> {
    let scope = resource.scope.as_ref();
    Runtime {
        sdk: env!("CARGO_PKG_NAME"),
        sdk_version: env!("CARGO_PKG_VERSION"),
        scope: scope.map(|scope| &scope.name),
        scope_version: scope.and_then(|scope| scope.version.as_ref()),
        scope_attributes: scope.and_then(|scope| present(&scope.attributes)),
        resource: present(&resource.attributes),
    }
}

/// What the model was called with; `None` where nothing is known.
pub(crate) fn invocation_params(generation: &LlmGeneration) -> Option<InvocationParams<'_>> {
    const OWN: [&str; 5] = ["model", "temperature", "top_p", "max_tokens", "tools"];
    let LlmGeneration { model, parameters, tools, .. } = generation;
    if model.is_none() && parameters.is_empty() && tools.is_none() {
        return None;
    }
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let others = parameters.other.iter().map(|(name, value)| (name.as_str(), value));
    Some(InvocationParams {
        model: model.as_ref(),
        temperature: finite(parameters.temperature),
        top_p: finite(parameters.top_p),
        max_tokens: parameters.max_tokens,
        tools: tools.as_ref().map(|tools: &Payload| tools),
        other: others.filter(|(name, _)| !OWN.contains(name)).collect(),
    })
}

/// What went wrong: type and message, what caused it, and where.
fn error(span: &Span) -> Option<String> {
    let Some(error) = span.error.as_deref() else {
        return (span.status == Status::Error).then(|| "the span failed and does not say why".to_owned());
    };
    let ErrorInfo { error_type, message, stack, sources, .. } = error;
    let mut text = match error_type {
        Some(error_type) if message.is_empty() => error_type.to_string(),
        Some(error_type) => format!("{error_type}: {message}"),
        None if message.is_empty() => "an error without a message".to_owned(),
        None => message.to_string(),
    };
    for source in sources {
        let _ = write!(text, "\ncaused by: {source}");
    }
    if let Some(stack) = stack {
        let _ = write!(text, "\n\n{stack}");
    }
    Some(text)
}
