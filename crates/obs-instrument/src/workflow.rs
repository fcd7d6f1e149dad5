//! Workflows: where runs and steps stand.

use obs_core::{
    Attributes, LoopKind, StepFlavour, Str, Timestamp, WorkflowRun, WorkflowStatus, WorkflowStep,
};

use crate::{ActiveSpan, Kind, Suspended};

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
pub trait Staged: Kind {
    /// The event of one that stands elsewhere from now on.
    const TRANSITION: &'static str;

    /// Where it stands.
    fn status(&mut self) -> &mut Option<WorkflowStatus>;

    /// Notes what it is known by when it is taken up again.
    fn note(&self, suspended: &mut Suspended);
}

impl Staged for WorkflowRun {
    const TRANSITION: &'static str = names::RUN_TRANSITION;

    fn status(&mut self) -> &mut Option<WorkflowStatus> {
        &mut self.status
    }

    fn note(&self, suspended: &mut Suspended) {
        suspended.workflow_id.clone_from(&self.workflow_id);
        suspended.run_id.clone_from(&self.run_id);
    }
}

impl Staged for WorkflowStep {
    const TRANSITION: &'static str = names::STEP_TRANSITION;

    fn status(&mut self) -> &mut Option<WorkflowStatus> {
        &mut self.status
    }

    fn note(&self, suspended: &mut Suspended) {
        suspended.step_id.clone_from(&self.step_id);
    }
}

/// Sets the status, and tells of the change as an event; nothing happens where it stands there already.
pub(crate) fn transition<T: Staged>(span: &mut ActiveSpan<T>, to: WorkflowStatus, reason: Option<Str>) {
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

/// What runs and steps of workflows have in common.
impl<T: Staged> ActiveSpan<T> {
    /// Says where the run or step stands now, as an event too; it runs from the start, and at the end it is completed or
    /// failed unless said otherwise.
    pub fn status(&mut self, status: WorkflowStatus) -> &mut Self {
        transition(self, status, None);
        self
    }

    /// [`Self::status`], and why.
    pub fn transition(&mut self, to: WorkflowStatus, reason: impl Into<Str>) -> &mut Self {
        transition(self, to, Some(reason.into()));
        self
    }

    /// Puts the run or step aside: its span ends suspended, and what is returned resumes it, here or in another process.
    pub fn suspend(mut self, reason: impl Into<Str>) -> Suspended {
        let reason = reason.into();
        let mut suspended = Suspended::of(&self, &reason);
        self.fields(|fields| fields.note(&mut suspended));
        transition(&mut self, WorkflowStatus::Suspended, Some(reason));
        self.end();
        suspended
    }
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
}

impl ActiveSpan<WorkflowStep> {
    /// The step's id in its workflow.
    pub fn step_id(&mut self, id: impl Into<Str>) -> &mut Self {
        self.fields(|step| step.step_id = Some(id.into()))
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
