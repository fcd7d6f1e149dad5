//! What logs, metrics, scores and feedback are found by: Mastra's `CorrelationContext`.

use obs_core::{Resource, SpanId, Target, TraceContext, TraceId};
use serde::{Serialize, Serializer};

use crate::entity::AtWork;
use crate::fields::Fields;

/// What is known of the trace of a record that is no span.
#[derive(Debug)]
pub(crate) struct Correlation<'a> {
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    session_id: Option<&'a str>,
    run_id: Option<&'a str>,
    experiment_id: Option<&'a str>,
    service_name: Option<&'a str>,
    context: &'a TraceContext,
}

impl<'a> Correlation<'a> {
    pub(crate) fn of(
        context: &'a TraceContext,
        resource: &'a Resource,
        (trace_id, span_id): (Option<TraceId>, Option<SpanId>),
    ) -> Self {
        Self {
            trace_id,
            span_id,
            session_id: context.session_id.as_deref(),
            run_id: None,
            experiment_id: context.experiment_id.as_deref(),
            service_name: context.service.as_deref().or(resource.service_name()),
            context,
        }
    }

    /// What is judged, where that is no span and no trace.
    pub(crate) fn with_target(mut self, target: &'a Target) -> Self {
        match target {
            Target::Session { session_id } => self.session_id = Some(session_id),
            Target::ExperimentRun { run_id } => self.run_id = Some(run_id),
            Target::Span { .. } | Target::Trace { .. } => {}
        }
        self
    }

    /// The experiment that the record itself names.
    pub(crate) fn with_experiment(self, experiment_id: Option<&'a str>) -> Self {
        Self { experiment_id: experiment_id.or(self.experiment_id), ..self }
    }

    pub(crate) fn experiment_id(&self) -> Option<&'a str> {
        self.experiment_id
    }
}

impl Serialize for Correlation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = self.context;
        let at_work = context.entity.as_ref().map(AtWork::of).unwrap_or_default();
        let caller = context.parent_entity.as_ref().map(AtWork::of).unwrap_or_default();
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("traceId", self.trace_id)?;
        out.some("spanId", self.span_id)?;
        out.list("tags", &context.tags)?;
        out.some("entityType", at_work.kind)?;
        out.some("entityId", at_work.id)?;
        out.some("entityName", at_work.name)?;
        out.some("entityVersionId", at_work.version)?;
        out.some("parentEntityType", caller.kind)?;
        out.some("parentEntityId", caller.id)?;
        out.some("parentEntityName", caller.name)?;
        out.some("parentEntityVersionId", caller.version)?;
        out.some("userId", context.user_id.as_ref())?;
        out.some("organizationId", context.organization_id.as_ref())?;
        out.some("runId", self.run_id)?;
        out.some("sessionId", self.session_id)?;
        out.some("threadId", context.thread_id.as_ref())?;
        out.some("requestId", context.request_id.as_ref())?;
        out.some("environment", context.environment.as_ref())?;
        out.some("serviceName", self.service_name)?;
        out.some("experimentId", self.experiment_id)?;
        out.end()
    }
}
