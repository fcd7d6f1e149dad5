//! What `tracing` tells of events.

use std::borrow::Cow;
use std::time::Duration;

use obs_core::{Attributes, ErrorInfo, Level, SpanType, Str, Value};
use obs_instrument::{Context, Recorder};
use obs_otlp::conventions::Field;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::layer::{ObsLayer, inside};
use crate::open::Open;
use crate::plan::{self, Goes, Plan};
use crate::spans::Spans;
use crate::trouble;
use crate::visit::{Gather, Tellings, Told, with_tellings};

/// Events that say, by their name or message, that a model's answer began to come; OpenLLMetry tells of each chunk.
const FIRST_TOKEN: [&str; 4] =
    ["first_token", "gen_ai.first_token", "llm.first_token", "llm.content.completion.chunk"];

/// What an event says.
#[derive(Debug, Default)]
struct Said {
    message: Option<Str>,
    name: Option<Str>,
    error: Option<ErrorInfo>,
    first_token: Option<Duration>,
    attributes: Attributes,
}

impl Said {
    fn of(plan: &Plan, tellings: &mut Tellings, is_log: bool) -> Self {
        let mut said = Self::default();
        for (at, told) in tellings.drain(..) {
            if let Some(slot) = plan.slots.get(at) {
                said.hear(slot.key, slot.goes, told, is_log);
            }
        }
        said
    }

    fn hear(&mut self, key: &'static str, goes: Goes, told: Told, is_log: bool) {
        match (goes, told) {
            (Goes::LogMetadata, _) if is_log => {}
            (Goes::Message, Told::Value(Value::Str(text))) => self.message = Some(text),
            (Goes::Field(Field::EventName, _), Told::Value(Value::Str(name))) => self.name = Some(name),
            (_, Told::Error(info)) => {
                self.attributes.push(key, info.message.clone());
                if !info.sources.is_empty() {
                    let sources = info.sources.iter().cloned().map(Value::Str).collect();
                    self.attributes.push("error.sources", Value::List(sources));
                }
                self.error = Some(*info);
            }
            (goes, Told::Value(value)) => {
                match (goes, &value) {
                    (Goes::Error, Value::Str(text)) => {
                        self.error.get_or_insert_with(|| ErrorInfo::message(text.clone()));
                    }
                    (Goes::Field(Field::TimeToFirstToken, _), value) => {
                        let seconds = value.as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
                        self.first_token = seconds.or(self.first_token);
                    }
                    _ => {}
                }
                self.attributes.push(key, value);
            }
        }
    }

    /// What the event says in one line.
    fn headline(&self, metadata: &Metadata<'_>) -> Str {
        let error = || self.error.as_ref().map(|error| error.message.clone());
        self.message
            .clone()
            .or_else(error)
            .or_else(|| self.name.clone())
            .unwrap_or_else(|| Str::copied(own_name(metadata).unwrap_or_default()))
    }

    fn is_first_token(&self, metadata: &Metadata<'_>) -> bool {
        let named = |name: &str| FIRST_TOKEN.contains(&name);
        self.name.as_deref().or(own_name(metadata)).is_some_and(named)
            || self.message.as_deref().is_some_and(named)
    }
}

/// The name that the code gave an event; where it gave none, `tracing` makes one of file and line.
fn own_name<'a>(metadata: &Metadata<'a>) -> Option<&'a str> {
    Some(metadata.name()).filter(|name| !name.starts_with("event ") && !name.starts_with("log "))
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        _ => Level::Error,
    }
}

fn log(recorder: &Recorder, level: Level, said: Said, metadata: &Metadata<'_>, context: &Context) {
    let message = said.headline(metadata);
    let name = said.name.or_else(|| own_name(metadata).map(obs_instrument::intern));
    let mut log = recorder.log(level, message, context);
    if let Some(name) = name {
        log.event_name(name);
    }
    for (key, value) in said.attributes {
        log.with(key, value);
    }
}

/// Whether this thread is in a span of obs within this one, which is then the one that things happen in.
fn is_elsewhere<'a, S>(span: &SpanRef<'a, S>) -> bool
where
    S: Subscriber + LookupSpan<'a>,
{
    let Some(current) = Context::current().span_id() else { return false };
    let of_any_layer = |span: SpanRef<'a, S>| {
        let extensions = span.extensions();
        Some(extensions.get::<Spans>()?.all().any(|open| open.context().span_id() == Some(current)))
    };
    span.scope().find_map(of_any_layer) == Some(false)
}

