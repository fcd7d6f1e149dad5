//! What a span stands for, by every name of it.

use obs_core::{LoopKind, SpanType, StepFlavour, Timestamp, WorkflowStatus};
use obs_otlp::conventions::TYPES;
use serde_json::json;

use crate::request::one;

#[test]
fn every_name_of_a_type_is_read_and_kept_only_if_it_says_more() {
    for row in TYPES {
        let span = one(&[(row.attribute, json!(row.value))]);
        assert_eq!(span.span_type.name(), row.span_type, "{row:?}");
        assert_eq!(span.attributes.get(row.attribute).is_none(), row.exact, "{row:?}");
    }
}

#[test]
fn the_more_exact_attribute_decides() {
    let cases = [
        (vec![("gen_ai.operation.name", "chat"), ("mastra.span.type", "agent_run")], "agent_run"),
        (vec![("openinference.span.kind", "CHAIN"), ("gen_ai.operation.name", "invoke_agent")], "agent_run"),
        (vec![("mcp.method.name", "tools/call"), ("gen_ai.operation.name", "execute_tool")], "mcp_tool_call"),
        (vec![("gen_ai.operation.name", "unheard of"), ("gen_ai.request.model", "m")], "llm_generation"),
        (vec![("gen_ai.tool.name", "t")], "tool_call"),
        (vec![("http.route", "/")], "generic"),
        (
            vec![
                ("mastra.span.type", "memory_operation"),
                ("mastra.memory_operation.operation_type", "recall"),
            ],
            "memory_lookup",
        ),
        (
            vec![
                ("mastra.span.type", "rag_vector_operation"),
                ("mastra.rag_vector_operation.operation", "upsert"),
            ],
            "generic",
        ),
    ];
    for (pairs, name) in cases {
        let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key, json!(value))).collect();
        assert_eq!(one(&pairs).span_type.name(), name, "{pairs:?}");
    }
}

#[test]
fn a_workflow_step_has_its_flavour() {
    let flavour = |name: &str, pairs: &[(&str, serde_json::Value)]| {
        let mut all = vec![("mastra.span.type".to_owned(), json!(name))];
        all.extend(pairs.iter().map(|(key, value)| (format!("mastra.{name}.{key}"), value.clone())));
        let all: Vec<_> = all.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let span = one(&all);
        assert!(span.attributes.is_empty(), "{:?}", span.attributes);
        match span.span_type {
            SpanType::WorkflowStep(step) => (step.flavour, step.status),
            other => panic!("{other:?}"),
        }
    };
    let millis = std::time::Duration::from_millis;
    assert_eq!(
        flavour(
            "workflow_conditional",
            &[("condition_count", json!(2)), ("selected_steps", json!("[\"a\"]"))]
        )
        .0,
        StepFlavour::Conditional { conditions: 2, selected: vec!["a".into()] }
    );
    assert_eq!(
        flavour("workflow_parallel", &[("branch_count", json!(3)), ("status", json!("suspended"))]),
        (StepFlavour::Parallel { branches: 3 }, Some(WorkflowStatus::Suspended))
    );
    assert_eq!(
        flavour(
            "workflow_loop",
            &[("loop_type", json!("dountil")), ("iteration", json!(1)), ("total_iterations", json!(4))]
        )
        .0,
        StepFlavour::Loop { kind: LoopKind::Until, iteration: Some(1), total: Some(4) }
    );
    assert_eq!(
        flavour(
            "workflow_sleep",
            &[("duration_ms", json!(1500)), ("until_date", json!("1970-01-01T00:00:02Z"))]
        )
        .0,
        StepFlavour::Sleep {
            duration: Some(millis(1500)),
            until: Some(Timestamp::from_nanos(2_000_000_000))
        }
    );
    assert_eq!(
        flavour(
            "workflow_wait_event",
            &[("event_name", json!("go")), ("timeout_ms", json!(9)), ("event_received", json!(true))]
        )
        .0,
        StepFlavour::WaitEvent { event: "go".into(), timeout: Some(millis(9)), received: Some(true) }
    );
}
