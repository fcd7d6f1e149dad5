//! Runs and steps of workflows that are put aside here and taken up elsewhere.

use obs_core::{
    Attributes, Link, SpanId, Str, Timestamp, TraceContext, TraceId, WorkflowRun, WorkflowStatus,
    WorkflowStep,
};
use serde::{Deserialize, Serialize};

use crate::propagation::traceparent::{RANDOM, TraceParent};
use crate::visible::SAMPLED;
use crate::workflow::{Staged, transition, workflow_names as names};
use crate::{ActiveSpan, Baggage, Context, Kind, Observability};

/// A run or step that was put aside: all that another process needs to go on with it in the same trace.
///
/// It serialises, so that it can be kept beside the application's own state; it holds what is known of the trace, such as
/// the user's and the session's id, and its baggage.
/// Without recording it has no ids, and [`crate::Observability::resume`] begins a new trace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspended {
    /// The trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// The span that ended suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
    /// The trace's root, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_span_id: Option<SpanId>,
    /// Whether the trace is sampled; what goes on with it is, too.
    pub sampled: bool,
    /// Whether the end of the trace's id is known to be random.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// W3C `tracestate`, if there is one.
    #[serde(rename = "tracestate", skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<Str>,
    /// The workflow's stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<Str>,
    /// The id of the run, the same after it is resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Str>,
    /// The step at which it was put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Str>,
    /// Why it was put aside.
    pub reason: Str,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// W3C `baggage` that goes along with the trace, if there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baggage: Option<Str>,
    /// What is known of the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<TraceContext>>,
}

impl Suspended {
    /// W3C `traceparent` of the span that ended suspended, for whoever hands the run on in headers.
    pub fn traceparent(&self) -> Option<String> {
        Some(self.at(self.span_id)?.to_string())
    }

    /// A span of its trace, as it travels.
    fn at(&self, span_id: Option<SpanId>) -> Option<TraceParent> {
        let flags = (u8::from(self.sampled) * SAMPLED) | (u8::from(self.random) * RANDOM);
        Some(TraceParent { trace_id: self.trace_id?, span_id: span_id?, flags })
    }

    /// The context of a span of its trace.
    fn under(&self, span_id: Option<SpanId>) -> Context {
        let context = self.at(span_id).map_or(Context::NONE, |parent| {
            Context::remote_under(parent, self.trace_state.clone(), self.root_span_id)
        });
        match &self.baggage {
            Some(baggage) => context.replace_baggage(Baggage::parse(baggage).baggage),
            None => context,
        }
    }

    /// What it shares with every span that is put aside.
    pub(crate) fn of<T: Kind>(span: &ActiveSpan<T>, reason: &Str) -> Self {
        let context = if span.is_off() { Context::NONE } else { span.context() };
        let known = span.parts();
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            root_span_id: known.and_then(|(span, open)| open.root_span_id(span)),
            sampled: context.is_sampled(),
            random: context.trace_parent().is_some_and(|parent| parent.flags & RANDOM != 0),
            trace_state: context.trace_state().cloned(),
            baggage: context.baggage().format().map(Str::from),
            reason: reason.clone(),
            at: span.now(),
            context: known.map(|(span, _)| Box::new(TraceContext::clone(&span.context))),
            ..Self::default()
        }
    }
}

impl Observability {
    /// Takes up a run that was put aside, here or in another process: a new span of the same trace and run.
    ///
    /// It stands under the trace's root where that is known, else under the span that was put aside, and links to that one.
    /// What is known of the trace comes along, and its baggage; environment, release, version and service are those of
    /// the process that goes on with it, which may be a later one.
    pub fn resume(&self, name: impl Into<Str>, suspended: &Suspended) -> ActiveSpan<WorkflowRun> {
        let parent = suspended.under(suspended.root_span_id.or(suspended.span_id));
        let Suspended { workflow_id, run_id, .. } = suspended.clone();
        let fields = WorkflowRun { workflow_id, run_id, status: Some(WorkflowStatus::Suspended) };
        let mut run = self.start(name, fields, &parent);
        if let Some(context) = &suspended.context {
            run.trace(|trace| {
                let own = std::mem::replace(trace, TraceContext::clone(context));
                let TraceContext { environment, release, version, service, .. } = own;
                *trace = TraceContext { environment, release, version, service, ..std::mem::take(trace) };
            });
        }
        go_on(&mut run, suspended);
        run
    }

    /// Takes up a step that was put aside, under the current context: that of the run that was resumed.
    pub fn resume_step(&self, name: impl Into<Str>, suspended: &Suspended) -> ActiveSpan<WorkflowStep> {
        let (step_id, status) = (suspended.step_id.clone(), Some(WorkflowStatus::Suspended));
        let fields = WorkflowStep { step_id, status, ..WorkflowStep::default() };
        let mut step = self.start(name, fields, &Context::current());
        go_on(&mut step, suspended);
        step
    }
}

/// Links to the span that was put aside, and runs from here on.
fn go_on<T: Staged>(span: &mut ActiveSpan<T>, suspended: &Suspended) {
    let trace_state = suspended.trace_state.clone();
    if let (Some(trace_id), Some(span_id)) = (suspended.trace_id, suspended.span_id) {
        let attributes = Attributes::from_iter([(names::LINK, names::RESUMES)]);
        span.link_to(Link { trace_id, span_id, trace_state, attributes });
    }
    transition(span, WorkflowStatus::Running, Some(suspended.reason.clone()));
}
