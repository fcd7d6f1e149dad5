//! Steps 11 to 14: the answer checked, judged and remembered, and what the user says of it.

use obs_core::{EvalExecution, MemoryUpdate, ScoreValue, WorkflowRun};
use obs_instrument::ActiveSpan;
use serde_json::json;

use super::{Draft, Workflow};
use crate::demo::citations;
use crate::demo::evaluate::{self, Evaluation};
use crate::demo::memory::{Memory, Update};

/// An answer at least this good is worth a thumb up, where the user said nothing.
const GOOD: f64 = 0.5;

/// The name of the scorer.
const SCORER: &str = "lexical-support";

type Root = ActiveSpan<WorkflowRun>;

impl Workflow<'_> {
    pub(super) async fn cite(&self, draft: &Draft) -> anyhow::Result<Vec<(usize, String)>> {
        self.step("cite", "check the citations", async |step| {
            let found = citations::check(&draft.text, draft.labels.len());
            if !found.unknown.is_empty() {
                self.obs.warn(format!("the answer cites sources that do not exist: {:?}", found.unknown));
            }
            step.output_with(|| json!({ "cited": found.cited, "unknown": found.unknown }));
            Ok(found.cited.iter().map(|number| (*number, draft.labels[number - 1].clone())).collect())
        })
        .await
    }

    pub(super) async fn evaluate(
        &self,
        question: &str,
        draft: &Draft,
        root: &Root,
    ) -> anyhow::Result<Evaluation> {
        self.step("evaluate", "evaluate the answer", async |_| {
            let mut span = self.obs.eval_execution(SCORER);
            span.fields(|fields: &mut EvalExecution| {
                fields.scorer = Some(SCORER.into());
                fields.source = Some("live".into());
            });
            span.input(draft.text.clone());
            let passages: Vec<&str> = draft.passages.iter().map(String::as_str).collect();
            let result = evaluate::evaluate(question, &draft.text, &passages);
            span.output_with(|| {
                json!({
                    "groundedness": result.groundedness,
                    "coverage": result.coverage,
                    "sentences": result.sentences,
                    "supported": result.supported,
                })
            });
            span.end();
            let why = format!(
                "{} of {} sentences are supported by one passage",
                result.supported, result.sentences
            );
            if let Some(target) = draft.target.clone() {
                let mut score =
                    self.obs.score(target, "groundedness", ScoreValue::ratio(result.groundedness));
                score.comment(why).source("live").scorer(SCORER, Some("1".into()));
            }
            let mut quality = root.score_trace("quality", ScoreValue::ratio(result.overall()));
            quality
                .comment("harmonic mean of groundedness and coverage")
                .source("live")
                .scorer(SCORER, Some("1".into()));
            Ok(result)
        })
        .await
    }

    pub(super) async fn remember(
        &self,
        memory: &mut Memory,
        question: &str,
        answer: &str,
        evaluation: Evaluation,
    ) -> anyhow::Result<()> {
        self.step("remember", "remember the answer", async |_| {
            let mut span = self.obs.memory_update("save the answer");
            span.input(question.to_owned());
            let result = memory.remember(question, answer, evaluation.overall());
            match &result {
                Ok(update) => {
                    span.fields(|fields: &mut MemoryUpdate| {
                        fields.memory = Some("answered questions".into());
                        fields.operation =
                            Some(if *update == Update::Added { "save" } else { "update" }.into());
                        fields.count = Some(1);
                    });
                }
                Err(error) => {
                    span.fail(error);
                }
            }
            span.end();
            result?;
            Ok(())
        })
        .await
    }

    /// Records what the user thinks; where they said nothing, the demo says so and judges by its own score.
    pub(super) async fn listen(
        &self,
        given: Option<&str>,
        evaluation: Evaluation,
        root: &Root,
    ) -> anyhow::Result<()> {
        self.step("listen", "collect feedback", async |step| {
            let by_itself = if evaluation.overall() >= GOOD { "up" } else { "down" };
            let said = given.unwrap_or(by_itself);
            let mut feedback = match said {
                "up" | "down" => root.feedback_trace("thumbs", said == "up"),
                comment => root.feedback_trace("comment", ScoreValue::Text(comment.to_owned().into())),
            };
            feedback.source("obsctl").user(if given.is_some() { "cli-user" } else { "demo" });
            if given.is_none() {
                feedback
                    .comment("given by the demo itself from the measured score; --feedback gives your own");
            }
            step.output(said.to_owned());
            Ok(())
        })
        .await
    }
}
