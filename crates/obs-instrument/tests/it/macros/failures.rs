//! Errors, panics and futures that are dropped.

use std::fmt;

use obs_core::{ErrorInfo, SpanType, Status};
use obs_instrument::{FutureExt, observe};
use serde::{Serialize, Serializer};

use crate::collect::{Arrived, Bench};

#[derive(Debug)]
struct Failed(std::num::ParseIntError);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tool failed")
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// An alias, as most crates have one: it is no `Result` by its name.
type Outcome<T, E = Failed> = Result<T, E>;

#[observe(tool_call)]
fn parse(text: &str) -> Outcome<u8> {
    text.parse().map_err(Failed)
}

#[observe(agent_run, agent = "reader")]
async fn read(text: &str) -> Outcome<u8> {
    tokio::task::yield_now().await;
    let value = parse(text)?;
    Ok(value)
}

fn error_of<'a>(arrived: &'a Arrived, name: &str) -> &'a ErrorInfo {
    arrived.span(name).error.as_ref().unwrap()
}

#[tokio::test]
async fn an_error_is_recorded_by_every_function_it_leaves_under_one_id() {
    let bench = Bench::new();
    assert!(read("x").with_context(bench.obs.context()).await.is_err());
    let arrived = bench.arrived();
    let tool = error_of(&arrived, "parse");
    assert_eq!(tool.message, "the tool failed");
    assert!(tool.error_type.as_deref().unwrap().ends_with("failures::Failed"));
    assert_eq!(tool.sources, ["invalid digit found in string"]);
    assert_eq!(tool.error_id, error_of(&arrived, "read").error_id);
    assert_eq!(arrived.span("read").status, Status::Error);
    assert!(arrived.span("read").output.is_none());
    let SpanType::ToolCall(call) = &arrived.span("parse").span_type else { panic!() };
    assert_eq!(call.success, Some(false));
    assert_eq!(arrived.span("parse").parent_span_id, Some(arrived.span("read").span_id));
}

#[derive(Debug)]
struct OnlyDebug;

struct Mute;

#[observe]
fn text() -> Result<(), String> {
    Err("words".into())
}

#[observe]
fn report() -> Result<(), Box<dyn std::error::Error>> {
    Err(Box::new("x".parse::<u8>().map_err(Failed).unwrap_err()))
}

#[observe]
fn only_debug() -> Result<(), OnlyDebug> {
    Err(OnlyDebug)
}

#[observe]
fn mute() -> Result<(), Mute> {
    Err(Mute)
}

#[test]
fn an_error_says_what_its_type_can_say() {
    let bench = Bench::new();
    bench.obs.context().scope(|| {
        assert!(text().is_err() && report().is_err() && only_debug().is_err() && mute().is_err());
    });
    let arrived = bench.arrived();
    assert_eq!(error_of(&arrived, "text").message, "words");
    assert_eq!(error_of(&arrived, "text").error_type, None);
    assert_eq!(error_of(&arrived, "report").sources, ["invalid digit found in string"]);
    assert_eq!(error_of(&arrived, "only_debug").message, "OnlyDebug");
    assert!(error_of(&arrived, "mute").message.starts_with("[not captured: "));
    assert!(error_of(&arrived, "mute").error_type.as_deref().unwrap().ends_with("Mute"));
}

#[observe]
fn explode(code: u8) {
    assert!(code == 0, "code {code}");
}

#[observe]
async fn explode_later(code: u8) {
    tokio::task::yield_now().await;
    explode(code);
}

#[tokio::test]
async fn a_panic_is_recorded_with_what_it_says_and_goes_on() {
    let bench = Bench::new();
    let ended = tokio::spawn(explode_later(7).with_context(bench.obs.context())).await;
    let panic = ended.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "code 7");
    let arrived = bench.arrived();
    for name in ["explode", "explode_later"] {
        let error = error_of(&arrived, name);
        assert_eq!(
            (error.error_type.as_deref(), error.message.as_str()),
            (Some("panic"), "code 7"),
            "{name}"
        );
    }
    assert_eq!(error_of(&arrived, "explode").error_id, error_of(&arrived, "explode_later").error_id);
}

#[observe]
async fn wait_for_ever(obs: obs_instrument::Observability) {
    struct Leaves(obs_instrument::Observability);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.info("dropped");
        }
    }
    let _leaves = Leaves(obs);
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_future_that_is_dropped_ends_its_span_and_is_dropped_under_it() {
    let bench = Bench::new();
    {
        let mut waiting = Box::pin(wait_for_ever(bench.obs.clone()).with_context(bench.obs.context()));
        assert!(polled(waiting.as_mut()).await.is_pending());
    }
    let arrived = bench.arrived();
    let span = arrived.span("wait_for_ever");
    assert_eq!((span.status, &span.output), (Status::Unset, &None));
    assert_eq!(arrived.logs[0].span.unwrap().span_id, Some(span.span_id));
}

async fn polled<F: Future + Unpin>(mut future: F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut future).poll(cx))).await
}

struct Hostile;

impl Serialize for Hostile {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose")
    }
}

#[observe(attributes(hostile = hostile))]
fn survives(hostile: Hostile, kind: u8) -> Hostile {
    let _ = kind;
    hostile
}

#[test]
fn law_2_host_is_safe_from_what_panics_when_it_is_captured() {
    let bench = Bench::new();
    bench.obs.context().scope(|| survives(Hostile, 1));
    let arrived = bench.arrived();
    let span = arrived.span("survives");
    let input = span.input.as_ref().unwrap().as_str();
    assert!(input.starts_with("{\"hostile\":\"[not captured: ") && input.ends_with("\"kind\":1}"), "{input}");
    assert_eq!((span.status, &span.output), (Status::Unset, &None));
}
