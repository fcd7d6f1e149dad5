//! Langfuse.

use serde_json::{Value, json};

use super::*;

pub(super) fn open(url: &str) -> Result<Box<dyn Vendor>> {
    let variables =
        [("LANGFUSE_PUBLIC_KEY", "pk-1"), ("LANGFUSE_SECRET_KEY", "sk-1"), ("LANGFUSE_BASE_URL", url)];
    Ok(Box::new(crate::live::langfuse::LangfuseApi::open(env(&variables))?))
}

const OBSERVATIONS: &str = "/api/public/v2/observations";
const SCORES: &str = "/api/public/v3/scores";

pub(super) fn answers(sent: &Trace) -> Answers {
    let spans = sent.spans.iter().map(|span| {
        let (kind, usage, cost) = match &span.span_type {
            obs_core::SpanType::LlmGeneration(call) => (
                "GENERATION",
                json!({"input": call.usage.input.unwrap() - 20, "input_cached_tokens": 20, "output": call.usage.output}),
                json!({"total": call.cost.as_ref().unwrap().total}),
            ),
            other => (kind(other.name()), json!({}), json!({})),
        };
        let mut row = row(&span.span_id.to_string(), &span.trace_id.to_string(), span.start);
        (row["endTime"], row["userId"]) = (iso(span.end.unwrap()).into(), "user-7".into());
        row["parentObservationId"] = span.parent_span_id.map(|id| id.to_string()).into();
        (row["type"], row["name"]) = (kind.into(), (&*span.name).into());
        if kind == "GENERATION" {
            row["completionStartTime"] = iso(span.start.saturating_add(Duration::from_millis(60))).into();
        }
        (row["usageDetails"], row["costDetails"]) = (usage, cost);
        row["level"] = if span.status == obs_core::Status::Error { "ERROR" } else { "DEFAULT" }.into();
        row
    });
    let logs = sent.logs.iter().enumerate().map(|(nth, log)| {
        let mut row = row(&format!("log-{nth}"), &sent.trace_id.to_string(), log.time);
        row["parentObservationId"] = log.span.unwrap().span_id.unwrap().to_string().into();
        (row["type"], row["input"]) = ("EVENT".into(), (&*log.message).into());
        let levels = ["DEFAULT", "ERROR", "DEBUG", "DEFAULT"];
        row["level"] = levels[nth].into();
        row
    });
    let observations = json!({"data": spans.chain(logs).collect::<Vec<_>>(), "meta": {}});
    vec![("GET", OBSERVATIONS, observations), ("GET", SCORES, scores(sent))]
}

pub(super) fn nothing() -> Answers {
    vec![
        ("GET", OBSERVATIONS, json!({"data": [], "meta": {}})),
        ("GET", SCORES, json!({"data": [], "meta": {"limit": 100}})),
    ]
}

fn kind(name: &str) -> &'static str {
    match name {
        "agent_run" => "AGENT",
        "workflow_run" | "workflow_step" => "CHAIN",
        "tool_call" => "TOOL",
        "memory_lookup" | "rag_query" => "RETRIEVER",
        "eval_execution" => "EVALUATOR",
        _ => "SPAN",
    }
}

fn row(id: &str, trace: &str, start: Timestamp) -> Value {
    let prices = json!(null);
    json!({
        "id": id, "traceId": trace, "projectId": "p", "startTime": iso(start), "endTime": iso(start), "environment": "staging",
        "modelId": prices, "inputPrice": prices, "outputPrice": prices, "totalPrice": prices,
    })
}

fn scores(sent: &Trace) -> Value {
    let trace = sent.trace_id.to_string();
    let whole = json!({"kind": "trace", "id": trace});
    let score = |id: String, name: &str, data_type: &str, value: Value, subject: &Value| {
        let time = iso(sent.spans[0].start);
        json!({
            "id": id, "projectId": "p", "name": name, "dataType": data_type, "value": value, "source": "API", "subject": subject,
            "timestamp": time, "createdAt": time, "updatedAt": time, "environment": "staging",
        })
    };
    let answer = json!({"kind": "observation", "id": sent.spans[8].span_id.to_string(), "traceId": trace});
    let mut liked = score(sent.feedback[0].id.to_string(), "feedback_thumbs", "BOOLEAN", true.into(), &whole);
    liked["comment"] = "quick and right".into();
    let data = [
        score(sent.scores[0].id.to_string(), "relevance", "NUMERIC", json!(0.83), &answer),
        score(sent.scores[1].id.to_string(), "resolved", "BOOLEAN", true.into(), &whole),
        liked,
    ];
    json!({"data": data, "meta": {"limit": 100}})
}

#[tokio::test]
async fn agreement_passes_and_is_as_the_api_is_described() {
    look(open, answers(&sent())).await.unwrap();
    let answers = answers(&sent());
    let held: Vec<_> = answers.iter().map(|(method, path, answer)| (*method, *path, answer)).collect();
    described("langfuse-openapi.yml", &held);
}

#[tokio::test]
async fn a_difference_fails_and_is_named() {
    let cases: [Case; 7] = [
        ("output_tokens is 31, and 30 at the source", |all| {
            all[0].2["data"][5]["usageDetails"]["output"] = json!(31);
        }),
        ("first_token is ", |all| {
            all[0].2["data"][5]["completionStartTime"] = json!("2027-01-15T08:00:00Z");
        }),
        ("cost is 9, and", |all| all[0].2["data"][5]["costDetails"]["total"] = json!(9)),
        ("parent is null, and", |all| all[0].2["data"][3]["parentObservationId"] = json!(null)),
        ("log ", |all| all[0].2["data"][12]["input"] = json!("other words")),
        ("target is \"trace", |all| all[1].2["data"][0]["subject"] = all[1].2["data"][1]["subject"].clone()),
        ("score or feedback ", |all| drop(all[1].2["data"].as_array_mut().unwrap().pop())),
    ];
    for (said, change) in cases {
        let mut answers = answers(&sent());
        change(&mut answers);
        let message = fault(open, answers).await;
        assert!(message.contains(said), "{said}: {message}");
    }
}
