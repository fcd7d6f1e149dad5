//! A service that uses all of obs at once.

use std::convert::Infallible;
use std::io;

use http::{Request, Response};
use obs_core::{TraceId, Usage, WorkflowStatus, WorkflowStep};
use obs_instrument::tower::{ClientLayer, ServerLayer};
use obs_instrument::{FutureExt, Observability, Registry, Sampling, observe};
use tower::{Layer, ServiceExt, service_fn};
use tracing::field::Empty;
use tracing::{Instrument, Span, error, info, info_span};

use crate::flavours::{Flavour, blocking, spawn};

/// The names of the two instances.
pub(crate) const SERVICE: &str = "service";
pub(crate) const TENANT: &str = "tenant";

/// What must not leave.
pub(crate) const SECRET: &str = "hunter2-correct-horse";

/// Everything once: a request that fails, and what is not to be kept. Gives the trace of the request.
pub(crate) async fn run(registry: &Registry, flavour: Flavour) -> TraceId {
    let (obs, tenant) = (registry.get(SERVICE).unwrap(), registry.get(TENANT).unwrap());
    let trace_id = request(&obs, &tenant, flavour).await;
    of_no_interest(&obs);
    unsampled(&obs);
    tenant.context().scope(|| Observability::current().unwrap().span("ambient").end());
    trace_id
}

/// One service asks the other.
async fn request(obs: &Observability, tenant: &Observability, flavour: Flavour) -> TraceId {
    let of_request = obs.clone();
    let handle = move |_: Request<String>| {
        let obs = of_request.clone();
        async move {
            let status = if answer("why?", obs, flavour).await.is_ok() { 200 } else { 500 };
            Ok::<_, Infallible>(Response::builder().status(status).body(String::new()).unwrap())
        }
    };
    let server = ServerLayer::of(obs).route(|_| Some("/ask".into())).layer(service_fn(handle));
    let client = ClientLayer::new().layer(server);
    let caller = tenant.span("caller");
    let context = caller.context().with_baggage("tenant", "acme").unwrap();
    let request = Request::get("http://localhost/ask").body(String::new()).unwrap();
    let answer = async { client.oneshot(request).await }.with_context(context).await.unwrap();
    assert_eq!(answer.status(), 500);
    let trace_id = caller.trace_id().unwrap();
    caller.end();
    trace_id
}

/// The instance is that of the request's context.
#[observe(agent_run, skip(obs, flavour))]
async fn answer(question: &str, obs: Observability, flavour: Flavour) -> Result<String, io::Error> {
    workflow(&obs);
    generate(&obs);
    chat(&obs).await;
    tools(&obs, flavour).await;
    Err(io::Error::other("nobody knows"))
}

/// A run that waits for a person, as another process would go on with it.
fn workflow(obs: &Observability) {
    let mut run = obs.workflow_run("refund");
    run.workflow_id("refunds").run_id("r-1");
    let mut step = run.child::<WorkflowStep>("approve");
    let logger = obs.logger("workflow");
    step.scope(|| drop(logger.info("in the step")));
    step.transition(WorkflowStatus::Running, "begins");
    let suspended = serde_json::to_string(&step.suspend("waits for a person")).unwrap();
    run.scope(|| obs.resume_step("approved", &serde_json::from_str(&suspended).unwrap()).end());
    let suspended = serde_json::to_string(&run.suspend("waits for the bank")).unwrap();
    obs.resume("refund again", &serde_json::from_str(&suspended).unwrap()).end();
}

/// A call with a price, and one that nobody is shown.
fn generate(obs: &Observability) {
    let mut call = obs.llm_generation("generate");
    call.model("gpt-4o").provider("openai").usage(Usage::new(1_000, 100));
    call.input("why?").attribute("api_key", SECRET);
    call.score("quality", 0.9).range(0.0, 1.0);
    call.end_with("because");
    let lookup = obs.memory_lookup("hidden");
    let mut embedding = lookup.scope(|| obs.embedding("embed"));
    embedding.model("text-embedding-3-small").provider("openai").usage(Usage::new(10, 0)).count(1);
    embedding.end();
    lookup.end();
}

/// A library that is instrumented with `tracing`.
async fn chat(obs: &Observability) {
    let span = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = "gpt-4o",
        gen_ai.usage.input_tokens = Empty,
        password = SECRET,
    );
    async {
        info!(attempt = 1, "asked");
        yield_now().await;
        Span::current().record("gen_ai.usage.input_tokens", 12u64);
        obs.tool_call("within").end();
    }
    .instrument(span)
    .await;
}

/// A tool that works on other tasks and threads.
async fn tools(obs: &Observability, flavour: Flavour) {
    let mut tool = obs.tool_call("search");
    tool.tool("search").input(format!("{{\"password\":\"{SECRET}\"}}"));
    let (of_task, of_pool) = (obs.clone(), obs.clone());
    let task = async move {
        of_task.rag_query("in a task").end();
        yield_now().await;
        info_span!("traced").in_scope(|| error!("not there"));
    };
    spawn(flavour, task.with_context(tool.context())).await;
    let pool = move || {
        of_pool.warn("from a pool").with("token", SECRET);
        of_pool.meter().counter("lookups").add(1.0, [("tool", "search")]);
    };
    blocking(tool.context().wrap(pool)).await;
    tool.feedback("thumbs", true).user("u-1");
    tool.end();
}

/// A trace that tail sampling drops, with all that speaks of it.
fn of_no_interest(obs: &Observability) {
    let run = obs.agent_run("of no interest");
    run.scope(|| {
        obs.info("of no interest");
        info_span!("of no interest").in_scope(|| info!("of no interest"));
    });
    run.score("quality", 1.0);
    run.feedback_trace("thumbs", true);
    run.end();
}

/// A trace that is only counted.
fn unsampled(obs: &Observability) {
    obs.set_sampling(Sampling::Never);
    let run = obs.agent_run("unsampled");
    run.scope(|| {
        obs.error("unsampled");
        info_span!("unsampled").in_scope(|| error!("unsampled"));
    });
    run.score("quality", 0.0);
    run.end();
    obs.set_sampling(Sampling::Always);
}

/// Lets others go first, once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
