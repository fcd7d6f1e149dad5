//! Log records.

use std::sync::Arc;

use obs_core::{Level, Log, Payload, Resource, Signal, Str, TraceContext, Value};
use obs_pipeline::Intake;

use crate::Context;

/// A log record under way; it is recorded when it is dropped.
///
/// A record under an unsampled trace is recorded without the trace's ids, which nobody could follow.
#[derive(Debug)]
pub struct LogBuilder<'a> {
    intake: Option<&'a Intake>,
    log: Option<Log>,
}

impl<'a> LogBuilder<'a> {
    pub(crate) const fn noop() -> Self {
        Self { intake: None, log: None }
    }

    /// A record under a context, else with what every trace of the instance starts with.
    #[inline]
    pub(crate) fn new(
        intake: &'a Intake,
        level: Level,
        message: impl Into<Str>,
        context: &Context,
        otherwise: &Arc<TraceContext>,
        resource: &Arc<Resource>,
    ) -> Self {
        if !intake.wants().contains(Signal::Logs) {
            return Self::noop();
        }
        let trace = Arc::clone(context.trace_context_within(intake).unwrap_or(otherwise));
        let mut log = Log::new_in(intake.clock().now(), level, message, trace, Arc::clone(resource));
        log.span = context.reference();
        Self { intake: Some(intake), log: Some(log) }
    }

    #[inline]
    fn change(&mut self, change: impl FnOnce(&mut Log)) -> &mut Self {
        if let Some(log) = &mut self.log {
            change(log);
        }
        self
    }

    /// Adds a structured field.
    #[inline]
    pub fn with(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
        self.change(|log| log.attributes.push(key, value))
    }

    /// Attaches a document.
    pub fn data(&mut self, data: impl Into<Payload>) -> &mut Self {
        self.change(|log| log.data = Some(data.into()))
    }

    /// Names the event that the record is.
    pub fn event_name(&mut self, name: impl Into<Str>) -> &mut Self {
        self.change(|log| log.event_name = Some(name.into()))
    }
}

impl Drop for LogBuilder<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(intake) = self.intake {
            intake.take_log(&mut self.log);
        }
    }
}
