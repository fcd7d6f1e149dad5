//! An agent whose functions and methods record themselves.

use obs_instrument::core::{Record, SpanType, Usage};
use obs_instrument::{Observability, Registry, observe};
use obs_testkit::Scripted;

#[derive(Debug)]
struct Agent {
    model: String,
    orders: Vec<u32>,
}

#[observe(prefix = "agent")]
impl Agent {
    #[observe(agent_run, agent = "support", skip(api_key))]
    fn answer(&self, question: &str, api_key: &str) -> Result<String, std::num::ParseIntError> {
        let found = self.find_order("42")?;
        Ok(self.generate(&format!("{question} (found: {found})"), api_key))
    }

    #[observe(tool_call, attributes(orders.known = self.orders.len()))]
    fn find_order(&self, number: &str) -> Result<bool, std::num::ParseIntError> {
        Ok(self.orders.contains(&number.parse()?))
    }

    #[observe(llm_generation, model = self.model, provider = "openai", input = prompt, span = call)]
    fn generate(&self, prompt: &str, api_key: &str) -> String {
        let answer = format!("{} says: it is on its way", self.name());
        call.usage(Usage::new((prompt.len() + api_key.len()) as u64, answer.len() as u64));
        answer
    }

    #[observe(skip)]
    fn name(&self) -> &str {
        &self.model
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = Scripted::builder([]).shared();
    let obs = Observability::builder("support").to(exporter.clone()).build()?;
    let agent = Agent { model: "gpt-4o".into(), orders: vec![42] };
    agent.answer("Who is there?", "not a key")?; // nobody: no instance records yet
    Registry::global().register("main", obs.clone())?;
    agent.answer("Where is it?", "not a key")?;
    assert!(obs.flush(std::time::Duration::from_secs(5)).complete);

    let ended = |record| match record {
        Record::Span(span) => span.ended().cloned(),
        _ => None,
    };
    let spans: Vec<_> = exporter.records().into_iter().filter_map(ended).collect();
    for span in &spans {
        println!("{:<18} {:<14} {:?}", span.name, span.span_type.name(), span.output);
    }
    let named = |name: &str| spans.iter().find(|span| span.name == name).ok_or(name.to_owned());
    let (run, call) = (named("agent.answer")?, named("agent.generate")?);
    assert_eq!(spans.len(), 3);
    assert_eq!(call.parent_span_id, Some(run.span_id));
    assert!(matches!(&call.span_type, SpanType::LlmGeneration(call) if call.usage.total().is_some()));
    assert!(call.input.as_ref().is_some_and(|input| !input.as_str().contains("not a key")));
    Ok(())
}
