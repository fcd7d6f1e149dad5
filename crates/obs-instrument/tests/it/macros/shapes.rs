//! Functions of every shape.

use std::collections::HashMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use obs_core::SpanType;
use obs_instrument::{FutureExt, observe};
use serde::Serialize;

use crate::collect::Bench;

#[observe]
fn longest<'a, T>(left: &'a T, right: &'a T) -> &'a str
where
    T: AsRef<str> + Debug + ?Sized,
{
    let (left, right) = (left.as_ref(), right.as_ref());
    if left.len() > right.len() {
        return left;
    }
    right
}

#[observe]
fn first_char(text: &str) -> Option<char> {
    for (at, char) in text.chars().enumerate() {
        if char.is_alphabetic() {
            return Some(char);
        }
        if at > 10 {
            break;
        }
    }
    let last = text.chars().last()?;
    Some(last)
}

#[observe]
fn doubled(numbers: &[u32]) -> impl Iterator<Item = u32> + '_ {
    numbers.iter().map(|number| number * 2)
}

#[observe]
fn boxed(fail: bool) -> Result<Box<dyn Debug>, Box<dyn std::error::Error + Send + Sync>> {
    if fail {
        return Err("no".into());
    }
    let number: u8 = "7".parse()?;
    Ok(Box::new(number))
}

#[observe]
fn bare<T>(value: T, make: impl FnOnce(T) -> u8) -> u8 {
    make(value)
}

#[observe]
fn shout(mut text: String, sink: &mut Vec<String>) {
    text.push('!');
    sink.push(text);
}

#[observe]
extern "C" fn called_from_c(number: i32) -> i32 {
    number + 1
}

#[observe]
fn forever() -> ! {
    panic!("on purpose")
}

