//! One run of an agent in Langfuse, Braintrust and LangSmith at once.
//!
//! With the platforms' own variables set: `cargo run -p obs-instrument --example platforms`

use std::time::Duration;

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_instrument::Observability;
use obs_instrument::core::Usage;
use obs_langfuse::{LangfuseConfig, LangfuseExporter};
use obs_langsmith::{LangsmithConfig, LangsmithExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let obs = Observability::builder("support-bot")
        .to(LangfuseExporter::new(LangfuseConfig::from_env()?)?)
        .to(BraintrustExporter::new(BraintrustConfig::from_env()?)?)
        .to(LangsmithExporter::new(LangsmithConfig::from_env()?)?)
        .build()?;

    let mut run = obs.agent_run("answer the customer");
    run.trace(|trace| trace.user_id = Some("user-7".into()));
    let under_way = run.enter();
    let mut tool = obs.tool_call("look up the order");
    tool.tool("orders").input(r#"{"order":"A-7"}"#);
    tool.fail(&std::io::Error::other("the database is down"));
    tool.end();
    let mut call = obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").input("Where is my order?");
    call.usage(Usage::new(120, 14));
    call.score("relevance", 0.9);
    call.end_with("I cannot see it right now.");
    obs.warn("answered without the order");
    drop(under_way);

    // Keep this for whoever judges later, also in another process: it has the ids of the trace and of its root.
    let whole_run = run.trace_target();
    run.end_with("I cannot see it right now.");
    if let Some(whole_run) = whole_run {
        obs.feedback(whole_run, "thumbs", false).user("user-7").comment("no help");
    }
    println!("{}", obs.flush(Duration::from_secs(5)));
    Ok(())
}
