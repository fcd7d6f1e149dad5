use std::fmt;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as Task, Waker};

use obs_core::{ErrorInfo, Span, Status};
use obs_instrument::{CANCELLED, FutureExt, observe};
use uuid::Uuid;

use crate::collect::{Arrived, Bench};

/// An error that has another as its source.
#[derive(Debug)]
struct Wrapped(std::io::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load the config")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// An error made of another one's message.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

impl From<Wrapped> for Told {
    fn from(error: Wrapped) -> Self {
        Self(format!("the run failed: {error}"))
    }
}

fn missing() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::NotFound, "no such file")
}

#[track_caller]
fn id(arrived: &Arrived, name: &str) -> Uuid {
    let span = arrived.span(name);
    assert_eq!(span.status, Status::Error);
    span.error.as_ref().and_then(|error| error.error_id).unwrap()
}

fn message(span: &Span) -> &str {
    &span.error.as_ref().unwrap().message
}

#[tokio::test]
async fn an_error_has_one_id_from_where_it_arose_to_the_root_through_question_marks_and_conversions() {
    let bench = Bench::new();
    let obs = &bench.obs;
    let result = obs
        .agent_run("root")
        .run(async {
            obs.workflow_step("middle")
                .run(async {
                    // Nobody records the error on this span: it ends fine, and those above know the error all the same.
                    let silent = obs.span("silent");
                    let read = async { obs.tool_call("tool").run(async { Err::<(), _>(missing()) }).await };
                    read.with_context(silent.context()).await.map_err(Wrapped)
                })
                .await?;
            Ok::<(), Told>(())
        })
        .await;
    assert_eq!(result.unwrap_err().0, "the run failed: cannot load the config");
    let arrived = bench.arrived();
    assert_eq!(id(&arrived, "tool"), id(&arrived, "middle"), "it wraps the one below as its source");
    assert_eq!(id(&arrived, "middle"), id(&arrived, "root"), "it keeps the message");
    assert_eq!(arrived.span("silent").status, Status::Unset);
    let middle = arrived.span("middle").error.as_ref().unwrap();
    assert_eq!(middle.error_type.as_deref(), Some("it::errors::Wrapped"));
    assert_eq!(middle.sources, ["no such file"]);
}

#[test]
fn siblings_that_fail_alike_are_two_errors_and_their_parent_fails_with_the_surest() {
    let bench = Bench::new();
    let mut run = bench.obs.workflow_run("run");
    for (name, text) in [("a", "a failed"), ("b", "b failed")] {
        let mut tool = run.child::<obs_core::ToolCall>(name);
        let error = ErrorInfo { sources: vec!["timeout".into()], ..ErrorInfo::message(text) };
        tool.fail_with(|| error);
    }
    let mut again = run.child::<obs_core::ToolCall>("again");
    again.fail_with(|| ErrorInfo::message("a failed"));
    drop(again);
    run.fail_with(|| ErrorInfo { sources: vec!["b failed".into()], ..ErrorInfo::message("run failed") });
    run.end();
    let arrived = bench.arrived();
    assert_ne!(id(&arrived, "a"), id(&arrived, "b"));
    assert_ne!(id(&arrived, "a"), id(&arrived, "again"), "a retry that fails alike is another error");
    assert_eq!(id(&arrived, "run"), id(&arrived, "b"));
}

#[test]
fn hidden_spans_pass_an_error_on() {
    let bench = Bench::with(|builder| builder.exclude_span_types(["workflow_step"]).unwrap());
    let mut run = bench.obs.workflow_run("run");
    let mut step = run.child::<obs_core::WorkflowStep>("step");
    let mut tool = step.child::<obs_core::ToolCall>("tool");
    tool.fail(&missing());
    tool.end();
    step.fail(&Wrapped(missing()));
    step.end();
    run.fail(&Told("cannot load the config".into()));
    run.end();
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 2);
    assert_eq!(id(&arrived, "tool"), id(&arrived, "run"), "only the hidden span knew both messages");
}

#[test]
fn a_change_of_the_trace_does_not_forget_what_children_failed_with() {
    let bench = Bench::new();
    let mut run = bench.obs.span("run");
    let mut tool = run.child::<obs_core::ToolCall>("tool");
    tool.fail(&missing());
    tool.end();
    run.trace(|trace| trace.user_id = Some("ada".into()));
    drop(run.context());
    run.fail(&missing());
    run.end();
    let arrived = bench.arrived();
    assert_eq!(id(&arrived, "tool"), id(&arrived, "run"));
}

#[tokio::test]
async fn a_panic_is_recorded_with_its_message_where_it_is_caught_and_has_one_id() {
    let bench = Bench::new();
    let obs = bench.obs.clone();
    let task = tokio::spawn(async move {
        let run = obs.agent_run("run");
        let tool = obs.clone().tool_call("tool");
        let past = |index: usize| -> Result<(), String> { panic!("index {index} is out of range") };
        let work = tool.run_display(async move { past(7) });
        let _ = work.with_context(run.context()).await;
    });
    assert!(task.await.unwrap_err().is_panic(), "the panic goes on");
    let boom = || -> Result<(), Told> { std::panic::panic_any(17) };
    let caught = catch_unwind(AssertUnwindSafe(|| bench.obs.span("sync").call(boom)));
    assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&17));
    let arrived = bench.arrived();
    assert_eq!(message(arrived.span("tool")), "index 7 is out of range");
    assert_eq!(arrived.span("tool").error.as_ref().unwrap().error_type.as_deref(), Some("panic"));
    assert!(message(arrived.span("run")).contains("panicked"));
    assert_eq!(message(arrived.span("sync")), "the code panicked, and not with a text");
}

