//! Every string of every record, for whoever must see them all.
//!
//! Each struct is taken apart field by field, so that a new field does not compile until it is visited.

use std::sync::Arc;

use crate::{
    AgentRun, Attributes, Chunk, Decision, Embedding, Entity, ErrorInfo, EvalExecution, Event, Feedback,
    Labels, Link, LlmGeneration, Log, McpToolCall, MemoryHit, MemoryLookup, MemoryUpdate, Metric,
    ModelParameters, Payload, PromptLink, RagQuery, Record, Resource, Scope, Score, ScoreValue, Scorer, Span,
    SpanRecord, SpanType, StepFlavour, Str, Target, ToolCall, TraceContext, Value, WorkflowRun, WorkflowStep,
};

/// Sees, and may replace, every string of a record.
///
/// `name` is the field or attribute that the string stands under.
pub trait TextVisitor {
    /// A string of the record's own.
    fn text(&mut self, name: &str, text: &mut Str);

    /// A document.
    fn payload(&mut self, name: &str, payload: &mut Payload);

    /// A free pair: its key and its value, whatever it nests.
    fn attribute(&mut self, key: &mut Str, value: &mut Value);

    /// The labels of a metric.
    fn labels(&mut self, labels: &mut Labels);

    /// A context that many records share; [`VisitText`] of it goes inside.
    fn context(&mut self, context: &mut Arc<TraceContext>);

    /// A resource that many records share; [`VisitText`] of it goes inside.
    fn resource(&mut self, resource: &mut Arc<Resource>);
}

/// What has strings to visit.
pub trait VisitText {
    /// Shows every string to the visitor.
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor);
}

fn some(visitor: &mut dyn TextVisitor, name: &str, text: &mut Option<Str>) {
    if let Some(text) = text {
        visitor.text(name, text);
    }
}

fn all(visitor: &mut dyn TextVisitor, name: &str, texts: &mut [Str]) {
    for text in texts {
        visitor.text(name, text);
    }
}

fn document(visitor: &mut dyn TextVisitor, name: &str, payload: &mut Option<Payload>) {
    if let Some(payload) = payload {
        visitor.payload(name, payload);
    }
}

impl VisitText for Attributes {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        for (key, value) in self.iter_mut() {
            visitor.attribute(key, value);
        }
    }
}

impl VisitText for Record {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        match self {
            Self::Span(record) => record.visit_text(visitor),
            Self::Metric(record) => record.visit_text(visitor),
            Self::Log(record) => record.visit_text(visitor),
            Self::Score(record) => record.visit_text(visitor),
            Self::Feedback(record) => record.visit_text(visitor),
        }
    }
}

impl VisitText for SpanRecord {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        self.span_mut().visit_text(visitor);
    }
}

impl VisitText for Span {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self {
            trace_id: _,
            span_id: _,
            parent_span_id: _,
            path: _,
            remote_parent: _,
            name,
            start: _,
            end: _,
            kind: _,
            status: _,
            span_type,
            input,
            output,
            error,
            events,
            links,
            judged: _,
            trace_flags: _,
            trace_state,
            attributes,
            context,
            resource,
        } = self;
        visitor.text("name", name);
        span_type.visit_text(visitor);
        document(visitor, "input", input);
        document(visitor, "output", output);
        if let Some(error) = error {
            error.visit_text(visitor);
        }
        for Event { time: _, name, attributes } in events {
            visitor.text("event", name);
            attributes.visit_text(visitor);
        }
        for Link { trace_id: _, span_id: _, trace_state, attributes } in links {
            some(visitor, "trace_state", trace_state);
            attributes.visit_text(visitor);
        }
        some(visitor, "trace_state", trace_state);
        attributes.visit_text(visitor);
        visitor.context(context);
        visitor.resource(resource);
    }
}

