//! Every vendor against a server of this machine that answers as its API is described.
//!
//! The answers are made of the trace, not of what the exporter sent, so that neither can hide what the other lacks.

mod braintrust;
mod langfuse;
mod langsmith;
mod sighted;

use obs_core::Timestamp;
use obs_testkit::openapi::Spec;
use obs_testkit::{Answer, CaptureServer, Captured};
use serde_json::Value;

use super::*;
use crate::platforms::servers;

const SEED: u128 = 0x019c_0000_0000_7000_8000_0000_1234_5678;

fn sent() -> Trace {
    fresh::trace(SEED, Timestamp::from_nanos(1_800_000_000_000_000_000))
}

fn env(variables: &[(&str, &str)]) -> Env {
    Env::of(variables.iter().copied())
}

/// What a vendor's API answers to a read: method, path, and the JSON.
type Answers = Vec<(&'static str, &'static str, Value)>;

/// A change of answers, and the words that it must be found with.
type Case = (&'static str, fn(&mut Answers));

/// One look at a vendor whose API answers so.
async fn look(open: fn(&str) -> Result<Box<dyn Vendor>>, answers: Answers) -> Result<()> {
    let server = CaptureServer::start().await;
    for (method, path, answer) in answers {
        server.answer_for(method, path, Answer::json(&answer));
    }
    let once = Patience { total: Duration::ZERO, pause: Duration::from_millis(1) };
    let vendor = open(&server.url())?;
    prove::read(&*vendor, &sent(), once).await
}

/// The message of a look that must fail.
async fn fault(open: fn(&str) -> Result<Box<dyn Vendor>>, answers: Answers) -> String {
    look(open, answers).await.expect_err("the answers differ from what was sent").to_string()
}

/// Fails unless the vendor's description has such answers at these paths.
fn described(name: &str, answers: &[(&str, &str, &Value)]) {
    let Some(spec) = obs_testkit::openapi::shared(name) else { return };
    let held = |spec: &Spec, (method, path, answer): &(&str, &str, &Value)| {
        assert_eq!(spec.check_answer(method, path, 200, answer), Ok(()), "{method} {path}");
    };
    for answer in answers {
        held(&spec, answer);
    }
}

fn iso(time: Timestamp) -> String {
    time.rfc3339().to_string()
}

#[test]
fn what_is_not_set_is_named_and_what_is_unknown_refused() {
    let langfuse = listed("langfuse").unwrap();
    let none: [(&str, &str); 0] = [];
    assert_eq!(missing(langfuse, &env(&none)).unwrap(), "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are");
    assert_eq!(missing(langfuse, &env(&[("LANGFUSE_PUBLIC_KEY", "a")])).unwrap(), "LANGFUSE_SECRET_KEY is");
    let langsmith = listed("langsmith").unwrap();
    assert_eq!(missing(langsmith, &env(&none)).unwrap(), "LANGSMITH_API_KEY or LANGCHAIN_API_KEY is");
    assert_eq!(missing(langsmith, &env(&[("LANGCHAIN_API_KEY", "a")])).unwrap(), "");
    let message = listed("langfus").unwrap_err().to_string();
    assert!(
        message.ends_with(
            "the services are langfuse, braintrust, langsmith, datadog, newrelic, mastra, webhook, file"
        ),
        "{message}"
    );
}

#[test]
fn the_line_for_the_docs_tells_when_and_what() {
    const AT: &str = "2027-01-15T08:00:00Z";
    let line = last_run("langsmith", &sent(), AT, Known::Read);
    let end = "12 spans, 2 scores and 1 feedback were read back as they were sent.";
    assert!(line.contains("the real service: 2027-01-15, obs ") && line.ends_with(end), "{line}");
    assert!(last_run("langfuse", &sent(), AT, Known::Read).contains("12 spans, 4 logs, 2 scores"));
    let accepted = last_run("mastra", &sent(), AT, Known::Accepted);
    assert!(accepted.ends_with("were accepted; no API to read them back is known."), "{accepted}");
    let partly = last_run("datadog", &sent(), AT, Known::ReadBut("feedback"));
    assert!(partly.ends_with("were accepted, and read back by their ids but for feedback."), "{partly}");
}

#[tokio::test]
async fn what_becomes_visible_late_is_waited_for() {
    let server = CaptureServer::start().await;
    let [full, empty] = [langfuse::answers(&sent()), langfuse::nothing()]
        .map(|answers| answers.into_iter().map(|(_, _, answer)| Answer::json(&answer)).collect::<Vec<_>>());
    server.answer(empty.into_iter().chain([Answer::status(503)]).chain(full));
    let patience = Patience { total: Duration::from_secs(20), pause: Duration::from_millis(1) };
    let vendor = langfuse::open(&server.url()).unwrap();
    prove::read(&*vendor, &sent(), patience).await.unwrap();
    assert_eq!(server.requests().len(), 5, "twice too soon, then both answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_refuses_fails_before_anything_is_read() {
    for stage in servers::start().await.unwrap() {
        let name = stage.platform.name();
        let destination = || destination(name, stage.env()).unwrap();
        prove::send(name, destination(), &sent()).unwrap();
        // A project that cannot be had is waited for, which is not what this is about.
        let refused = |request: &Captured| request.method == "POST" && request.path != "/v1/project";
        stage.server.answer_with(move |request| refused(request).then(|| Answer::status(400)));
        let message = prove::send(name, destination(), &sent()).unwrap_err().to_string();
        assert!(message.starts_with("of traces, not all was taken"), "{name}: {message}");
    }
}
