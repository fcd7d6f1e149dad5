//! Readers of what arrives, one for each form, without the code that wrote it.

pub(super) mod braintrust;
pub(super) mod console;
pub(super) mod datadog;
pub(super) mod langfuse;
pub(super) mod langsmith;
pub(super) mod lines;
pub(super) mod mastra;
pub(super) mod newrelic;
pub(super) mod otlp;
pub(super) mod page;
pub(super) mod store;
pub(super) mod webhook;

use anyhow::{Context, Result, bail};
use obs_core::Signal;
use serde_json::Value;

use super::scene;

/// Whose name a judgement has: a score's or a feedback's, or none of them.
fn judgement(name: &str) -> Result<Signal> {
    match name {
        scene::SCORE => Ok(Signal::Scores),
        name if name.ends_with(scene::FEEDBACK) => Ok(Signal::Feedback),
        other => bail!("a judgement `{other}`, which nobody recorded"),
    }
}

fn list(found: &Value) -> Result<&Vec<Value>> {
    found.as_array().context("no list where one should be")
}