impl VisitText for SpanType {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        match self {
            Self::AgentRun(run) => agent_run(visitor, run),
            Self::WorkflowRun(WorkflowRun { workflow_id, run_id, status: _ }) => {
                some(visitor, "workflow_id", workflow_id);
                some(visitor, "run_id", run_id);
            }
            Self::WorkflowStep(step) => workflow_step(visitor, step),
            Self::LlmGeneration(generation) => llm_generation(visitor, generation),
            Self::ToolCall(call) => tool_call(visitor, call),
            Self::McpToolCall(McpToolCall { call, server, server_version, method }) => {
                tool_call(visitor, call);
                some(visitor, "server", server);
                some(visitor, "server_version", server_version);
                some(visitor, "method", method);
            }
            Self::MemoryLookup(MemoryLookup { memory, query, results }) => {
                some(visitor, "memory", memory);
                some(visitor, "query", query);
                for MemoryHit { id, content, similarity: _ } in results {
                    some(visitor, "id", id);
                    document(visitor, "content", content);
                }
            }
            Self::MemoryUpdate(MemoryUpdate { memory, operation, count: _ }) => {
                some(visitor, "memory", memory);
                some(visitor, "operation", operation);
            }
            Self::RagQuery(RagQuery { query, store, top_k: _, chunks }) => {
                some(visitor, "query", query);
                some(visitor, "store", store);
                for Chunk { id, source, content, relevance: _ } in chunks {
                    some(visitor, "id", id);
                    some(visitor, "source", source);
                    document(visitor, "content", content);
                }
            }
            Self::Embedding(Embedding { model, provider, dimensions: _, count: _, usage: _, cost }) => {
                some(visitor, "model", model);
                some(visitor, "provider", provider);
                if let Some(cost) = cost {
                    visitor.text("currency", &mut cost.currency);
                }
            }
            Self::EvalExecution(EvalExecution { scorer, source }) => {
                some(visitor, "scorer", scorer);
                some(visitor, "source", source);
            }
            Self::Generic => {}
        }
    }
}

fn agent_run(visitor: &mut dyn TextVisitor, run: &mut AgentRun) {
    let AgentRun { agent_id, agent_name, instructions, tools, max_steps: _, decisions } = run;
    some(visitor, "agent_id", agent_id);
    some(visitor, "agent_name", agent_name);
    document(visitor, "instructions", instructions);
    all(visitor, "tools", tools);
    for Decision { time: _, action, reasoning, alternatives } in decisions {
        visitor.text("action", action);
        some(visitor, "reasoning", reasoning);
        all(visitor, "alternatives", alternatives);
    }
}

fn workflow_step(visitor: &mut dyn TextVisitor, step: &mut WorkflowStep) {
    let WorkflowStep { step_id, status: _, flavour } = step;
    some(visitor, "step_id", step_id);
    match flavour {
        StepFlavour::Conditional { conditions: _, selected } => all(visitor, "selected", selected),
        StepFlavour::WaitEvent { event, timeout: _, received: _ } => visitor.text("event", event),
        StepFlavour::Plain
        | StepFlavour::Parallel { branches: _ }
        | StepFlavour::Loop { kind: _, iteration: _, total: _ }
        | StepFlavour::Sleep { duration: _, until: _ } => {}
    }
}

fn llm_generation(visitor: &mut dyn TextVisitor, generation: &mut LlmGeneration) {
    let LlmGeneration {
        model,
        provider,
        response_model,
        response_id,
        parameters: ModelParameters { temperature: _, top_p: _, max_tokens: _, other },
        tools,
        result_type: _,
        usage: _,
        cost,
        finish_reason,
        streaming: _,
        time_to_first_token: _,
        prompt,
    } = generation;
    some(visitor, "model", model);
    some(visitor, "provider", provider);
    some(visitor, "response_model", response_model);
    some(visitor, "response_id", response_id);
    other.visit_text(visitor);
    document(visitor, "tools", tools);
    if let Some(cost) = cost {
        visitor.text("currency", &mut cost.currency);
    }
    some(visitor, "finish_reason", finish_reason);
    if let Some(prompt) = prompt {
        let PromptLink { name, version } = &mut **prompt;
        visitor.text("name", name);
        some(visitor, "version", version);
    }
}

fn tool_call(visitor: &mut dyn TextVisitor, call: &mut ToolCall) {
    let ToolCall { tool, agent, call_id, kind, description, success: _ } = call;
    for (name, text) in
        [("tool", tool), ("agent", agent), ("call_id", call_id), ("kind", kind), ("description", description)]
    {
        some(visitor, name, text);
    }
}

