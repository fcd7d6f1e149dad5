//! Workflows: where runs and steps stand, and runs that are put aside here and taken up elsewhere.

use obs_core::{
    Attributes, Link, LoopKind, SpanId, StepFlavour, Str, Timestamp, TraceContext, TraceId, WorkflowRun,
    WorkflowStatus, WorkflowStep,
};
use serde::{Deserialize, Serialize};

use crate::{ActiveSpan, Context, Kind, Observability};

/// The names of events, attributes and links about workflows.
pub mod workflow_names {
    /// The event of a run that stands elsewhere from now on, with [`FROM`], [`TO`] and perhaps [`REASON`].
    pub const RUN_TRANSITION: &str = "workflow.run.transition";
    /// The event of a step that stands elsewhere from now on, with [`FROM`], [`TO`] and perhaps [`REASON`].
    pub const STEP_TRANSITION: &str = "workflow.step.transition";
    /// Where it stood: a [`obs_core::WorkflowStatus`]'s name.
    pub const FROM: &str = "from";
    /// Where it stands now, likewise.
    pub const TO: &str = "to";
    /// Why, in words.
    pub const REASON: &str = "reason";
    /// The attribute of a link that says what the relation is: [`RESUMES`].
    pub const LINK: &str = "link.type";
    /// The linked span was put aside, and this one goes on with it.
    pub const RESUMES: &str = "resumes";
}

use workflow_names as names;

/// A span type that stands somewhere: a run or a step.
pub(crate) trait Staged: Kind {
    const TRANSITION: &'static str;

    fn status(&mut self) -> &mut Option<WorkflowStatus>;
}

impl Staged for WorkflowRun {
    const TRANSITION: &'static str = names::RUN_TRANSITION;

    fn status(&mut self) -> &mut Option<WorkflowStatus> {
        &mut self.status
    }
}

impl Staged for WorkflowStep {
    const TRANSITION: &'static str = names::STEP_TRANSITION;

    fn status(&mut self) -> &mut Option<WorkflowStatus> {
        &mut self.status
    }
}

/// Sets the status, and tells of the change as an event; nothing happens where it stands there already.
fn transition<T: Staged>(span: &mut ActiveSpan<T>, to: WorkflowStatus, reason: Option<Str>) {
    let mut from = None;
    span.fields(|fields| from = fields.status().replace(to));
    let from = from.unwrap_or(WorkflowStatus::Running);
    if from == to || !span.is_recording() {
        return;
    }
    let mut attributes = Attributes::new();
    attributes.push(names::FROM, from.as_str());
    attributes.push(names::TO, to.as_str());
    if let Some(reason) = reason {
        attributes.push(names::REASON, reason);
    }
    span.event(T::TRANSITION, attributes);
}

/// A run or step that was put aside: all that another process needs to go on with it in the same trace.
///
/// It serialises, so that it can be kept beside the application's own state; it holds what is known of the trace, such as
/// the user's and the session's id.
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
    /// What is known of the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<TraceContext>>,
}

impl Suspended {
    /// W3C `traceparent` of the span that ended suspended, for whoever hands the run on in headers.
    pub fn traceparent(&self) -> Option<String> {
        let flags = u8::from(self.sampled);
        Some(format!("00-{}-{}-{flags:02x}", self.trace_id?, self.span_id?))
    }

    /// The context of a span of its trace.
    fn under(&self, span_id: Option<SpanId>) -> Context {
        let ids = self.trace_id.zip(span_id);
        ids.map_or(Context::NONE, |(trace_id, span_id)| {
            let state = self.trace_state.clone();
            Context::remote_under(trace_id, span_id, self.sampled, state, self.root_span_id)
        })
    }

    /// What it shares with every span that is put aside.
    fn of<T: Kind>(span: &ActiveSpan<T>, reason: &Str) -> Self {
        let context = span.context();
        let known = span.parts();
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            root_span_id: known.and_then(|(span, open)| open.root_span_id(span)),
            sampled: context.is_sampled(),
            trace_state: known.and_then(|(span, _)| span.trace_state.clone()),
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
    /// What is known of the trace comes along.
    pub fn resume(&self, name: impl Into<Str>, suspended: &Suspended) -> ActiveSpan<WorkflowRun> {
        let parent = suspended.under(suspended.root_span_id.or(suspended.span_id));
        let Suspended { workflow_id, run_id, .. } = suspended.clone();
        let fields = WorkflowRun { workflow_id, run_id, status: Some(WorkflowStatus::Suspended) };
        let mut run = self.start(name, fields, &parent);
        if let Some(context) = &suspended.context {
            run.trace(|trace| trace.clone_from(context));
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
        span.change(|span| span.links.push(Link { trace_id, span_id, trace_state, attributes }));
    }
    transition(span, WorkflowStatus::Running, Some(suspended.reason.clone()));
}

impl ActiveSpan<WorkflowRun> {
    /// The workflow's stable id.
    pub fn workflow_id(&mut self, id: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.workflow_id = Some(id.into()))
    }

    /// The id of this run, the same after a suspension.
    pub fn run_id(&mut self, id: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.run_id = Some(id.into()))
    }

