//! The first program: one model call, printed as JSON Lines.

use obs_instrument::Observability;
use obs_json::JsonExporter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let obs = Observability::builder("support-bot").to(JsonExporter::stdout()).build()?;
    let mut call = obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").input("What is obs?");
    call.usage(obs_instrument::core::Usage::new(5, 7));
    call.end_with("The observability layer for agents.");
    Ok(())
}
