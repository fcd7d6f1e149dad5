//! Braintrust.

use obs_core::SpanType;
use serde_json::{Value, json};

use super::*;

fn open(url: &str) -> Result<Box<dyn Vendor>> {
    let variables = [("BRAINTRUST_API_KEY", "key-1"), ("BRAINTRUST_API_URL", url)];
    Ok(Box::new(crate::live::braintrust::BraintrustApi::open(env(&variables))?))
}

const PROJECT: &str = "019c0000-0000-7000-8000-000000000001";
const FETCH: &str = "/v1/project_logs/019c0000-0000-7000-8000-000000000001/fetch";

fn answers(sent: &Trace) -> Answers {
    let project = json!({"id": PROJECT, "org_id": PROJECT, "name": "obs-live"});
    let spans = sent.spans.iter().map(|span| {
        let mut row = row(&span.span_id.to_string(), &span.span_id.to_string(), sent, span.start);
        row["span_parents"] = span.parent_span_id.map(|id| vec![id.to_string()]).into();
        row["span_attributes"] = json!({"name": &*span.name, "type": kind(&span.span_type)});
        let seconds = |time: Timestamp| time.as_nanos() as f64 / 1e9;
        row["metrics"] = json!({"start": seconds(span.start), "end": seconds(span.end.unwrap())});
        row["metadata"] = json!({"user_id": "user-7"});
        if let SpanType::LlmGeneration(call) = &span.span_type {
            row["metrics"]["prompt_tokens"] = call.usage.input.into();
            row["metrics"]["completion_tokens"] = call.usage.output.into();
            row["metrics"]["time_to_first_token"] = 0.06.into();
            row["metrics"]["estimated_cost"] = call.cost.as_ref().unwrap().total.into();
        }
        if span.status == obs_core::Status::Error {
            row["error"] = "order A-7 is unknown".into();
        }
        row
    });
    let mut rows: Vec<_> = spans.collect();
    (rows[0]["scores"], rows[8]["scores"]) =
        (json!({"resolved": 1, "thumbs": 1}), json!({"relevance": 0.83}));
    rows.extend(sent.logs.iter().enumerate().map(|(nth, log)| {
        let span = log.span.unwrap().span_id.unwrap().to_string();
        let mut row = row(&format!("log-{nth}"), &span, sent, log.time);
        row["output"] = (&*log.message).into();
        row["metrics"] = json!({"start": log.time.as_nanos() as f64 / 1e9});
        row["span_attributes"] = json!({"type": "log", "log_level": log.level.as_str()});
        row
    }));
    let mut other = rows[0].clone();
    (other["id"], other["root_span_id"]) = ("another".into(), "another".into());
    let last = json!({"events": rows.split_off(9), "cursor": null});
    rows.push(other);
    vec![
        ("POST", "/v1/project", project),
        ("POST", FETCH, json!({"events": rows, "cursor": "next"})),
        ("POST", "the second page", last),
    ]
}

fn kind(span_type: &SpanType) -> &'static str {
    match span_type {
        SpanType::LlmGeneration(_) => "llm",
        SpanType::ToolCall(_) => "tool",
        SpanType::WorkflowStep(_) | SpanType::MemoryLookup(_) | SpanType::RagQuery(_) => "function",
        SpanType::EvalExecution(_) => "score",
        _ => "task",
    }
}

fn row(id: &str, span: &str, sent: &Trace, created: Timestamp) -> Value {
    json!({
        "id": id, "span_id": span, "root_span_id": sent.trace_id.to_string(), "_xact_id": "1", "created": iso(created),
        "org_id": PROJECT, "project_id": PROJECT, "log_id": "g",
    })
}

/// A look at a service that gives the rows in two pages.
async fn paged(mut answers: Answers) -> Result<()> {
    let second = answers.pop().unwrap().2;
    let server = CaptureServer::start().await;
    for (method, path, answer) in answers {
        server.answer_for(method, path, Answer::json(&answer));
    }
    server.answer_with(move |request| (request.json()?["cursor"] == "next").then(|| Answer::json(&second)));
    let once = Patience { total: Duration::ZERO, pause: Duration::from_millis(1) };
    prove::read(&*open(&server.url())?, &sent(), once).await
}

#[tokio::test]
async fn agreement_passes_and_is_as_the_api_is_described() {
    paged(answers(&sent())).await.unwrap();
    let mut answers = answers(&sent());
    for (_, _, answer) in &mut answers[1..] {
        // The description is older than rows of type `log`.
        answer["events"].as_array_mut().unwrap().retain(|row| row["span_attributes"]["type"] != "log");
    }
    let held: Vec<_> = answers.iter().map(|(method, path, answer)| (*method, *path, answer)).collect();
    described("braintrust-openapi.json", &[held[0], held[1], ("POST", FETCH, held[2].2)]);
}

#[tokio::test]
async fn a_difference_fails_and_is_named() {
    let cases: [Case; 5] = [
        ("input_tokens is 1, and 420 at the source", |all| {
            all[1].2["events"][5]["metrics"]["prompt_tokens"] = json!(1);
        }),
        ("type is \"task\", and \"tool\"", |all| {
            all[1].2["events"][6]["span_attributes"]["type"] = json!("task");
        }),
        ("/relevance: value is 0.5, and 0.83", |all| {
            all[1].2["events"][8]["scores"]["relevance"] = json!(0.5);
        }),
        ("/thumbs: not there", |all| {
            drop(all[1].2["events"][0]["scores"].as_object_mut().unwrap().remove("thumbs"));
        }),
        ("span log-3: there, and not at the source", |all| {
            all[2].2["events"][6]["span_attributes"]["type"] = json!("task");
        }),
    ];
    for (said, change) in cases {
        let mut answers = answers(&sent());
        change(&mut answers);
        let message = paged(answers).await.unwrap_err().to_string();
        assert!(message.contains(said), "{said}: {message}");
    }
}
