//! Model calls as an agent in production leaves them: within a trace that is told of, with usage, cost and documents.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Ancestor, Attributes, Batch, Cost, LlmGeneration, Payload, Resource, Scope, Span, SpanId, SpanRecord,
    SpanType, Str, Timestamp, TraceContext, TraceId, Usage,
};
use obs_instrument::intern;

use super::records::{SCOPE, SERVICE, START, TRACE};
use crate::payload::{INPUT_TOKENS, NAME, OUTPUT_TOKENS, TEMPERATURE, filled, owned};

/// The documents of a call.
#[derive(Debug)]
struct Documents {
    input: String,
    output: String,
}

/// Two of chat messages, one of plain words and one of other JSON: 0.5 to 3 KiB, 1.4 KiB on average.
fn documents() -> [Documents; 4] {
    let of = |role, bytes| filled(&format!(r#"[{{"role":"{role}","content":""#), r#""}]"#, bytes);
    let [short, long] = [of("user", 200), of("assistant", 400)];
    let system = words(600);
    let chat =
        format!(r#"[{{"role":"system","content":"{system}"}},{{"role":"user","content":"{}"}}]"#, words(240));
    let call = r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"call_4Kq2","type":"function","function":{"name":"search","arguments":"{\"query\":\"ledger terms\",\"limit\":8}"}}]}]"#;
    let mut found = r#"{"question":"What does the ledger count?","top_k":8,"chunks":["#.to_owned();
    for nth in 0..8 {
        let comma = if nth == 0 { "" } else { "," };
        let text = words(260);
        // Writing to a text cannot fail.
        let _ = write!(found, r#"{comma}{{"id":"doc-{nth}","score":0.{}3,"text":"{text}"}}"#, 9 - nth);
    }
    found += "]}";
    let cited = format!(
        r#"{{"answer":"{}","citations":[{{"id":"doc-0","page":12}},{{"id":"doc-3","page":4}}],"confidence":0.87}}"#,
        words(400)
    );
    let markdown = format!("## Ledger\n\n- {}\n- a \"quoted\" term\n\n{}", words(300), words(500));
    [
        Documents { input: short, output: long },
        Documents { input: chat, output: call.to_owned() },
        Documents { input: words(480), output: markdown },
        Documents { input: found, output: cited },
    ]
}

/// Words of exactly this many bytes.
fn words(bytes: usize) -> String {
    "Records are counted once and in one place only, wherever they go. ".chars().cycle().take(bytes).collect()
}

/// So many model calls under a step of an agent, as the collector hands them on.
pub(crate) fn batch(spans: usize) -> Batch {
    let (documents, texts) = (documents(), owned());
    let (context, resource) = (Arc::new(context()), Arc::new(resource()));
    let id = |id: usize| {
        let Some(id) = SpanId::new(0x00f0_67aa_0000_0000 + id as u64) else { unreachable!("it is not zero") };
        id
    };
    let Some(trace_id) = TraceId::new(TRACE) else { unreachable!("it is not zero") };
    let root = Ancestor::new(id(1), Timestamp::from_nanos(START - 2_000_000), true, None);
    let step = Ancestor::new(id(2), Timestamp::from_nanos(START - 1_000_000), false, Some(Arc::new(root)));
    let path = Arc::new(step);
    let record = |nth: usize| {
        let start = Timestamp::from_nanos(START + nth as u64);
        let mut span =
            Span::new_in(trace_id, id(3 + nth), NAME, start, Arc::clone(&context), Arc::clone(&resource));
        (span.parent_span_id, span.path) = (Some(path.span_id), Some(Arc::clone(&path)));
        span.end = Some(Timestamp::from_nanos(START + 1_400_000_000));
        let Documents { input, output } = &documents[nth % documents.len()];
        span.input = Some(Payload::unchecked(Str::copied(input)));
        span.output = Some(Payload::unchecked(Str::copied(output)));
        for document in [&mut span.input, &mut span.output].into_iter().flatten() {
            document.settle();
        }
        let model = (intern(&texts.provider), intern(&texts.model));
        span.span_type = SpanType::LlmGeneration(call(model, nth));
        span.attributes.push("tenant", "acme");
        span.attributes.push("retry.attempt", 1);
        SpanRecord::Ended(span)
    };
    Batch::Traces((0..spans).map(record).collect::<Vec<_>>().into())
}

fn call((provider, model): (Str, Str), nth: usize) -> LlmGeneration {
    let mut usage = Usage::new(INPUT_TOKENS, OUTPUT_TOKENS);
    usage.input_details.cache_read = 512;
    usage.output_details.reasoning = 64;
    let cost = Cost { input: Some(0.002_074), output: Some(0.005_34), ..Cost::usd(0.007_414) };
    let mut call = LlmGeneration {
        response_model: Some(model.clone()),
        model: Some(model),
        provider: Some(provider),
        response_id: Some(format!("msg_01XFDUDYJgAACzvnpt{nth:06}").into()),
        usage,
        cost: Some(Box::new(cost)),
        finish_reason: Some("stop".into()),
        time_to_first_token: Some(Duration::from_millis(312)),
        ..LlmGeneration::default()
    };
    call.parameters.temperature = Some(TEMPERATURE);
    call.parameters.max_tokens = Some(4_096);
    call
}

fn context() -> TraceContext {
    TraceContext {
        name: Some("support-answer".into()),
        user_id: Some("user-48151623".into()),
        session_id: Some("session-7f3a9c".into()),
        tags: vec!["support".into(), "eu".into()],
        environment: Some("production".into()),
        release: Some("2026.11.3".into()),
        ..TraceContext::default()
    }
}

fn resource() -> Resource {
    let mut resource = Resource::service(SERVICE);
    resource.attributes.push("service.version", "2026.11.3");
    resource.attributes.push("host.name", "worker-7");
    resource.scope =
        Some(Scope { name: SCOPE.into(), version: Some("1.2.0".into()), attributes: Attributes::new() });
    resource
}
