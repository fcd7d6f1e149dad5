//! Every typed field of every type.

use obs_core::SpanType;
use obs_instrument::observe;

use crate::collect::Bench;

macro_rules! calls {
    (($text:ident, $number:ident); $($name:ident, $($option:ident $(= $value:expr)?),*;)*) => {
        $(
            #[observe($($option $(= $value)?),*)]
            fn $name($text: &str, $number: u32) -> usize {
                $text.len() + $number as usize
            }
        )*

        fn call_all() -> usize {
            [$($name("x", 3)),*].iter().sum()
        }
    };
}

calls! {
    (text, number);
    agent, agent_run, agent = text, agent_id = Some(text), instructions = text, max_steps = number;
    run, workflow_run, workflow_id = text, run_id = number;
    workflow, workflow_step, step_id = text.to_owned();
    generate, llm_generation, model = text, provider = text, temperature = 1, top_p = Some(0.5), max_tokens = number,
        tools = ["search"], streaming = true;
    tool, tool_call, tool = text, agent = text, call_id = text, kind = text, description = text;
    mcp, mcp_tool_call, tool = text, agent = text, call_id = text, kind = text, description = text, server = text,
        server_version = text, method = text;
    lookup, memory_lookup, memory = text, query = text;
    update, memory_update, memory = text, operation = text, count = number;
    retrieve, rag_query, query = text, store = text, top_k = number;
    embed, embedding, model = text, provider = text, dimensions = number, count = text.len();
    evaluate, eval_execution, scorer = text, source = text;
    nothing, generic;
}

#[test]
fn every_type_takes_its_fields() {
    let bench = Bench::new();
    assert_eq!(bench.obs.context().scope(call_all), 4 * SpanType::NAMES.len());
    let arrived = bench.arrived();
    let mut types: Vec<_> = arrived.spans.iter().map(|span| span.span_type.name()).collect();
    types.sort_unstable_by_key(|name| SpanType::NAMES.iter().position(|known| known == name));
    assert_eq!(types, SpanType::NAMES);
    let fields = |name: &str| serde_json::to_value(&arrived.span(name).span_type).unwrap();
    assert_eq!(fields("agent")["agent_run"]["max_steps"], 3);
    assert_eq!(fields("run")["workflow_run"]["run_id"], "3");
    assert_eq!(fields("generate")["llm_generation"]["parameters"]["max_tokens"], 3);
    assert_eq!(fields("generate")["llm_generation"]["tools"], serde_json::json!(["search"]));
    assert_eq!(fields("mcp")["mcp_tool_call"]["call"]["call_id"], "x");
    assert_eq!(fields("retrieve")["rag_query"]["top_k"], 3);
    assert_eq!(fields("embed")["embedding"]["count"], 1);
}
