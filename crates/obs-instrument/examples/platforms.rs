//! A program that shows one agent in Langfuse, Braintrust and LangSmith at once.
//!
//! With the platforms' own variables set: `cargo run -p obs-instrument --example platforms`

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_instrument::Observability;
use obs_langfuse::{LangfuseConfig, LangfuseExporter};
use obs_langsmith::{LangsmithConfig, LangsmithExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let obs = Observability::builder("support-bot")
        .to(LangfuseExporter::new(LangfuseConfig::from_env()?)?)
        .to(BraintrustExporter::new(BraintrustConfig::from_env()?)?)
        .to(LangsmithExporter::new(LangsmithConfig::from_env()?)?)
        .build()?;
    let mut call = obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").input("What is obs?");
    call.usage(obs_instrument::core::Usage::new(5, 7));
    call.score("relevance", 0.9);
    call.end_with("The observability layer for agents.");
    println!("{}", obs.flush(std::time::Duration::from_secs(5)));
    Ok(())
}
