//! What goes out in the GenAI conventions comes back as it was: the writer and the reader have one table.
//!
//! [`expressible`] is the list of what does not.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Attributes, Cost, Entity, ErrorInfo, Event, Form, LlmGeneration, Payload, Record, Resource,
    Span, SpanRecord, SpanType, Status, StepFlavour, Str, Timestamp, ToolCall, TraceContext, Usage, Value,
};
use obs_otlp::chat::{self, Role};
use obs_otlp::conventions;
use obs_otlp::encode::{Encoding, Fields, SpanParts, TraceRequests, genai};
use obs_otlp::ingest::{self, Ingested, Kind};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;

pub(crate) type Convention = fn(&Span, &mut Fields<'_>);

fn there_and_back(encoding: Encoding, span: &Span, attributes: Convention) -> Ingested {
    let mut requests = TraceRequests::new(encoding, 1, 0);
    let parts = SpanParts::of(span, span.end.unwrap_or(span.start));
    requests.push(0, &span.resource, &parts, |to| attributes(span, to));
    let body = requests.finish().remove(0).body;
    match encoding {
        Encoding::Protobuf => ingest::protobuf(Kind::Traces, &body).unwrap(),
        Encoding::Json => ingest::json(std::str::from_utf8(&body).unwrap()).unwrap(),
    }
}

fn back(encoding: Encoding, span: &Span) -> Span {
    back_in(encoding, span, genai::attributes)
}

pub(crate) fn back_in(encoding: Encoding, span: &Span, attributes: Convention) -> Span {
    let ingested = there_and_back(encoding, span, attributes);
    assert_eq!(ingested.refused, []);
    match <[Record; 1]>::try_from(ingested.records) {
        Ok([Record::Span(SpanRecord::Ended(span))]) => span,
        other => panic!("{other:?}"),
    }
}

/// The canonical JSON, in which numbers that are none are equal to themselves.
pub(crate) fn canonical(mut span: Span) -> String {
    if let SpanType::LlmGeneration(call) = &mut span.span_type {
        let mut other: Vec<_> = std::mem::take(&mut call.parameters.other).into_iter().collect();
        other.sort_by(|a, b| a.0.cmp(&b.0));
        call.parameters.other = other.into_iter().collect();
    }
    if let SpanType::MemoryUpdate(_) = span.span_type {
        // The operation says what was done in a word of its own, so that the reader keeps it.
        span.attributes.remove("gen_ai.operation.name");
    }
    serde_json::to_string_pretty(&span).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_field_that_the_conventions_can_express_comes_back(span in arbitrary::span()) {
        let span = expressible(span);
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let came_back = back(encoding, &span);
            let span = in_one_form(span.clone(), &came_back);
            prop_assert_eq!(canonical(came_back), canonical(span), "{:?}", encoding);
        }
    }

    #[test]
    fn any_span_is_read_back_and_from_then_on_stays_the_same(span in arbitrary::span()) {
        let span = sendable(span);
        let once = back(Encoding::Protobuf, &span);
        let twice = back(Encoding::Protobuf, &once);
        prop_assert_eq!(canonical(twice), canonical(once));
    }
}

/// The span with the conversations of another that say the same: GenAI has one form for them, so that they come back in that.
#[track_caller]
fn in_one_form(mut span: Span, came_back: &Span) -> Span {
    let always = matches!(span.span_type, SpanType::LlmGeneration(_));
    let lists = matches!(span.span_type, SpanType::AgentRun(_) | SpanType::WorkflowRun(_));
    let sides = [
        (&mut span.input, &came_back.input, Role::User),
        (&mut span.output, &came_back.output, Role::Assistant),
    ];
    for (told, came_back, role) in sides {
        let (Some(told), Some(came_back)) = (told, came_back) else { continue };
        let list = told.form() == Form::Json && told.as_str().trim_start().starts_with('[');
        let Some(said) = chat::messages(told, role).filter(|_| always || lists && list) else { continue };
        let messages: Vec<serde_json::Value> = serde_json::from_str(came_back.as_str()).unwrap();
        assert!(messages.iter().all(|message| message["parts"].is_array()), "{came_back:?}");
        assert_eq!(chat::messages(came_back, role).as_deref(), Some(&*said), "{came_back:?}");
        *told = came_back.clone();
    }
    span
}

/// The span with times and counts that can be told.
pub(crate) fn sendable(mut span: Span) -> Span {
    span.judged = false;
    span.start = span.start.max(Timestamp::from_nanos(1));
    span.end = Some(span.end.unwrap_or_default().max(span.start));
    match &mut span.span_type {
        SpanType::LlmGeneration(call) => usage(&mut call.usage),
        SpanType::Embedding(embedding) => usage(&mut embedding.usage),
        _ => {}
    }
    span
}

