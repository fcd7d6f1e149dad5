//! Secrets that come in by every way in which this crate takes text.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use obs_core::ScoreValue;
use obs_instrument::observe;
use serde::Serialize;

use crate::collect::Bench;

#[observe(tool_call)]
fn search(query: &str) -> Result<String, io::Error> {
    if query.len() > 100 { Err(io::Error::other(format!("no {query}"))) } else { Ok(query.to_owned()) }
}

#[observe(tool_call)]
fn explode(key: &str) {
    panic!("no tool takes {key}");
}

fn json<T: Serialize>(records: &[T]) -> String {
    serde_json::to_string(records).unwrap()
}

#[test]
fn law_6_no_secret_leaves_by_any_front_door() {
    let secret = &format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let bench = Bench::with(|builder| builder.baggage_attributes(["tenant"]));
    let obs = &bench.obs;
    obs.context().with_baggage("tenant", secret.clone()).unwrap().scope(|| {
        let mut span = obs.llm_generation(format!("call with {secret}"));
        span.model(format!("m {secret}")).input(format!(r#"{{"messages":"[\"{secret}\"]"}}"#));
        span.attribute("note", secret.clone());
        span.event_with("said", || [("words", secret.as_str().to_owned())].into_iter().collect());
        span.trace(|trace| trace.user_id = Some(secret.clone().into()));
        span.fail(&io::Error::other(format!("refused: {secret}")));
        span.score("leaks", true).comment(format!("see {secret}"));
        span.feedback("text", ScoreValue::category(secret.clone())).user(secret.clone());
        span.scope(|| {
            assert_eq!(search(secret).unwrap(), *secret);
            assert!(search(&format!("{secret} {}", "x ".repeat(60))).is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| explode(secret))).is_err());
            obs.warn(format!("logged {secret}")).with("key", secret.clone());
            obs.meter().counter("calls").add(1.0, [("caller", secret.clone())]);
        });
        span.end_with(secret.clone());
    });
    let arrived = bench.arrived();
    let told = [
        json(&arrived.spans),
        json(&arrived.logs),
        json(&arrived.metrics),
        json(&arrived.scores),
        json(&arrived.feedback),
    ];
    for (signal, told) in told.iter().enumerate() {
        assert!(told.contains("[REDACTED]"), "nothing of signal {signal} was searched: {told}");
        assert!(!told.contains(&secret[4..]), "{told}");
    }
    assert_eq!(arrived.spans.len(), 4);
    for span in &arrived.spans {
        let tenant = span.attributes.get("tenant").and_then(|value| value.as_str());
        assert_eq!(tenant, Some("[REDACTED]"), "baggage on {}", span.name);
    }
}
