use obs_core::{SpanType, Status, Value};
use obs_instrument::observe;
use serde::Serialize;

use crate::collect::Bench;

#[derive(Serialize)]
struct Question<'a> {
    text: &'a str,
    urgent: bool,
}

/// Neither `Serialize` nor `Debug`.
struct Client;

#[derive(Debug)]
struct OnlyDebug(#[expect(dead_code, reason = "its Debug is what is recorded")] u8);

#[observe]
fn plain(question: &Question<'_>, client: &Client, mode: OnlyDebug, (left, right): (u8, u8)) -> usize {
    let _ = (client, mode);
    question.text.len() + usize::from(left + right)
}

#[test]
fn arguments_and_result_are_recorded_by_serialize_then_debug_then_a_mark() {
    let bench = Bench::new();
    let question = Question { text: "why?", urgent: true };
    assert_eq!(bench.obs.context().scope(|| plain(&question, &Client, OnlyDebug(3), (1, 2))), 7);
    let arrived = bench.arrived();
    let span = arrived.span("plain");
    assert_eq!(
        span.input.as_ref().unwrap().as_str(),
        "{\"question\":{\"text\":\"why?\",\"urgent\":true},\"client\":\"[not captured: &it::macros::options::Client]\",\
         \"mode\":\"OnlyDebug(3)\",\"left\":1,\"right\":2}"
    );
    assert_eq!(span.output.as_ref().unwrap().as_str(), "7");
    assert_eq!((span.status, &span.span_type), (Status::Unset, &SpanType::Generic));
}

#[observe(
    llm_generation,
    name = "chat",
    model = model,
    provider = "openai",
    temperature = 0.5,
    attributes(prompt.length = prompt.len(), "app.user" = user, exact = f64::INFINITY),
    skip(user),
    rename(prompt = "messages"),
    span = call
)]
async fn generate(
    model: &str,
    prompt: String,
    user: Option<String>,
) -> Result<String, std::num::ParseIntError> {
    tokio::task::yield_now().await;
    call.finish_reason("stop");
    let parsed: u8 = prompt.parse()?;
    drop(user);
    if parsed == 0 {
        return Ok("zero".into());
    }
    Ok(format!("{parsed}"))
}

#[tokio::test]
async fn options_of_a_generation() {
    use obs_instrument::FutureExt;
    let bench = Bench::new();
    let model = String::from("gpt-4o");
    let run = async {
        assert_eq!(generate(&model, "7".into(), Some("ada".into())).await, Ok("7".into()));
    };
    run.with_context(bench.obs.context()).await;
    let arrived = bench.arrived();
    let span = arrived.span("chat");
    let SpanType::LlmGeneration(call) = &span.span_type else { panic!("{span:?}") };
    assert_eq!((call.model.as_deref(), call.provider.as_deref()), (Some("gpt-4o"), Some("openai")));
    assert_eq!((call.parameters.temperature, call.finish_reason.as_deref()), (Some(0.5), Some("stop")));
    assert_eq!(span.input.as_ref().unwrap().as_str(), "{\"model\":\"gpt-4o\",\"messages\":\"7\"}");
    assert_eq!(span.output.as_ref().unwrap().as_str(), "7");
    assert_eq!(span.attributes.get("prompt.length"), Some(&Value::I64(1)));
    assert_eq!(span.attributes.get("app.user"), Some(&Value::Str("ada".into())));
    assert_eq!(span.attributes.get("exact"), Some(&Value::F64(f64::INFINITY)));
}
