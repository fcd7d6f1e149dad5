//! Services that tell what they have by ids: a look is only well when every id is there and no other.

use std::collections::BTreeSet;

use obs_testkit::{Answer, CaptureServer};
use serde_json::{Value, json};

use super::*;
use crate::live::datadog::DatadogApi;
use crate::live::file::Folder;
use crate::live::newrelic::NewRelicApi;

fn once() -> Patience {
    Patience { total: Duration::ZERO, pause: Duration::from_millis(1) }
}

/// What Datadog answers of the trace, each span with what it was judged by.
fn events(trace: &Trace) -> Vec<Value> {
    let event = |span: &obs_core::Span| {
        let judged = trace.scores.iter().filter(|score| {
            score.target.span_id().or_else(|| score.target.root_span_id()) == Some(span.span_id)
        });
        let evaluation: serde_json::Map<_, _> =
            judged.map(|score| (score.name.to_string(), json!({ "value": 1 }))).collect();
        json!({ "attributes": { "span_id": span.span_id, "name": span.name, "evaluation": evaluation } })
    };
    trace.spans.iter().map(event).collect()
}

fn logs(trace: &Trace) -> Vec<Value> {
    let log = |log: &obs_core::Log| {
        let of = log.span.and_then(|span| span.span_id);
        json!({ "attributes": { "message": log.message, "attributes": { "otel": { "span_id": of } } } })
    };
    trace.logs.iter().map(log).collect()
}

#[tokio::test]
async fn datadog_shows_spans_with_evaluations_and_logs() {
    let env = env(&[("DD_API_KEY", "a"), ("DATADOG_APP_KEY", "b")]);
    let trace = sent();
    for (change, said) in [
        (None, None),
        (Some("/attributes/name"), Some("`: there, and not at the source")),
        (Some("/attributes/evaluation"), Some("evaluation `")),
    ] {
        let server = CaptureServer::start().await;
        let mut events = events(&trace);
        let judged = events.iter_mut().find(|event| event["attributes"]["evaluation"] != json!({})).unwrap();
        if let Some(place) = change {
            *judged.pointer_mut(place).unwrap() = json!({ "other": 1 });
        }
        server.answer_for("GET", "/api/v2/llm-obs/v1/spans/events", Answer::json(&json!({ "data": events })));
        server.answer_for(
            "POST",
            "/api/v2/logs/events/search",
            Answer::json(&json!({ "data": logs(&trace) })),
        );
        let api = DatadogApi::at(env.clone(), &server.url()).unwrap();
        let looked = prove::sight("datadog", &api, &trace, once()).await;
        match said {
            None => looked.unwrap(),
            Some(said) => {
                let told = looked.unwrap_err().to_string();
                assert!(told.contains(said), "{told}");
            }
        }
        let asked = &server.requests()[0];
        assert_eq!(asked.header("dd-api-key").zip(asked.header("dd-application-key")), Some(("a", "b")));
        assert!(asked.query.as_deref().is_some_and(|query| query.contains(&trace.trace_id.to_string())));
    }
}

#[tokio::test]
async fn new_relic_answers_queries_of_each_type() {
    let variables =
        [("NEW_RELIC_API_KEY", "a"), ("NEW_RELIC_ACCOUNT_ID", "42"), ("NEW_RELIC_LICENSE_KEY", "b")];
    let trace = sent();
    let rows = {
        let trace = trace.clone();
        move |query: &str| -> Vec<Value> {
            match query.split(" FROM ").nth(1).and_then(|rest| rest.split(' ').next()) {
                Some("Span") => {
                    trace.spans.iter().map(|span| json!({ "id": span.span_id, "name": span.name })).collect()
                }
                Some("Log") => trace
                    .logs
                    .iter()
                    .map(|log| json!({ "message": log.message, "span.id": log.span.and_then(|span| span.span_id) }))
                    .collect(),
                Some("LlmEvaluation") => trace.scores.iter().map(|score| json!({ "id": score.id })).collect(),
                Some("LlmFeedbackMessage") => trace.feedback.iter().map(|given| json!({ "id": given.id })).collect(),
                _ => Vec::new(),
            }
        }
    };
    let server = CaptureServer::start().await;
    server.answer_with(move |request| {
        let results = rows(request.json()?["variables"]["q"].as_str()?);
        Some(Answer::json(&json!({ "data": { "actor": { "account": { "nrql": { "results": results } } } } })))
    });
    let api = NewRelicApi::at(env(&variables), &server.url()).unwrap();
    prove::sight("newrelic", &api, &trace, once()).await.unwrap();
    let mut other = trace.clone();
    other.feedback.clear();
    let told = prove::sight("newrelic", &api, &other, once()).await.unwrap_err().to_string();
    assert!(told.contains("LlmFeedbackMessage") && told.contains("not at the source"), "{told}");
    server.answer_with(|_| Some(Answer::json(&json!({ "errors": [{ "message": "no such account" }] }))));
    let told = prove::sight("newrelic", &api, &trace, once()).await.unwrap_err().to_string();
    assert!(told.contains("no such account"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(&[("OBS_FILE_OUTPUT_DIRECTORY", folder.path().to_str().unwrap())]);
    let service = Folder::open(env).unwrap();
    let trace = sent();
    let told = prove::sight("file", &service, &trace, once()).await.unwrap_err().to_string();
    assert!(told.contains(": not there"), "{told}");
    prove::send("file", service.destination().unwrap(), &trace).unwrap();
    prove::sight("file", &service, &trace, once()).await.unwrap();
    assert_eq!(service.found(&trace).await.unwrap().len(), 12 + 4 + 2 + 1);
    assert_eq!(service.found(&fresh::trace(SEED + (7 << 64), fresh_time())).await.unwrap(), BTreeSet::new());
}

fn fresh_time() -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000)
}

/// Those whose API is not known take all of a trace, and one that refuses is told.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_back_is_known_to_be_accepted() {
    for (name, variables) in [("mastra", &[("MASTRA_PLATFORM_ACCESS_TOKEN", "a")][..]), ("webhook", &[])] {
        let server = CaptureServer::start().await;
        let address =
            if name == "mastra" { "MASTRA_PLATFORM_OBSERVABILITY_ENDPOINT" } else { "OBS_WEBHOOK_URL" };
        let url = server.url();
        let all: Vec<_> = variables.iter().copied().chain([(address, url.as_str())]).collect();
        assert_eq!(missing(listed(name).unwrap(), &env(&all)).unwrap(), "");
        let destination = || destination(name, env(&all)).unwrap();
        prove::send(name, destination(), &sent()).unwrap();
        assert!(!server.take_requests().is_empty());
        server.answer_always(Answer::status(400));
        let told = prove::send(name, destination(), &sent()).unwrap_err().to_string();
        assert!(told.contains("not all was taken"), "{name}: {told}");
    }
}
