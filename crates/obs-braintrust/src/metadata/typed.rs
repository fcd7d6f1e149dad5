//! The fields of a type of span, with times as people read them: a number of nanoseconds is more than most readers of JSON
//! keep whole.

use obs_core::{AgentRun, Decision, Payload, SpanType, StepFlavour, Str, WorkflowStatus, WorkflowStep};
use serde::{Serialize, Serializer};

use crate::wire::Time;

/// A type as its own object, under the type's name.
#[derive(Debug)]
pub(super) struct Typed<'a>(pub(super) &'a SpanType);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            SpanType::AgentRun(run) if !run.decisions.is_empty() => {
                Timed::AgentRun(Run::of(run)).serialize(serializer)
            }
            SpanType::WorkflowStep(WorkflowStep {
                step_id,
                status,
                flavour: StepFlavour::Sleep { duration, until: Some(until) },
            }) => {
                let duration =
                    duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
                let flavour = Flavour::Sleep { duration, until: Time(*until) };
                Timed::WorkflowStep { step_id: step_id.as_deref(), status: *status, flavour }
                    .serialize(serializer)
            }
            other => other.serialize(serializer),
        }
    }
}

/// The types that have times.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Timed<'a> {
    AgentRun(Run<'a>),
    WorkflowStep {
        #[serde(skip_serializing_if = "Option::is_none")]
        step_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<WorkflowStatus>,
        flavour: Flavour,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Flavour {
    Sleep {
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<u64>,
        until: Time,
    },
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a Payload>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [Str],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_steps: Option<u32>,
    decisions: Vec<Choice<'a>>,
}

impl<'a> Run<'a> {
    fn of(run: &'a AgentRun) -> Self {
        // Taken apart, so that a new field does not compile until it is written.
        let AgentRun { agent_id, agent_name, instructions, tools, max_steps, decisions } = run;
        Self {
            agent_id: agent_id.as_deref(),
            agent_name: agent_name.as_deref(),
            instructions: instructions.as_ref(),
            tools,
            max_steps: *max_steps,
            decisions: decisions.iter().map(Choice::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    time: Time,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    alternatives: &'a [Str],
}

impl<'a> Choice<'a> {
    fn of(decision: &'a Decision) -> Self {
        let Decision { time, action, reasoning, alternatives } = decision;
        Self { time: Time(*time), action, reasoning: reasoning.as_deref(), alternatives }
    }
}