#[test]
fn functions_of_every_shape_compile_and_record() {
    let bench = Bench::new();
    bench.obs.context().scope(|| {
        assert_eq!(longest("a", "bc"), "bc");
        assert_eq!((first_char("12ab"), first_char("")), (Some('a'), None));
        assert_eq!(doubled(&[1, 2]).sum::<u32>(), 6);
        assert!(boxed(false).is_ok() && boxed(true).is_err());
        assert_eq!(bare(vec![1_u8], |values| values[0]), 1);
        let mut sink = Vec::new();
        shout("hey".into(), &mut sink);
        assert_eq!(sink, ["hey!"]);
        assert_eq!(called_from_c(1), 2);
    });
    let obs = bench.obs.clone();
    let ended = std::thread::spawn(move || obs.context().scope(|| forever())).join();
    assert!(ended.is_err());
    let arrived = bench.arrived();
    let shown = |name: &str| {
        let span = arrived.span(name);
        let text = |payload: &Option<obs_core::Payload>| payload.as_ref().map(|it| it.as_str().to_owned());
        (text(&span.input), text(&span.output))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(shown("longest"), (some(r#"{"left":"\"a\"","right":"\"bc\""}"#), some("bc")));
    assert_eq!(shown("doubled"), (some(r#"{"numbers":[1,2]}"#), None));
    assert_eq!(shown("shout"), (some(r#"{"text":"hey","sink":[]}"#), None));
    assert!(shown("bare").0.unwrap().starts_with(r#"{"value":"[not captured: "#));
    assert_eq!(arrived.span("forever").error.as_ref().unwrap().error_type.as_deref(), Some("panic"));
    assert_eq!(arrived.spans.iter().filter(|span| span.error.is_some()).count(), 2);
}

#[derive(Debug, Default, Clone)]
struct Engine {
    name: String,
    seen: HashMap<String, u32>,
}

impl Engine {
    #[observe(attributes(engine = self.name))]
    fn count(&mut self, word: &str) -> &mut u32 {
        self.seen.entry(word.to_owned()).or_default()
    }

    #[observe]
    fn into_name(self) -> String {
        self.name
    }

    #[observe]
    fn shared(self: Arc<Self>) -> usize {
        Arc::strong_count(&self)
    }

    #[observe]
    async fn greet(&self, whom: &str) -> Result<String, std::num::ParseIntError> {
        tokio::task::yield_now().await;
        for attempt in 0..3 {
            if attempt == 1 {
                return Ok(format!("{} greets {whom}", self.name));
            }
        }
        Ok(whom.parse::<u8>()?.to_string())
    }

    #[observe]
    async fn pick<'a>(&'a self, other: &'a str) -> &'a str {
        if other.is_empty() { &self.name } else { other }
    }
}

#[tokio::test]
async fn methods_have_their_self_and_do_not_show_it() {
    let bench = Bench::new();
    let mut engine = Engine { name: "lotte".into(), ..Engine::default() };
    bench.obs.context().scope(|| *engine.count("a") += 2);
    assert_eq!(engine.seen["a"], 2);
    let context = bench.obs.context();
    assert_eq!(engine.greet("ada").with_context(context.clone()).await.unwrap(), "lotte greets ada");
    assert_eq!(engine.pick("").with_context(context.clone()).await, "lotte");
    context.scope(|| {
        assert_eq!(Arc::new(engine.clone()).shared(), 1);
        assert_eq!(engine.into_name(), "lotte");
    });
    let arrived = bench.arrived();
    assert_eq!(arrived.span("count").attributes.get("engine").unwrap().as_str(), Some("lotte"));
    assert_eq!(arrived.span("count").input.as_ref().unwrap().as_str(), r#"{"word":"a"}"#);
    assert!(arrived.span("into_name").input.is_none());
    assert_eq!(arrived.span("greet").output.as_ref().unwrap().as_str(), "lotte greets ada");
}

#[observe]
fn eager(delay: u8) -> impl Future<Output = u8> + Send {
    let delay = delay + 1;
    async move {
        tokio::task::yield_now().await;
        delay
    }
}

#[observe]
fn pinned<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<usize, String>> + Send + 'a>> {
    Box::pin(async move {
        let length = text.len();
        if length == 0 {
            return Err("empty".into());
        }
        Ok(length)
    })
}

#[async_trait::async_trait]
trait Tool: Send + Sync {
    async fn run(&self, input: String) -> Result<String, std::fmt::Error>;

    #[observe(tool_call, tool = "default")]
    async fn describe(&self, language: &str) -> String {
        format!("in {language}")
    }
}

struct Search;

#[async_trait::async_trait]
impl Tool for Search {
    #[observe(tool_call, name = "search", agent = "scout", span = call)]
    async fn run(&self, input: String) -> Result<String, std::fmt::Error> {
        tokio::task::yield_now().await;
        call.call_id(format!("call_{input}"));
        if input.is_empty() {
            return Err(std::fmt::Error);
        }
        Ok(input.to_uppercase())
    }
}

struct Echo;

#[observe(tool_call)]
#[async_trait::async_trait]
impl Tool for Echo {
    async fn run(&self, input: String) -> Result<String, std::fmt::Error> {
        Ok(input)
    }
}

fn needs_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn functions_that_return_futures_are_recorded_until_those_end() {
    let bench = Bench::new();
    let context = bench.obs.context();
    let future = context.scope(|| eager(1));
    assert_eq!(tokio::spawn(needs_send(future)).await.unwrap(), 2);
    assert_eq!(needs_send(pinned("abc")).with_context(context.clone()).await, Ok(3));
    assert!(pinned("").with_context(context.clone()).await.is_err());
    let tools: [Box<dyn Tool>; 2] = [Box::new(Search), Box::new(Echo)];
    for tool in &tools {
        assert!(tool.run("x".into()).with_context(context.clone()).await.is_ok());
    }
    assert_eq!(tools[0].describe("de").with_context(context).await, "in de");
    let arrived = bench.arrived();
    for (name, input, output) in [
        ("eager", r#"{"delay":1}"#, "2"),
        ("pinned", r#"{"text":"abc"}"#, "3"),
        ("search", r#"{"input":"x"}"#, "X"),
        ("run", r#"{"input":"x"}"#, "x"),
        ("describe", r#"{"language":"de"}"#, "in de"),
    ] {
        let span = arrived.span(name);
        assert_eq!(span.input.as_ref().unwrap().as_str(), input, "{name}");
        assert_eq!(span.output.as_ref().unwrap().as_str(), output, "{name}");
    }
    assert!(arrived.spans.iter().any(|span| span.name == "pinned" && span.error.is_some()));
    let SpanType::ToolCall(call) = &arrived.span("search").span_type else { panic!() };
    assert_eq!((call.agent.as_deref(), call.call_id.as_deref()), (Some("scout"), Some("call_x")));
}

/// A generic function records what its bounds promise, and no more.
#[observe]
async fn promised<A: Serialize + Send, B: Send>(a: A, b: B) -> (A, B) {
    tokio::task::yield_now().await;
    (a, b)
}

#[tokio::test]
async fn a_future_is_send_if_its_body_is() {
    let bench = Bench::new();
    let task = needs_send(promised(1_u8, 2_u8)).with_context(bench.obs.context());
    assert_eq!(tokio::spawn(task).await.unwrap(), (1, 2));
    let arrived = bench.arrived();
    assert_eq!(
        arrived.span("promised").input.as_ref().unwrap().as_str(),
        r#"{"a":1,"b":"[not captured: u8]"}"#
    );
    assert!(arrived.span("promised").output.is_none());
}
