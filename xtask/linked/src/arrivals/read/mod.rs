//! Readers of what arrives, one for each form, without the code that wrote it.

pub(super) mod braintrust;
pub(super) mod console;
pub(super) mod langfuse;
pub(super) mod langsmith;
pub(super) mod lines;
pub(super) mod otlp;
pub(super) mod page;
pub(super) mod store;

use obs_core::Signal;

use super::scene;

/// Whose name a judgement has: a score's or a feedback's, or none of them.
fn judgement(name: &str) -> anyhow::Result<Signal> {
    match name {
        scene::SCORE => Ok(Signal::Scores),
        name if name.ends_with(scene::FEEDBACK) => Ok(Signal::Feedback),
        other => anyhow::bail!("a judgement `{other}`, which nobody recorded"),
    }
}