/// The span as it can be told.
pub(crate) fn expressible(mut span: Span) -> Span {
    // The reader links ancestors over all that it reads, and takes what was exported for sampled.
    span.path = None;
    span.judged = false;
    span.trace_flags |= 1;
    span.remote_parent &= span.parent_span_id.is_some();
    // To OTLP, an empty text and the time 0 are none.
    some(&mut span.trace_state);
    for link in &mut span.links {
        some(&mut link.trace_state);
    }
    span.start = span.start.max(Timestamp::from_nanos(1));
    span.end = Some(span.end.unwrap_or_default().max(Timestamp::from_nanos(1)));
    span.error = error(span.status, span.error.as_deref());
    span.context = Arc::new(context((*span.context).clone()));
    span.resource = Arc::new(resource((*span.resource).clone()));
    let of_tool = matches!(span.span_type, SpanType::ToolCall(_) | SpanType::McpToolCall(_));
    for document in [&mut span.input, &mut span.output].into_iter().flatten() {
        *document = if of_tool { as_it_looks(document) } else { document.settled().into_owned() };
    }
    let input = span.input.clone();
    type_fields(&mut span.span_type, input.as_ref());
    span
}

pub(crate) fn some(text: &mut Option<Str>) {
    text.take_if(|text| text.is_empty());
}

/// A failed span has an error, any other one only if it says something.
fn error(status: Status, error: Option<&ErrorInfo>) -> Option<Box<ErrorInfo>> {
    let mut error = error.cloned().unwrap_or_default();
    for text in [&mut error.error_type, &mut error.stack, &mut error.code] {
        some(text);
    }
    some(&mut error.domain);
    some(&mut error.category);
    error.details = json(&error.details);
    // Sources are told as a stack, see below.
    error.sources = Vec::new();
    (status == Status::Error || error != ErrorInfo::default()).then(|| Box::new(error))
}

pub(crate) fn context(context: TraceContext) -> TraceContext {
    let mut context = context;
    for entity in [&mut context.entity, &mut context.parent_entity] {
        for entity in entity.iter_mut() {
            for text in [&mut entity.kind, &mut entity.id, &mut entity.name, &mut entity.version] {
                some(text);
            }
        }
        entity.take_if(|entity| *entity == Entity::default());
    }
    for text in [
        &mut context.name,
        &mut context.user_id,
        &mut context.session_id,
        &mut context.thread_id,
        &mut context.request_id,
        &mut context.organization_id,
        &mut context.environment,
        &mut context.release,
        &mut context.version,
        &mut context.service,
        &mut context.experiment_id,
    ] {
        some(text);
    }
    context.tags.retain(|tag| !tag.is_empty());
    context.metadata = json(&context.metadata);
    context
}