    /// Says where the run stands now, as an event too; it runs from the start, and at the end it is completed or failed
    /// unless said otherwise.
    pub fn status(&mut self, status: WorkflowStatus) -> &mut Self {
        transition(self, status, None);
        self
    }

    /// [`Self::status`], and why.
    pub fn transition(&mut self, to: WorkflowStatus, reason: impl Into<Str>) -> &mut Self {
        transition(self, to, Some(reason.into()));
        self
    }

    /// Puts the run aside: its span ends suspended, and what is returned resumes it, here or in another process.
    pub fn suspend(mut self, reason: impl Into<Str>) -> Suspended {
        let reason = reason.into();
        let mut suspended = Suspended::of(&self, &reason);
        self.fields(|run| {
            suspended.workflow_id.clone_from(&run.workflow_id);
            suspended.run_id.clone_from(&run.run_id);
        });
        transition(&mut self, WorkflowStatus::Suspended, Some(reason));
        self.end();
        suspended
    }
}

impl ActiveSpan<WorkflowStep> {
    /// The step's id in its workflow.
    pub fn step_id(&mut self, id: impl Into<Str>) -> &mut Self {
        self.fields(|step| step.step_id = Some(id.into()))
    }

    /// Says where the step stands now, as an event too; it runs from the start, and at the end it is completed or failed
    /// unless said otherwise.
    pub fn status(&mut self, status: WorkflowStatus) -> &mut Self {
        transition(self, status, None);
        self
    }

    /// [`Self::status`], and why.
    pub fn transition(&mut self, to: WorkflowStatus, reason: impl Into<Str>) -> &mut Self {
        transition(self, to, Some(reason.into()));
        self
    }

    /// Puts the step aside: its span ends suspended, and what is returned resumes it.
    pub fn suspend(mut self, reason: impl Into<Str>) -> Suspended {
        let reason = reason.into();
        let mut suspended = Suspended::of(&self, &reason);
        self.fields(|step| suspended.step_id.clone_from(&step.step_id));
        transition(&mut self, WorkflowStatus::Suspended, Some(reason));
        self.end();
        suspended
    }

    /// Ends a step that was not taken, and says why.
    pub fn skip(mut self, reason: impl Into<Str>) {
        transition(&mut self, WorkflowStatus::Skipped, Some(reason.into()));
        self.end();
    }

    /// What kind of step it is.
    pub fn flavour(&mut self, flavour: StepFlavour) -> &mut Self {
        self.fields(|step| step.flavour = flavour)
    }

    /// It asked so many conditions and chose these steps.
    pub fn conditional<S: Into<Str>>(
        &mut self,
        conditions: u32,
        selected: impl IntoIterator<Item = S>,
    ) -> &mut Self {
        self.fields(|step| {
            let selected = selected.into_iter().map(Into::into).collect();
            step.flavour = StepFlavour::Conditional { conditions, selected };
        })
    }

    /// It runs so many branches side by side.
    pub fn parallel(&mut self, branches: u32) -> &mut Self {
        self.flavour(StepFlavour::Parallel { branches })
    }

    /// It is this iteration of a loop, from 0, of so many if that is known.
    pub fn iteration(&mut self, kind: LoopKind, iteration: u32, total: Option<u32>) -> &mut Self {
        self.flavour(StepFlavour::Loop { kind, iteration: Some(iteration), total })
    }

    /// It sleeps for so long.
    pub fn sleeping(&mut self, duration: std::time::Duration) -> &mut Self {
        self.flavour(StepFlavour::Sleep { duration: Some(duration), until: None })
    }

    /// It sleeps until then.
    pub fn sleeping_until(&mut self, until: Timestamp) -> &mut Self {
        self.flavour(StepFlavour::Sleep { duration: None, until: Some(until) })
    }

    /// It waits for an event, at most so long.
    pub fn waiting_for(&mut self, event: impl Into<Str>, timeout: Option<std::time::Duration>) -> &mut Self {
        self.fields(|step| {
            step.flavour = StepFlavour::WaitEvent { event: event.into(), timeout, received: None };
        })
    }

    /// Whether the event it waited for came.
    pub fn received(&mut self, came: bool) -> &mut Self {
        self.fields(|step| {
            if let StepFlavour::WaitEvent { received, .. } = &mut step.flavour {
                *received = Some(came);
            }
        })
    }
}