impl ObsLayer {
    pub(crate) fn hear<S>(&self, event: &Event<'_>, ctx: &LayerContext<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        #[cfg(feature = "log")]
        let record = tracing_log::NormalizeEvent::normalized_metadata(event);
        #[cfg(not(feature = "log"))]
        let record: Option<Metadata<'_>> = None;
        let metadata = record.as_ref().unwrap_or(event.metadata());
        if self.ignores(metadata.target()) {
            return;
        }
        let span = match event.parent() {
            Some(parent) => ctx.span(parent),
            None if event.is_contextual() => ctx.lookup_current(),
            None => None,
        };
        let marks = *metadata.level() == tracing::Level::ERROR
            && self.options.errors_mark_spans
            && !(event.is_contextual() && span.as_ref().is_some_and(is_elsewhere));
        let stands = self.options.events.span_events();
        let listener = span.as_ref().and_then(|span| self.listener(span, marks, stands));
        let level = level(*metadata.level());
        let logs = self
            .logs(event, span.as_ref(), ctx)
            .filter(|(recorder, context)| recorder.takes_log(level, context));
        if logs.is_none() && listener.is_none() {
            return;
        }
        let plan = plan::of(event.metadata());
        with_tellings(|tellings| {
            let limit = self.options.limits.text_bytes;
            event.record(&mut Gather { plan: &plan, limit, typed_only: false, looked: false, tellings });
            let mut said = Said::of(&plan, tellings, record.is_some());
            said.attributes = self.bounded(std::mem::take(&mut said.attributes));
            self.locate(event, record.as_ref(), &mut said.attributes);
            if let Some(listener) = &listener {
                self.change(listener, |open| inside(|| self.note(open, &said, metadata, marks)));
            }
            if let Some((recorder, context)) = logs {
                inside(|| log(&recorder, level, said, metadata, &context));
            }
        });
    }

    /// Tells the span that an event happened in.
    fn note(&self, open: &mut Open, said: &Said, metadata: &Metadata<'_>, marks: bool) {
        if open.is_generation() && (said.first_token.is_some() || said.is_first_token(metadata)) {
            open.first_token(said.first_token);
        }
        if marks {
            let headline = said.headline(metadata);
            open.trouble().event(trouble::of_event(said.error.as_ref(), &headline));
        }
        if self.options.events.span_events() {
            let mut attributes = said.attributes.clone();
            let name = match &said.error {
                Some(error) if said.message.is_none() => {
                    attributes.insert("exception.message", error.message.clone());
                    "exception".into()
                }
                _ => said.headline(metadata),
            };
            attributes.insert("level", metadata.level().as_str());
            open.event(name, attributes, &self.options.limits);
        }
    }

    /// What a log of the event would be recorded with, and under what.
    fn logs<'a, S>(
        &self,
        event: &Event<'_>,
        span: Option<&SpanRef<'a, S>>,
        ctx: &LayerContext<'a, S>,
    ) -> Option<(Cow<'_, Recorder>, Context)>
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        let recorder = self.recorder().filter(|_| self.options.events.logs())?;
        let context = match event.parent() {
            Some(_) => span.and_then(|span| self.nearest(span)).unwrap_or_default(),
            None if event.is_contextual() => self.surroundings(&recorder, ctx),
            None => Context::NONE,
        };
        Some((recorder, context))
    }

    /// As many of the attributes as are kept; the rest are counted.
    fn bounded(&self, attributes: Attributes) -> Attributes {
        let (limit, all) = (self.options.limits.attributes, attributes.len());
        if all <= limit {
            return attributes;
        }
        let mut kept: Attributes = attributes.into_iter().take(limit).collect();
        kept.push(obs_instrument::left_out::ATTRIBUTES, all - limit);
        kept
    }

    fn locate(&self, event: &Event<'_>, record: Option<&Metadata<'_>>, attributes: &mut Attributes) {
        let tell = |key, value: Value| attributes.push(key, value);
        match record {
            #[cfg(feature = "log")]
            Some(record) => self.options.event_code.tell_borrowed(record, tell),
            _ => self.options.event_code.tell(event.metadata(), tell),
        }
    }
}

impl Open {
    /// Whether it is known to be a call of a model.
    fn is_generation(&mut self) -> bool {
        let mut is = false;
        self.span.typed(|span_type| is = matches!(span_type, SpanType::LlmGeneration(_)));
        is
    }
}