/// Attributes that are told as JSON, in which numbers that are none are words.
fn json(attributes: &Attributes) -> Attributes {
    let json = serde_json::to_string(attributes).unwrap();
    match serde_json::from_str(&json).unwrap() {
        Value::Map(attributes) => attributes,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn resource(mut resource: Resource) -> Resource {
    if let Some(scope) = &mut resource.scope {
        some(&mut scope.version);
    }
    resource
}

/// What is told by its text alone is JSON if it looks like an object or a list.
pub(crate) fn as_it_looks(document: &Payload) -> Payload {
    Payload::unchecked(document.shared().clone()).settled().into_owned()
}

/// Instructions are a list of parts; what is no message is the text of one.
fn in_a_part(document: &Payload) -> Payload {
    let document = document.settled();
    assert!(document.form() == Form::Text || chat::messages(&document, Role::User).is_none());
    let text = serde_json::to_string(document.as_str()).unwrap();
    Payload::from_json(&format!(r#"[{{"type":"text","content":{text}}}]"#)).unwrap()
}

/// Documents that were found are told within JSON, so that their spaces are lost, and a number is the nearest one.
pub(crate) fn within_json(document: &Payload) -> Payload {
    match serde_json::from_str::<Value>(&serde_json::to_string(document).unwrap()).unwrap() {
        Value::Str(text) => as_it_looks(&Payload::text(text)),
        value => Payload::json(&value).unwrap(),
    }
}

/// Counts above 2^53 are no counts to readers that have only floats; ours are as careful.
fn count(count: &mut Option<u64>) {
    *count = count.map(|count| count % (1 << 53));
}

/// Durations are told as floats, which are exact to the nanosecond for some days.
fn exact(duration: &mut Option<Duration>) {
    *duration = duration.map(|duration| Duration::from_nanos(duration.as_nanos() as u64 % (1 << 48)));
}

fn type_fields(span_type: &mut SpanType, input: Option<&Payload>) {
    let asked = input.filter(|input| input.form() == Form::Text).map(Payload::shared);
    match span_type {
        SpanType::AgentRun(run) => agent(run),
        SpanType::WorkflowRun(run) => {
            some(&mut run.workflow_id);
            some(&mut run.run_id);
        }
        SpanType::WorkflowStep(step) => {
            some(&mut step.step_id);
            flavour(&mut step.flavour);
        }
        SpanType::LlmGeneration(call) => generation(call),
        SpanType::ToolCall(call) => tool(call),
        SpanType::McpToolCall(mcp) => {
            tool(&mut mcp.call);
            some(&mut mcp.server);
            some(&mut mcp.server_version);
            some(&mut mcp.method);
            // What is not said otherwise is the method that calls a tool.
            mcp.method.get_or_insert(Str::from_static("tools/call"));
        }
        SpanType::MemoryLookup(lookup) => {
            some(&mut lookup.memory);
            some(&mut lookup.query);
            // An input in words is what was asked.
            lookup.query = lookup.query.take().or(asked.cloned());
            for hit in &mut lookup.results {
                some(&mut hit.id);
                hit.content = hit.content.as_ref().map(within_json);
            }
        }
        SpanType::MemoryUpdate(update) => {
            some(&mut update.memory);
            some(&mut update.operation);
            // The conventions have no operation that does not say what is done.
            update.operation.get_or_insert(Str::from_static("upsert"));
            count(&mut update.count);
        }
        SpanType::RagQuery(query) => {
            some(&mut query.store);
            some(&mut query.query);
            query.query = query.query.take().or(asked.cloned());
            for chunk in &mut query.chunks {
                some(&mut chunk.id);
                some(&mut chunk.source);
                chunk.content = chunk.content.as_ref().map(within_json);
            }
        }
        SpanType::Embedding(embedding) => {
            some(&mut embedding.model);
            some(&mut embedding.provider);
            count(&mut embedding.count);
            usage(&mut embedding.usage);
            cost(&mut embedding.cost);
        }
        SpanType::EvalExecution(eval) => {
            some(&mut eval.scorer);
            some(&mut eval.source);
        }
        SpanType::Generic => {}
    }
}

fn agent(run: &mut AgentRun) {
    some(&mut run.agent_id);
    some(&mut run.agent_name);
    run.instructions = run.instructions.as_ref().map(in_a_part);
    run.tools.retain(|tool| !tool.is_empty());
}

fn flavour(flavour: &mut StepFlavour) {
    match flavour {
        StepFlavour::Conditional { selected, .. } => selected.retain(|step| !step.is_empty()),
        StepFlavour::Sleep { duration, .. } => exact(duration),
        StepFlavour::WaitEvent { timeout, .. } => exact(timeout),
        StepFlavour::Plain | StepFlavour::Parallel { .. } | StepFlavour::Loop { .. } => {}
    }
}

fn generation(call: &mut LlmGeneration) {
    for text in [
        &mut call.model,
        &mut call.provider,
        &mut call.response_model,
        &mut call.response_id,
        &mut call.finish_reason,
    ] {
        some(text);
    }
    let other = std::mem::take(&mut call.parameters.other);
    let own_name = |key: &Str| {
        let name = format!("gen_ai.request.{key}");
        conventions::lookup(&name).is_some_and(|meaning| meaning.field == conventions::Field::Parameter)
    };
    call.parameters.other = other.into_iter().filter(|(key, _)| own_name(key)).collect();
    count(&mut call.parameters.max_tokens);
    call.tools = call.tools.as_ref().map(as_it_looks);
    usage(&mut call.usage);
    exact(&mut call.time_to_first_token);
    cost(&mut call.cost);
    call.prompt.take_if(|prompt| prompt.name.is_empty());
    if let Some(prompt) = &mut call.prompt {
        some(&mut prompt.version);
    }
}

/// The names of costs mean whole amounts of US dollars.
fn cost(told: &mut Option<Box<Cost>>) {
    told.take_if(|cost| {
        let amounts = [Some(cost.total), cost.input, cost.output];
        let whole = cost.currency == "USD" && !cost.partial;
        whole && !amounts.into_iter().flatten().all(f64::is_finite)
    });
}

/// More cached input than input means to the reader that it was counted apart.
fn usage(usage: &mut Usage) {
    count(&mut usage.input);
    count(&mut usage.output);
    let (input, output) = (&mut usage.input_details, &mut usage.output_details);
    for bucket in [
        &mut input.cache_read,
        &mut input.cache_write,
        &mut input.cache_write_5m,
        &mut input.cache_write_1h,
        &mut input.audio,
        &mut input.image,
        &mut output.reasoning,
        &mut output.audio,
        &mut output.image,
    ] {
        *bucket %= 1 << 50;
    }
    let cached = input.cache_read + input.cache_writes();
    usage.input = usage.input.map(|input| input.max(cached));
}

fn tool(call: &mut ToolCall) {
    for text in [&mut call.tool, &mut call.agent, &mut call.call_id, &mut call.kind, &mut call.description] {
        some(text);
    }
}

fn chat() -> (Span, LlmGeneration) {
    let mut span =
        Span::new(fixtures::trace_id(1), fixtures::span_id(1), "answer", Timestamp::from_nanos(1_000));
    span.end = Some(Timestamp::from_nanos(5_000));
    let call = LlmGeneration { model: Some("gpt-4o".into()), ..LlmGeneration::default() };
    (span, call)
}

/// Mastra's exporter leaves out whatever is falsy.
#[test]
fn a_seed_of_zero_is_kept() {
    let (mut span, mut call) = chat();
    call.parameters.other.push("seed", 0);
    call.parameters.temperature = Some(0.0);
    call.parameters.max_tokens = Some(0);
    call.streaming = Some(false);
    span.span_type = SpanType::LlmGeneration(call);
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        assert_eq!(back(encoding, &span), span);
    }
}

/// The event that tells of the error, as it goes out.
fn exception(span: &Span) -> (u64, Vec<(String, String)>) {
    let mut requests = TraceRequests::new(Encoding::Json, 1, 0);
    let parts = SpanParts::of(span, span.end.unwrap());
    requests.push(0, &span.resource, &parts, |to| genai::attributes(span, to));
    let body: serde_json::Value = serde_json::from_slice(&requests.finish().remove(0).body).unwrap();
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let events = span["events"].as_array().unwrap();
    let event = events.last().unwrap();
    assert_eq!((events.len(), event["name"].as_str()), (1, Some("exception")));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let pair = |pair: &serde_json::Value| (text(&pair["key"]), text(&pair["value"]["stringValue"]));
    let time = event["timeUnixNano"].as_str().unwrap().parse().unwrap();
    (time, event["attributes"].as_array().unwrap().iter().map(pair).collect())
}

fn pairs(expected: [(&str, &str); 3]) -> Vec<(String, String)> {
    expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Mastra's exporter writes the type `Error`, no stack, and the time of the span's start.
#[test]
fn an_error_goes_out_with_its_type_message_and_stack_at_the_end_of_the_span() {
    let (mut span, call) = chat();
    span.span_type = SpanType::LlmGeneration(call);
    span.status = Status::Error;
    let error = ErrorInfo { error_type: Some("app::Timeout".into()), ..ErrorInfo::message("too slow") };
    let with_stack = ErrorInfo { stack: Some("at main".into()), ..error.clone() };
    span.error = Some(Box::new(with_stack));
    let told = [
        ("exception.type", "app::Timeout"),
        ("exception.message", "too slow"),
        ("exception.stacktrace", "at main"),
    ];
    assert_eq!(exception(&span), (5_000, pairs(told)));
    assert_eq!(back(Encoding::Protobuf, &span), span, "and all of it is read back into the error");

    span.error = Some(Box::new(ErrorInfo { sources: vec!["a".into(), "b".into()], ..error }));
    let told = [told[0], told[1], ("exception.stacktrace", "too slow\ncaused by: a\ncaused by: b")];
    assert_eq!(exception(&span), (5_000, pairs(told)));
}

/// What was read from an exception keeps its time, so that the same error is not told twice.
#[test]
fn an_exception_that_was_read_goes_out_as_one() {
    let (mut span, _) = chat();
    span.status = Status::Error;
    span.error = Some(Box::new(ErrorInfo {
        error_type: Some("E".into()),
        stack: Some("at main".into()),
        ..ErrorInfo::message("m")
    }));
    span.events.push(Event {
        time: Timestamp::from_nanos(2_000),
        name: "exception".into(),
        attributes: Attributes::new(),
    });
    let told = [("exception.type", "E"), ("exception.message", "m"), ("exception.stacktrace", "at main")];
    assert_eq!(exception(&span), (2_000, pairs(told)));
    assert_eq!(back(Encoding::Json, &span), span);
}

#[test]
fn an_attribute_that_says_more_than_its_field_is_the_one_that_goes_out() {
    let (mut span, mut call) = chat();
    call.finish_reason = Some("stop".into());
    span.span_type = SpanType::LlmGeneration(call);
    let both = Value::List(vec!["stop".into(), "length".into()]);
    span.attributes.push("gen_ai.response.finish_reasons", both);
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        assert_eq!(back(encoding, &span), span);
    }
}
