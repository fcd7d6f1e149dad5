//! The demo's workflow: fourteen steps from a question to a judged and remembered answer.

use std::path::PathBuf;

use obs_core::{ErrorInfo, Target, TraceId, WorkflowStep};
use obs_instrument::{ActiveSpan, FutureExt as _, Observability};
use serde_json::json;
use tokio::time::Instant;

use super::evaluate::Evaluation;
use super::meters::Meters;
use super::model::Model;

mod answering;
mod judging;
mod reading;
mod researching;

/// What the demo is asked.
#[derive(Debug)]
pub(crate) struct Request {
    /// The directory to answer from.
    pub dir: PathBuf,
    /// The question.
    pub question: String,
    /// Where the memory is.
    pub memory: PathBuf,
    /// What the user thinks of the answer: `up`, `down` or a comment; `None` if they did not say.
    pub feedback: Option<String>,
}

/// What the demo answers.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The answer.
    pub text: String,
    /// The sources that it cites: their numbers and where they are.
    pub sources: Vec<(usize, String)>,
    /// How good it is, measured.
    pub evaluation: Evaluation,
    /// Whether a remembered answer helped.
    pub remembered: bool,
}

/// An answer being made, and what it was made from.
#[derive(Debug)]
struct Draft {
    text: String,
    labels: Vec<String>,
    passages: Vec<String>,
    remembered: bool,
    /// The generation that wrote it, which scores are about.
    target: Option<Target>,
}

/// Everything that steps share.
#[derive(Debug)]
pub(crate) struct Workflow<'a> {
    obs: &'a Observability,
    model: &'a dyn Model,
    meters: Meters,
}

type Step = ActiveSpan<WorkflowStep>;

impl<'a> Workflow<'a> {
    /// A workflow that reports to `obs` and writes with `model`.
    pub(crate) fn new(obs: &'a Observability, model: &'a dyn Model) -> Self {
        Self { obs, model, meters: Meters::new(obs) }
    }

    /// Answers the question; the trace's id comes along also if it fails.
    pub(crate) async fn run(&self, request: &Request) -> (Option<TraceId>, anyhow::Result<Answer>) {
        let mut root = self.obs.workflow_run("answer a question about files");
        root.trace(|trace| trace.tags = vec!["demo".into()]);
        root.fields(|run| run.workflow_id = Some("demo".into()));
        root.input_with(
            || json!({ "question": request.question, "directory": request.dir.to_string_lossy() }),
        );
        let trace_id = root.trace_id();
        let result = self.steps(request, &root).with_context(root.context()).await;
        match &result {
            Ok(answer) => root.output(answer.text.clone()),
            Err(error) => root.fail_with(|| failure(error)),
        };
        root.end();
        (trace_id, result)
    }

    async fn steps(
        &self,
        request: &Request,
        root: &ActiveSpan<obs_core::WorkflowRun>,
    ) -> anyhow::Result<Answer> {
        let scratch = self.prepare().await?;
        let corpus = self.read(request, scratch.path()).await?;
        let mut memory = self.open_memory(&request.memory).await?;
        let recalled = self.recall(&memory, &request.question).await?;
        let query = self.rewrite(&request.question, &corpus).await?;
        let hits = self.retrieve(&query, &corpus).await?;
        let draft = self.research(&request.question, &corpus, &hits, &recalled).await?;
        let sources = self.cite(&draft).await?;
        let evaluation = self.evaluate(&request.question, &draft, root).await?;
        self.remember(&mut memory, &request.question, &draft.text, evaluation).await?;
        self.listen(request.feedback.as_deref(), evaluation, root).await?;
        Ok(Answer { text: draft.text, sources, evaluation, remembered: draft.remembered })
    }

    /// Runs one step under a span of its own, which is the current one meanwhile.
    async fn step<R>(
        &self,
        id: &'static str,
        name: &'static str,
        work: impl AsyncFnOnce(&mut Step) -> anyhow::Result<R>,
    ) -> anyhow::Result<R> {
        let mut span = self.obs.workflow_step(name);
        span.fields(|step| step.step_id = Some(id.into()));
        let context = span.context();
        let begun = Instant::now();
        let result = work(&mut span).with_context(context).await;
        if let Err(error) = &result {
            span.fail_with(|| failure(error));
        }
        self.meters.step(id, begun.elapsed(), result.is_ok());
        span.end();
        result
    }
}

/// An error with its causes, the innermost last.
fn failure(error: &anyhow::Error) -> ErrorInfo {
    ErrorInfo {
        sources: error
            .chain()
            .skip(1)
            .take(ErrorInfo::MAX_SOURCES)
            .map(|cause| cause.to_string().into())
            .collect(),
        ..ErrorInfo::message(error.to_string())
    }
}