#[test]
fn spans_that_one_panic_drops_share_its_id() {
    let bench = Bench::new();
    let fall = catch_unwind(AssertUnwindSafe(|| {
        let run = bench.obs.agent_run("run");
        let _tool = run.child::<obs_core::ToolCall>("tool");
        panic!("on purpose");
    }));
    assert!(fall.is_err());
    let arrived = bench.arrived();
    assert_eq!(id(&arrived, "tool"), id(&arrived, "run"));
}

#[test]
fn results_boxed_errors_and_functions_are_recorded() {
    let bench = Bench::new();
    let mut span = bench.obs.span("result");
    span.record(&Ok::<_, Told>(3)).record(&Err::<(), _>(Wrapped(missing())));
    span.end();
    let boxed: Box<dyn std::error::Error + Send + Sync> = Wrapped(missing()).into();
    let mut span = bench.obs.span("boxed");
    span.fail(&*boxed);
    span.end();
    let result = bench.obs.span("called").call_with(|| Err::<(), _>(boxed), |error| ErrorInfo::of(&**error));
    assert_eq!(result.unwrap_err().to_string(), "cannot load the config");
    let inside = bench.obs.span("fine").call(|| Ok::<_, Told>(bench.obs.span("inside").span_id()));
    let arrived = bench.arrived();
    for name in ["result", "boxed", "called"] {
        assert_eq!(message(arrived.span(name)), "cannot load the config", "{name}");
        assert_eq!(arrived.span(name).error.as_ref().unwrap().sources, ["no such file"]);
    }
    assert_eq!(arrived.span("fine").status, Status::Unset);
    assert_eq!(arrived.span("inside").span_id, inside.unwrap().unwrap());
    assert_eq!(arrived.span("inside").parent_span_id, Some(arrived.span("fine").span_id));
}

/// An error that cannot say what it is.
#[derive(Debug)]
struct Speechless;

impl fmt::Display for Speechless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl std::error::Error for Speechless {}

#[tokio::test]
async fn law_2_host_is_safe_from_errors_that_panic_when_they_are_asked() {
    let bench = Bench::new();
    bench.obs.span("fail").fail(&Speechless);
    bench.obs.span("fail_with").fail_with(|| panic!("on purpose"));
    assert!(bench.obs.span("run").run(async { Err::<(), _>(Speechless) }).await.is_err());
    assert!(bench.obs.span("run_display").run_display(async { Err::<(), _>(Speechless) }).await.is_err());
    assert!(bench.obs.span("call").call(|| Err::<(), _>(Speechless)).is_err());
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 5);
    for span in &arrived.spans {
        assert!(span.status == Status::Error && message(span).starts_with("[not captured"), "{}", span.name);
    }
}

#[test]
fn a_panic_takes_no_error_away_that_was_told_before() {
    let bench = Bench::new();
    let fall = catch_unwind(AssertUnwindSafe(|| {
        let mut told = bench.obs.span("told");
        told.fail(&missing());
        let _untold = bench.obs.span("untold");
        panic!("on purpose");
    }));
    assert!(fall.is_err());
    let arrived = bench.arrived();
    assert_eq!(message(arrived.span("told")), "no such file");
    assert_eq!(arrived.span("untold").error.as_ref().unwrap().error_type.as_deref(), Some("panic"));
}

#[test]
fn panics_that_say_different_things_and_errors_that_say_nothing_are_errors_of_their_own() {
    let bench = Bench::new();
    let boom = |text: &'static str| move || -> Result<(), Told> { panic!("{text}") };
    let run = bench.obs.agent_run("run");
    let work = || {
        let tool = bench.obs.tool_call("tool");
        assert!(catch_unwind(AssertUnwindSafe(|| tool.call(boom("the first")))).is_err());
        boom("the second")()
    };
    assert!(catch_unwind(AssertUnwindSafe(|| run.call(work))).is_err());
    let mut silent = bench.obs.agent_run("silent");
    let mut below = silent.child::<obs_core::ToolCall>("below");
    below.fail(&Told(String::new()));
    below.end();
    silent.fail(&Told(String::new()));
    silent.end();
    let arrived = bench.arrived();
    assert_eq!(message(arrived.span("run")), "the second");
    assert_ne!(id(&arrived, "run"), id(&arrived, "tool"));
    assert_ne!(id(&arrived, "silent"), id(&arrived, "below"));
}

#[observe(tool_call)]
async fn wait(forever: bool) {
    if forever {
        pending::<()>().await;
    }
}

/// Polls it once, then drops it; whether it was done.
fn tried(future: impl Future) -> bool {
    pin!(future).poll(&mut Task::from_waker(Waker::noop())).is_ready()
}

#[test]
fn what_is_given_up_says_so_and_has_not_failed() {
    let bench = Bench::new();
    let given_up = bench.obs.agent_run("given up").run_display(pending::<Result<(), String>>());
    assert!(!tried(given_up) && !tried(wait(true).with_context(bench.obs.context())));
    let done = bench.obs.agent_run("done").run_display(ready(Ok::<_, String>(())));
    assert!(tried(done));
    bench.obs.agent_run("around").scope(|| assert!(tried(wait(false))));
    let arrived = bench.arrived();
    let said = |span: &Span| (span.attributes.get(CANCELLED).cloned(), span.status);
    let given_up = (Some(true.into()), Status::Unset);
    assert_eq!(said(arrived.span("given up")), given_up);
    assert_eq!([said(arrived.span("done")).0, said(arrived.span("around")).0], [None, None]);
    let tools: Vec<_> = arrived.spans.iter().filter(|span| span.name == "wait").map(said).collect();
    assert_eq!(tools, [given_up, (None, Status::Unset)]);
}
