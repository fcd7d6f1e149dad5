//! Whole impl blocks.

use obs_core::SpanType;
use obs_instrument::{FutureExt, observe};

use crate::collect::Bench;

#[derive(Debug, Default)]
struct Engine {
    steps: usize,
}

#[observe(prefix = "workflow", workflow_step, attributes(team = "core", tier = 1), skip(key), output = false)]
impl Engine {
    const LIMIT: usize = 3;

    /// A function without a receiver is left alone.
    fn new() -> Self {
        Self::default()
    }

    #[observe]
    fn with_steps(steps: usize) -> Self {
        Self { steps }
    }

    fn run(&mut self, input: &str, key: &str) -> usize {
        self.steps += 1;
        self.check(input.len() + key.len());
        self.steps
    }

    #[observe(skip)]
    fn check(&self, length: usize) {
        assert!(self.steps <= Self::LIMIT && length < 100);
    }

    #[must_use]
    #[observe(llm_generation, name = "chat", attributes(tier = 2), model = "gpt-4o", output = true)]
    async fn ask(&self, question: &str) -> String {
        tokio::task::yield_now().await;
        question.to_owned()
    }

    const fn limit(&self) -> usize {
        Self::LIMIT - self.steps
    }
}

trait Walks {
    fn walk(&self, steps: u32) -> u32;
}

#[observe(prefix = "walks")]
impl<T: Clone> Walks for Vec<T> {
    fn walk(&self, steps: u32) -> u32 {
        steps * 2
    }
}

#[tokio::test]
async fn every_method_of_a_block_is_a_span_unless_it_is_left_out() {
    let bench = Bench::new();
    let context = bench.obs.context();
    let engine = context.scope(|| {
        let mut engine = Engine::new();
        assert_eq!(engine.run("in", "secret"), 1);
        assert_eq!((engine.limit(), vec![0_u8].walk(2)), (2, 4));
        Engine::with_steps(engine.steps)
    });
    assert_eq!(engine.ask("why?").with_context(context).await, "why?");

    let arrived = bench.arrived();
    let mut names: Vec<_> = arrived.spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["chat", "walks.walk", "workflow.run", "workflow.with_steps"]);
    let run = arrived.span("workflow.run");
    assert!(matches!(run.span_type, SpanType::WorkflowStep(_)));
    assert_eq!((run.input.as_ref().unwrap().as_str(), &run.output), (r#"{"input":"in"}"#, &None));
    assert_eq!(run.attributes.get("tier").unwrap().as_i64(), Some(1));
    let chat = arrived.span("chat");
    assert_eq!(chat.span_type.as_generation().unwrap().model.as_deref(), Some("gpt-4o"));
    assert_eq!(chat.attributes.get("team").unwrap().as_str(), Some("core"));
    assert_eq!(chat.attributes.get("tier").unwrap().as_i64(), Some(2));
    assert_eq!(chat.output.as_ref().unwrap().as_str(), "why?");
}
