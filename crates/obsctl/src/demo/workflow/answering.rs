//! A generation of the model under a span of its own.

use anyhow::Context as _;
use obs_core::{Level, Target};
use obs_instrument::FutureExt as _;
use tokio::time::Instant;

use super::Workflow;
use crate::demo::model::Prompt;
use crate::demo::recording::{answered, asked, messages};

impl Workflow<'_> {
    /// What the model wrote, and the generation as a target of scores.
    pub(super) async fn generate(&self, prompt: &Prompt) -> anyhow::Result<(String, Option<Target>)> {
        let mut span = self.obs.llm_generation(self.model.name().to_owned());
        span.fields(|fields| *fields = asked(self.model, prompt));
        span.input_with(|| messages(prompt));
        let mut pieces = 0_u64;
        let begun = Instant::now();
        let result = self.model.generate(prompt, &mut |_| pieces += 1).with_context(span.context()).await;
        self.meters.generation(
            self.model,
            begun.elapsed(),
            result.as_ref().ok().and_then(|written| written.tokens),
        );
        let target = span.target();
        match &result {
            Ok(written) => {
                span.fields(|fields| answered(fields, written));
                span.attribute("demo.stream.pieces", pieces);
                span.output(written.text.clone());
            }
            Err(error) => {
                span.fail(error);
                span.log(Level::Error, format!("the model failed ({}): {error}", error.code()));
            }
        }
        span.end();
        let written =
            result.with_context(|| format!("model {} of {}", self.model.name(), self.model.provider()))?;
        Ok((written.text, target))
    }
}
