//! LangSmith.

use obs_core::SpanType;
use serde_json::{Value, json};

use super::*;
use crate::platform::langsmith::run;

fn open(url: &str) -> Result<Box<dyn Vendor>> {
    let variables = [("LANGSMITH_API_KEY", "key-1"), ("LANGSMITH_ENDPOINT", url)];
    Ok(Box::new(crate::live::langsmith::LangsmithApi::open(env(&variables))?))
}

const SESSION: &str = "019c0000-0000-7000-8000-000000000001";

fn answers(sent: &Trace) -> Answers {
    let root = run(sent.spans[0].span_id);
    let runs = sent.spans.iter().map(|span| {
        let id = run(span.span_id);
        let above = span.path.iter().flat_map(|path| path.iter()).map(|above| (above.start, above.span_id));
        let mut levels: Vec<_> = [(span.start, span.span_id)].into_iter().chain(above).collect();
        levels.reverse();
        let dotted = levels.iter().map(|(start, id)| format!("{}{}", stamp(*start), run(*id)));
        let (tokens, cost) = match &span.span_type {
            SpanType::LlmGeneration(call) => (
                [call.usage.input, call.usage.output],
                Some(format!("{}", call.cost.as_ref().unwrap().total)),
            ),
            // The service adds up what is below.
            _ => ([Some(1_020), Some(120)], Some("0.00486".to_owned())),
        };
        json!({
            "id": id, "trace_id": root, "parent_run_id": span.parent_span_id.map(run), "name": &*span.name,
            "run_type": kind(&span.span_type), "start_time": iso(span.start), "end_time": iso(span.end.unwrap()),
            "first_token_time": tokens[0].filter(|_| kind(&span.span_type) == "llm").map(|_| iso(span.start.saturating_add(Duration::from_millis(60)))),
            "extra": {"metadata": {"user_id": "user-7"}}, "dotted_order": dotted.collect::<Vec<_>>().join("."), "session_id": SESSION, "app_path": "/o/1", "status": "success",
            "prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_cost": cost,
            "error": (span.status == obs_core::Status::Error).then_some("order A-7 is unknown"),
        })
    });
    let runs = json!({"runs": runs.collect::<Vec<_>>(), "cursors": {"next": null}});
    let feedback = |id: String, key: &str, score: Value, of: &str| json!({"id": id, "key": key, "score": score, "run_id": of, "trace_id": root, "session_id": SESSION});
    let mut liked = feedback(sent.feedback[0].id.to_string(), "thumbs", json!(1), &root);
    liked["comment"] = "quick and right".into();
    let judgements = json!([
        feedback(sent.scores[0].id.to_string(), "relevance", json!(0.83), &run(sent.spans[8].span_id)),
        feedback(sent.scores[1].id.to_string(), "resolved", json!(true), &root),
        liked,
    ]);
    vec![("POST", "/runs/query", runs), ("GET", "/feedback", judgements)]
}

fn kind(span_type: &SpanType) -> &'static str {
    match span_type {
        SpanType::LlmGeneration(_) => "llm",
        SpanType::ToolCall(_) => "tool",
        SpanType::MemoryLookup(_) | SpanType::RagQuery(_) => "retriever",
        _ => "chain",
    }
}

/// The time as a dotted order has it, which has no separators but the `T`.
fn stamp(time: Timestamp) -> String {
    let micros = time.as_micros() % 1_000_000;
    let whole: String = iso(time)[..19].chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{whole}{micros:06}Z")
}

#[tokio::test]
async fn agreement_passes_and_is_as_the_api_is_described() {
    look(open, answers(&sent())).await.unwrap();
    let answers = answers(&sent());
    // On the vendor's own cloud both forms of the path answer; the description has the longer one.
    let [runs, feedback] = [&answers[0].2, &answers[1].2];
    described(
        "langsmith-openapi.json",
        &[("POST", "/api/v1/runs/query", runs), ("GET", "/api/v1/feedback", feedback)],
    );
}

#[tokio::test]
async fn a_difference_fails_and_is_named() {
    let cases: [Case; 6] = [
        ("output_tokens is 89, and 90 at the source", |all| {
            all[0].2["runs"][8]["completion_tokens"] = json!(89);
        }),
        ("cost is 9.0, and", |all| all[0].2["runs"][8]["total_cost"] = json!("9")),
        ("failed is false, and true", |all| all[0].2["runs"][6]["error"] = json!(null)),
        ("is not of its id, parent and trace", |all| all[0].2["runs"][3]["parent_run_id"] = json!(null)),
        ("comment is null, and \"quick and right\"", |all| all[1].2[2]["comment"] = json!(null)),
        ("run is \"00000000-", |all| all[1].2[0]["run_id"] = all[1].2[1]["run_id"].clone()),
    ];
    for (said, change) in cases {
        let mut answers = answers(&sent());
        change(&mut answers);
        let message = fault(open, answers).await;
        assert!(message.contains(said), "{said}: {message}");
    }
}
