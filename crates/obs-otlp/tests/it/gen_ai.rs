//! OpenTelemetry's GenAI conventions, current and older.

use std::time::Duration;

use obs_core::{Payload, Record, SpanType, Value};
use obs_otlp::ingest;
use serde_json::json;

use crate::request::{TRACE, attributes, one, only_span, read, span, spans};

fn generation(pairs: &[(&str, serde_json::Value)]) -> obs_core::LlmGeneration {
    let mut all = vec![("gen_ai.operation.name", json!("chat"))];
    all.extend_from_slice(pairs);
    match one(&all).span_type {
        SpanType::LlmGeneration(generation) => generation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_model_call_has_every_typed_field_and_no_attribute_left() {
    let all = one(&[
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.request.model", json!("gpt-4o")),
        ("gen_ai.request.temperature", json!(0.5)),
        ("gen_ai.request.top_p", json!(1)),
        ("gen_ai.request.max_tokens", json!(256)),
        ("gen_ai.request.top_k", json!(40)),
        ("gen_ai.request.stop_sequences", json!(["END"])),
        ("gen_ai.request.stream", json!(true)),
        ("gen_ai.response.id", json!("r1")),
        ("gen_ai.response.model", json!("gpt-4o-2024-08-06")),
        ("gen_ai.response.finish_reasons", json!(["stop"])),
        ("gen_ai.response.time_to_first_chunk", json!(0.25)),
        ("gen_ai.usage.input_tokens", json!(100)),
        ("gen_ai.usage.output_tokens", json!(20)),
        ("gen_ai.usage.cache_read.input_tokens", json!(64)),
        ("gen_ai.usage.reasoning.output_tokens", json!(8)),
        ("gen_ai.usage.cost", json!(0.002)),
        ("gen_ai.tool.definitions", json!("[{\"name\":\"f\"}]")),
        ("gen_ai.prompt.name", json!("greet")),
        ("gen_ai.prompt.version", json!("3")),
        ("gen_ai.conversation.id", json!("c1")),
        ("user.id", json!("u1")),
        ("session.id", json!("s1")),
    ]);
    assert_eq!(all.attributes, obs_core::Attributes::new());
    let SpanType::LlmGeneration(call) = &all.span_type else { panic!("{:?}", all.span_type) };
    assert_eq!(call.model.as_deref(), Some("gpt-4o"));
    assert_eq!(call.provider.as_deref(), Some("openai"));
    assert_eq!(call.response_model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(call.response_id.as_deref(), Some("r1"));
    assert_eq!((call.parameters.temperature, call.parameters.top_p), (Some(0.5), Some(1.0)));
    assert_eq!(call.parameters.max_tokens, Some(256));
    assert_eq!(call.parameters.other.get("top_k"), Some(&Value::I64(40)));
    assert_eq!(call.parameters.other.get("stop_sequences"), Some(&Value::List(vec!["END".into()])));
    assert_eq!((call.streaming, call.finish_reason.as_deref()), (Some(true), Some("stop")));
    assert_eq!(call.time_to_first_token, Some(Duration::from_millis(250)));
    assert_eq!((call.usage.input, call.usage.output), (Some(100), Some(20)));
    assert_eq!((call.usage.input_details.cache_read, call.usage.output_details.reasoning), (64, 8));
    assert_eq!(call.cost.as_ref().map(|cost| cost.total), Some(0.002));
    assert_eq!(call.tools, Payload::from_json("[{\"name\":\"f\"}]"));
    let prompt = call.prompt.as_ref().unwrap();
    assert_eq!((prompt.name.as_str(), prompt.version.as_deref()), ("greet", Some("3")));
    assert_eq!(all.context.thread_id.as_deref(), Some("c1"));
    assert_eq!(all.context.user_id.as_deref(), Some("u1"));
    assert_eq!(all.context.session_id.as_deref(), Some("s1"));
}

#[test]
fn older_names_are_read_and_newer_ones_win() {
    let old = generation(&[
        ("gen_ai.system", json!("anthropic")),
        ("gen_ai.usage.prompt_tokens", json!(7)),
        ("gen_ai.usage.completion_tokens", json!(3)),
    ]);
    assert_eq!(
        (old.provider.as_deref(), old.usage.input, old.usage.output),
        (Some("anthropic"), Some(7), Some(3))
    );
    let pairs = [
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.system", json!("azure")),
        ("gen_ai.usage.prompt_tokens", json!(7)),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.usage.input_tokens", json!(7)),
    ];
    let both = one(&pairs);
    let (_, provider, usage) = both.span_type.model().unwrap();
    assert_eq!((provider.unwrap().as_str(), usage.input), ("openai", Some(7)));
    assert_eq!(
        both.attributes,
        obs_core::Attributes::from_iter([("gen_ai.system", "azure")]),
        "nothing is lost"
    );
}

#[test]
fn finish_reasons_come_as_a_list_as_json_or_bare() {
    for one in [json!(["stop"]), json!("[\"stop\"]"), json!("stop")] {
        assert_eq!(
            generation(&[("gen_ai.response.finish_reasons", one)]).finish_reason.as_deref(),
            Some("stop")
        );
    }
    let several = one(&[
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.response.finish_reasons", json!(["stop", "length"])),
    ]);
    assert_eq!(several.span_type.as_generation().unwrap().finish_reason.as_deref(), Some("stop"));
    assert!(several.attributes.get("gen_ai.response.finish_reasons").is_some(), "the other reason is kept");
}

#[test]
fn what_does_not_fit_its_field_stays_an_attribute() {
    let odd = one(&[
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.usage.input_tokens", json!(-4)),
        ("gen_ai.request.temperature", json!("warm")),
        ("gen_ai.response.time_to_first_chunk", json!(-1.0)),
        ("gen_ai.tool.call.id", json!("c")),
        ("gen_ai.usage.total_tokens", json!(12)),
    ]);
    let kept: Vec<&str> = odd.attributes.iter().map(|(key, _)| key.as_str()).collect();
    let expected = [
        "gen_ai.usage.input_tokens",
        "gen_ai.request.temperature",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.tool.call.id",
        "gen_ai.usage.total_tokens",
    ];
    assert_eq!(kept, expected);
    assert!(odd.span_type.as_generation().unwrap().usage.is_empty());
}

#[test]
fn messages_are_the_input_with_the_instructions_first() {
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;
    let input = |pairs: &[(&str, serde_json::Value)]| {
        let mut all = vec![("gen_ai.operation.name", json!("chat"))];
        all.extend_from_slice(pairs);
        let span = one(&all);
        (span.input.map(|input| input.as_str().to_owned()), span.attributes.len())
    };
    assert_eq!(input(&[("gen_ai.input.messages", json!(messages))]), (Some(messages.into()), 0));
    let instructions = json!("[{\"type\":\"text\",\"content\":\"be brief\"}]");
    let with = |system: &str| Some(format!("[{system},{}", &messages[1..]));
    assert_eq!(
        input(&[
            ("gen_ai.input.messages", json!(messages)),
            ("gen_ai.system_instructions", instructions.clone())
        ]),
        (with(r#"{"role":"system","parts":[{"type":"text","content":"be brief"}]}"#), 0)
    );
    assert_eq!(
        input(&[
            ("gen_ai.system_instructions", json!("be brief")),
            ("gen_ai.input.messages", json!(messages))
        ]),
        (with(r#"{"role":"system","content":"be brief"}"#), 0)
    );
    assert_eq!(
        input(&[("gen_ai.system_instructions", json!("be brief"))]),
        (Some(r#"[{"role":"system","content":"be brief"}]"#.into()), 0)
    );
    let has_one = r#"[{"role":"system","content":"x"}]"#;
    assert_eq!(
        input(&[("gen_ai.input.messages", json!(has_one)), ("gen_ai.system_instructions", instructions)]),
        (Some(has_one.into()), 1)
    );
    let structured = json!({"arrayValue": {"values": [{"kvlistValue": {"values": attributes(&[("role", json!("user"))])}}]}});
    assert_eq!(input(&[("gen_ai.input.messages", structured)]), (Some(r#"[{"role":"user"}]"#.into()), 0));
}

#[test]
fn an_agent_has_its_instructions_and_the_names_of_its_tools() {
    let agent = one(&[
        ("gen_ai.operation.name", json!("invoke_agent")),
        ("gen_ai.agent.id", json!("a1")),
        ("gen_ai.agent.name", json!("Ann")),
        ("gen_ai.system_instructions", json!("be kind")),
        ("gen_ai.tool.definitions", json!(r#"[{"type":"function","function":{"name":"f"}},{"name":"g"}]"#)),
        ("gen_ai.usage.input_tokens", json!(5)),
    ]);
    let SpanType::AgentRun(run) = &agent.span_type else { panic!("{:?}", agent.span_type) };
    assert_eq!((run.agent_id.as_deref(), run.agent_name.as_deref()), (Some("a1"), Some("Ann")));
    assert_eq!(run.instructions, Some(Payload::text("be kind")));
    assert_eq!(run.tools, ["f", "g"]);
    let kept: Vec<&str> = agent.attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(kept, ["gen_ai.tool.definitions", "gen_ai.usage.input_tokens"]);
}

#[test]
fn a_tool_call_has_its_arguments_and_result() {
    let span = one(&[
        ("gen_ai.operation.name", json!("execute_tool")),
        ("mcp.method.name", json!("tools/call")),
        ("mcp.server.name", json!("files")),
        ("gen_ai.tool.name", json!("read")),
        ("gen_ai.tool.call.id", json!("call_1")),
        ("gen_ai.tool.type", json!("function")),
        ("gen_ai.tool.call.arguments", json!("{\"path\":\"a\"}")),
        ("gen_ai.tool.call.result", json!("hello")),
    ]);
    assert_eq!(span.attributes.len(), 0, "{:?}", span.attributes);
    let SpanType::McpToolCall(mcp) = &span.span_type else { panic!("{:?}", span.span_type) };
    assert_eq!((mcp.server.as_deref(), mcp.method.as_deref()), (Some("files"), Some("tools/call")));
    assert_eq!((mcp.call.tool.as_deref(), mcp.call.call_id.as_deref()), (Some("read"), Some("call_1")));
    assert_eq!(span.input, Payload::from_json("{\"path\":\"a\"}"));
    assert_eq!(span.output, Some(Payload::text("hello")));
}

#[test]
fn memory_and_retrieval_have_their_query_and_hits() {
    let lookup = one(&[
        ("gen_ai.operation.name", json!("search_memory")),
        ("gen_ai.memory.store.id", json!("notes")),
        ("gen_ai.memory.query.text", json!("who?")),
        ("gen_ai.memory.records", json!(r#"[{"id":"1","content":"Ann","score":0.5}]"#)),
    ]);
    let SpanType::MemoryLookup(found) = &lookup.span_type else { panic!("{:?}", lookup.span_type) };
    assert_eq!((found.memory.as_deref(), found.query.as_deref()), (Some("notes"), Some("who?")));
    assert_eq!((found.results[0].id.as_deref(), found.results[0].similarity), (Some("1"), Some(0.5)));
    let update =
        one(&[("gen_ai.operation.name", json!("upsert_memory")), ("gen_ai.memory.record.count", json!(2))]);
    let SpanType::MemoryUpdate(update) = &update.span_type else { panic!("{:?}", update.span_type) };
    assert_eq!((update.operation.as_deref(), update.count), (Some("upsert"), Some(2)));
    let rag = one(&[
        ("gen_ai.operation.name", json!("retrieval")),
        ("gen_ai.data_source.id", json!("docs")),
        ("gen_ai.request.top_k", json!(3)),
        ("gen_ai.retrieval.documents", json!(r#"[{"id":"d","score":1,"extra":true}]"#)),
    ]);
    let SpanType::RagQuery(query) = &rag.span_type else { panic!("{:?}", rag.span_type) };
    assert_eq!((query.store.as_deref(), query.top_k, query.chunks.len()), (Some("docs"), Some(3), 1));
    assert!(
        rag.attributes.get("gen_ai.retrieval.documents").is_some(),
        "a document says more than a chunk has room for"
    );
}

#[test]
fn older_conventions_say_messages_in_events() {
    let mut with_events = span(1, &[("gen_ai.operation.name", json!("chat"))]);
    let event = |name: &str, pairs: &[(&str, serde_json::Value)]| json!({"name": name, "timeUnixNano": "5", "attributes": attributes(pairs)});
    with_events["events"] = json!([
        event("gen_ai.system.message", &[("content", json!("be brief"))]),
        event("gen_ai.user.message", &[("content", json!("hi"))]),
        event("gen_ai.choice", &[("index", json!(0)), ("message", json!("{\"content\":\"hello\"}"))]),
        event("other", &[("a", json!(1))]),
    ]);
    let span = only_span(&read(&spans(&[with_events])));
    let input = r#"[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]"#;
    assert_eq!(span.input.unwrap().as_str(), input);
    assert_eq!(
        span.output.unwrap().as_str(),
        r#"[{"role":"assistant","index":0,"message":{"content":"hello"}}]"#
    );
    assert_eq!(span.events.len(), 4, "events keep their name and time");
    assert_eq!(span.events.iter().map(|event| event.attributes.len()).sum::<usize>(), 1);
}

#[test]
fn a_details_event_stands_in_for_attributes() {
    let mut detailed = span(1, &[("gen_ai.operation.name", json!("chat"))]);
    let pairs = attributes(&[
        ("gen_ai.input.messages", json!("[]")),
        ("gen_ai.request.model", json!("m")),
        ("odd", json!(1)),
    ]);
    detailed["events"] = json!([{"name": "gen_ai.client.inference.operation.details", "timeUnixNano": 5, "attributes": pairs}]);
    let span = only_span(&read(&spans(&[detailed])));
    assert_eq!(span.input, Payload::from_json("[]"));
    assert_eq!(span.span_type.model().unwrap().0.unwrap(), "m");
    assert_eq!(span.events[0].attributes, obs_core::Attributes::from_iter([("odd", 1)]));
}

#[test]
fn messages_that_only_logs_tell_reach_their_model_call() {
    let record = |time: u64, name: &str, body: serde_json::Value, pairs: &[(&str, serde_json::Value)]| {
        json!({"timeUnixNano": time, "eventName": name, "traceId": TRACE, "spanId": "0000000000000001", "body": body,
            "attributes": attributes(pairs)})
    };
    let said = |text: &str| json!({"kvlistValue": {"values": attributes(&[("content", json!(text))])}});
    let told = |records: &[serde_json::Value], pairs: &[(&str, serde_json::Value)]| {
        let mut request = spans(&[span(1, pairs)]);
        request["resourceLogs"] = json!([{"scopeLogs": [{"logRecords": records}]}]);
        let mut ingested = read(&request);
        let logs = ingested.count(obs_core::Signal::Logs);
        ingest::link(&mut ingested.records);
        assert_eq!(ingested.count(obs_core::Signal::Logs), logs, "the logs stay");
        let Record::Span(record) = &ingested.records[0] else { panic!("{:?}", ingested.records[0]) };
        let text = |payload: &Option<Payload>| payload.as_ref().map(|payload| payload.as_str().to_owned());
        (text(&record.span().input), text(&record.span().output))
    };
    let chat = [("gen_ai.operation.name", json!("chat"))];
    let messages = [
        record(9, "gen_ai.choice", said("hello"), &[]),
        record(2, "gen_ai.user.message", said("hi"), &[]),
        record(1, "gen_ai.system.message", json!({"stringValue": "be brief"}), &[]),
        record(3, "other", said("x"), &[]),
    ];
    let input = r#"[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]"#;
    let output = r#"[{"role":"assistant","content":"hello"}]"#;
    assert_eq!(told(&messages, &chat), (Some(input.into()), Some(output.into())));
    let details = [record(
        1,
        "gen_ai.client.inference.operation.details",
        json!(null),
        &[
            ("gen_ai.system_instructions", json!("be brief")),
            ("gen_ai.input.messages", json!(r#"[{"role":"user","content":"hi"}]"#)),
        ],
    )];
    assert_eq!(told(&details, &chat), (Some(input.into()), None));
    let own = [chat[0].clone(), ("gen_ai.input.messages", json!("[]"))];
    assert_eq!(
        told(&messages, &own),
        (Some("[]".into()), Some(output.into())),
        "what the span says comes first"
    );
    assert_eq!(told(&messages, &[]), (None, None), "only a model call has messages");
}
