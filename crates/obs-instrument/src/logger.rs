//! Log records.
#![expect(
    clippy::return_self_not_must_use,
    reason = "a builder records when it is dropped, so a chain may end anywhere"
)]

use std::sync::Arc;

use obs_core::{Level, Log, Payload, Resource, Signal, Str, Value};
use obs_pipeline::Intake;

use crate::Context;

/// A log record under way; it is recorded when it is dropped.
///
/// A record under an unsampled trace is recorded without the trace's ids, which nobody could follow.
#[derive(Debug, Default)]
pub struct LogBuilder(Option<(Intake, Log)>);

impl LogBuilder {
    pub(crate) fn noop() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn new(
        intake: &Intake,
        level: Level,
        message: impl Into<Str>,
        context: &Context,
        resource: &Arc<Resource>,
    ) -> Self {
        if !intake.wants().contains(Signal::Logs) {
            return Self(None);
        }
        let mut log = Log::new_in(
            intake.clock().now(),
            level,
            message,
            context.trace_context().map(Arc::clone).unwrap_or_default(),
            Arc::clone(resource),
        );
        log.span = context.reference();
        Self(Some((intake.clone(), log)))
    }

    fn change(mut self, change: impl FnOnce(&mut Log)) -> Self {
        if let Some((_, log)) = &mut self.0 {
            change(log);
        }
        self
    }

    /// Adds a structured field.
    #[inline]
    pub fn with(self, key: impl Into<Str>, value: impl Into<Value>) -> Self {
        self.change(|log| log.attributes.push(key, value))
    }

    /// Attaches a document.
    pub fn data(self, data: impl Into<Payload>) -> Self {
        self.change(|log| log.data = Some(data.into()))
    }

    /// Names the event that the record is.
    pub fn event_name(self, name: impl Into<Str>) -> Self {
        self.change(|log| log.event_name = Some(name.into()))
    }
}

impl Drop for LogBuilder {
    #[inline]
    fn drop(&mut self) {
        if let Some((intake, log)) = self.0.take() {
            intake.log(log);
        }
    }
}
