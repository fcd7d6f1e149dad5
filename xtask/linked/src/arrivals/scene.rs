//! What is recorded: an agent's run with a call of a model, and on the call a log, a measurement, a score and feedback.

use anyhow::{Context, Result};
use obs_core::{SpanId, TraceId};
use obs_instrument::Observability;

pub(super) const SERVICE: &str = "arrivals";
pub(super) const MESSAGE: &str = "the model has answered";
pub(super) const METRIC: &str = "answer.duration";
pub(super) const SCORE: &str = "helpfulness";
pub(super) const FEEDBACK: &str = "thumbs";

/// The ids of what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) trace: TraceId,
    /// The run.
    pub(super) root: SpanId,
    /// The call, which log, measurement, score and feedback are of.
    pub(super) span: SpanId,
}

/// Records it as a program does.
pub(super) fn play(obs: &Observability) -> Result<Sent> {
    let mut run = obs.agent_run("answer");
    run.input("What is obs?");
    let inside = run.enter();
    let mut call = obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").input("What is obs?");
    let sent = Sent {
        trace: run.trace_id().context("nothing is recorded")?,
        root: run.span_id().context("the run is not recorded")?,
        span: call.span_id().context("the call is not recorded")?,
    };
    let within = call.enter();
    obs.info(MESSAGE).with("attempt", 1);
    obs.meter().histogram(METRIC).with_unit("s").record(0.25, [("model", "gpt-4o")]);
    drop(within);
    call.score(SCORE, 0.9).scorer("judge", None).comment("it names the product");
    call.feedback(FEEDBACK, true).user("user-1");
    call.end_with("The observability layer for agents.");
    drop(inside);
    run.end_with("The observability layer for agents.");
    Ok(sent)
}