impl VisitText for ErrorInfo {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self { error_id: _, error_type, message, stack, sources, code, domain, category, details } = self;
        some(visitor, "type", error_type);
        visitor.text("message", message);
        some(visitor, "stack", stack);
        all(visitor, "sources", sources);
        some(visitor, "code", code);
        some(visitor, "domain", domain);
        some(visitor, "category", category);
        details.visit_text(visitor);
    }
}

impl VisitText for TraceContext {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self {
            name,
            user_id,
            session_id,
            thread_id,
            request_id,
            organization_id,
            tags,
            environment,
            release,
            version,
            service,
            experiment_id,
            entity,
            parent_entity,
            metadata,
        } = self;
        for (field, text) in [
            ("name", name),
            ("user_id", user_id),
            ("session_id", session_id),
            ("thread_id", thread_id),
            ("request_id", request_id),
            ("organization_id", organization_id),
            ("environment", environment),
            ("release", release),
            ("version", version),
            ("service", service),
            ("experiment_id", experiment_id),
        ] {
            some(visitor, field, text);
        }
        all(visitor, "tags", tags);
        for Entity { kind, id, name, version } in [entity, parent_entity].into_iter().flatten() {
            some(visitor, "kind", kind);
            some(visitor, "id", id);
            some(visitor, "name", name);
            some(visitor, "version", version);
        }
        metadata.visit_text(visitor);
    }
}

impl VisitText for Resource {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self { attributes, scope } = self;
        attributes.visit_text(visitor);
        if let Some(Scope { name, version, attributes }) = scope {
            visitor.text("scope", name);
            some(visitor, "version", version);
            attributes.visit_text(visitor);
        }
    }
}

impl VisitText for Log {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self { time: _, level: _, message, event_name, attributes, data, span: _, context, resource } =
            self;
        visitor.text("message", message);
        some(visitor, "event_name", event_name);
        attributes.visit_text(visitor);
        document(visitor, "data", data);
        visitor.context(context);
        visitor.resource(resource);
    }
}

impl VisitText for Metric {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self {
            time: _,
            start: _,
            name,
            unit,
            description,
            labels,
            temporality: _,
            value: _,
            exemplar: _,
            cost,
            context,
            resource,
        } = self;
        visitor.text("name", name);
        some(visitor, "unit", unit);
        some(visitor, "description", description);
        visitor.labels(labels);
        if let Some(cost) = cost {
            visitor.text("currency", &mut cost.currency);
        }
        visitor.context(context);
        visitor.resource(resource);
    }
}

fn judged(visitor: &mut dyn TextVisitor, target: &mut Target, value: &mut ScoreValue) {
    match target {
        Target::Session { session_id } => visitor.text("session_id", session_id),
        Target::ExperimentRun { run_id } => visitor.text("run_id", run_id),
        Target::Span { .. } | Target::Trace { .. } => {}
    }
    match value {
        ScoreValue::Categorical(text) | ScoreValue::Text(text) => visitor.text("value", text),
        ScoreValue::Numeric { value: _, range: _ } | ScoreValue::Boolean(_) => {}
    }
}

impl VisitText for Score {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self {
            id: _,
            time: _,
            target,
            name,
            value,
            comment,
            source,
            scorer,
            experiment_id,
            metadata,
            context,
            resource,
        } = self;
        judged(visitor, target, value);
        visitor.text("name", name);
        some(visitor, "comment", comment);
        some(visitor, "source", source);
        if let Some(Scorer { id, name, version }) = scorer {
            some(visitor, "id", id);
            some(visitor, "name", name);
            some(visitor, "version", version);
        }
        some(visitor, "experiment_id", experiment_id);
        metadata.visit_text(visitor);
        visitor.context(context);
        visitor.resource(resource);
    }
}

impl VisitText for Feedback {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        let Self {
            id: _,
            time: _,
            target,
            kind,
            value,
            comment,
            source,
            user_id,
            experiment_id,
            metadata,
            context,
            resource,
        } = self;
        judged(visitor, target, value);
        visitor.text("kind", kind);
        some(visitor, "comment", comment);
        some(visitor, "source", source);
        some(visitor, "user_id", user_id);
        some(visitor, "experiment_id", experiment_id);
        metadata.visit_text(visitor);
        visitor.context(context);
        visitor.resource(resource);
    }
}
