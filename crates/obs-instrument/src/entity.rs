//! The agent or workflow at work, as the context of what is done under it tells.

use std::sync::Arc;

use obs_core::{Entity, Span, SpanType, Str, TraceContext};

/// What the children of a span are given to know of the trace: under a run of an agent or a workflow, that it is at work,
/// and who was before.
///
/// A copy is made where something changes, once a run that has children.
pub(crate) fn below(span: &Span) -> Arc<TraceContext> {
    let (kind, id, name) = match &span.span_type {
        SpanType::AgentRun(run) => ("agent", &run.agent_id, run.agent_name.as_ref()),
        SpanType::WorkflowRun(run) => ("workflow", &run.workflow_id, None),
        _ => return Arc::clone(&span.context),
    };
    let name = Some(name.unwrap_or(&span.name).clone());
    let entity = Entity { kind: Some(Str::from_static(kind)), id: id.clone(), name, version: None };
    let before = span.context.entity.as_ref();
    if before.is_some_and(|before| is_same(before, &entity)) {
        return Arc::clone(&span.context);
    }
    let mut context = TraceContext::clone(&span.context);
    if let Some(before) = context.entity.replace(entity) {
        context.parent_entity = Some(before);
    }
    Arc::new(context)
}

/// Whether the application has said itself what the run is, maybe with more detail.
fn is_same(said: &Entity, run: &Entity) -> bool {
    let agrees = |said: &Option<Str>, run: &Option<Str>| said.is_none() || said == run;
    said.kind == run.kind && agrees(&said.id, &run.id) && agrees(&said.name, &run.name)
}

#[cfg(test)]
mod tests {
    use obs_core::{AgentRun, SpanId, Timestamp, TraceId, WorkflowRun};

    use super::*;

    fn span(span_type: SpanType, entity: Option<Entity>) -> Span {
        let (trace, id) = (TraceId::new(1).unwrap(), SpanId::new(2).unwrap());
        let mut span = Span::new(trace, id, "answer", Timestamp::default());
        (span.span_type, span.context) =
            (span_type, Arc::new(TraceContext { entity, ..TraceContext::default() }));
        span
    }

    fn entity(kind: &'static str, name: &'static str) -> Entity {
        Entity { kind: Some(kind.into()), name: Some(name.into()), ..Entity::default() }
    }

    #[test]
    fn a_run_is_the_entity_below_it_and_the_one_before_is_its_parent() {
        let run = AgentRun { agent_id: Some("a-1".into()), ..AgentRun::default() };
        let below_run = below(&span(SpanType::AgentRun(run), Some(entity("workflow", "triage"))));
        assert_eq!(below_run.entity, Some(Entity { id: Some("a-1".into()), ..entity("agent", "answer") }));
        assert_eq!(below_run.parent_entity, Some(entity("workflow", "triage")));
        let run = AgentRun { agent_name: Some("Ada".into()), ..AgentRun::default() };
        assert_eq!(below(&span(SpanType::AgentRun(run), None)).entity, Some(entity("agent", "Ada")));
        let workflow = SpanType::WorkflowRun(WorkflowRun::default());
        assert_eq!(below(&span(workflow, None)).entity, Some(entity("workflow", "answer")));
    }

    #[test]
    fn what_changes_nothing_is_shared() {
        let tool = span(SpanType::ToolCall(Default::default()), Some(entity("agent", "Ada")));
        assert!(Arc::ptr_eq(&below(&tool), &tool.context));
        let said = Entity { version: Some("2".into()), ..entity("agent", "answer") };
        let run = span(SpanType::AgentRun(AgentRun::default()), Some(said));
        assert!(Arc::ptr_eq(&below(&run), &run.context), "the application's own word stays");
    }
}
