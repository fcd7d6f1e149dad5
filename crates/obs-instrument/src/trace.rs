//! A trace after the fact: reading it back, and judging it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Error, Node, ScoreValue, Span, SpanId, Str, Target, Trace, TraceId, TraceReader};

use crate::instance::Instance;
use crate::judgement::{FeedbackBuilder, ScoreBuilder, Sink};
use crate::reading::{self, Judgement, Known, Reading, Wanted};

/// How long to wait before each try to read a trace, unless said otherwise: six seconds together, as long as a batch
/// takes to a backend that was slow to answer.
pub const READ_SCHEDULE: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

/// A trace that was recorded before, here or in another process, known by its id.
///
/// With a [reader](crate::ObservabilityBuilder::reader), judgements wait on a thread of obs's own until the trace can be
/// read, then take over its root, user, session, environment and tags; without one they go out at once with what is known.
/// No judgement is lost: if the trace is not found after the last try, or the instance is shut down before, it goes out
/// without a root, and a backend that needs one refuses it as `unresolvable_target`.
/// So do those that find 16 MB of others waiting.
/// Eight traces are read at a time for judgements, each once for all that wait for it, and eight by [`Self::read`]; further ones
/// wait for their turn.
/// A try to read that takes longer than ten seconds counts as failed, and so does one that has waited ten seconds for its turn
/// since a flush or a shutdown that waits for it made haste.
///
/// ```
/// # use obs_core::TraceId;
/// # use obs_instrument::Observability;
/// # fn run(obs: &Observability, id: TraceId) {
/// obs.trace(id).score("answered", true).comment("checked by hand");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TraceHandle {
    instance: Arc<Instance>,
    trace_id: TraceId,
    root: Option<SpanId>,
    reader: Option<Arc<dyn TraceReader>>,
    schedule: Arc<[Duration]>,
    /// Shared by the judgements of this handle, so that the trace is read once.
    reading: Arc<Mutex<Option<Arc<Reading>>>>,
}

impl TraceHandle {
    pub(crate) fn new(instance: &Arc<Instance>, trace_id: TraceId) -> Self {
        Self {
            instance: Arc::clone(instance),
            trace_id,
            root: None,
            reader: instance.reader().cloned(),
            schedule: Arc::new(READ_SCHEDULE),
            reading: Arc::default(),
        }
    }

    /// Reads from here instead of the instance's reader.
    #[must_use]
    pub fn with_reader(mut self, reader: Arc<dyn TraceReader>) -> Self {
        self.reader = Some(reader);
        self.reading = Arc::default();
        self
    }

    /// The trace's root, where the caller knows it.
    #[must_use]
    pub fn with_root(mut self, root: SpanId) -> Self {
        self.root = Some(root);
        self
    }

    /// How long to wait before each try to read; [`READ_SCHEDULE`] unless set.
    ///
    /// At least one try is made.
    #[must_use]
    pub fn with_schedule(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.schedule = waits.into_iter().collect();
        self.reading = Arc::default();
        self
    }

    /// The trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// One span of it.
    pub fn span(&self, span_id: SpanId) -> SpanHandle {
        SpanHandle { trace: self.clone(), span_id }
    }

    /// A score of the whole trace; it is recorded when the builder is dropped.
    pub fn score(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.judge_score(self.target(), name.into(), value.into())
    }

    /// Feedback on the whole trace; it is recorded when the builder is dropped.
    pub fn feedback(&self, kind: impl Into<Str>, value: impl Into<ScoreValue>) -> FeedbackBuilder {
        self.judge_feedback(self.target(), kind.into(), value.into())
    }

    /// The trace, once it can be read; `None` if nothing of it is known after the last try.
    ///
    /// It needs no runtime.
    ///
    /// # Errors
    /// `Config` without a reader, else what the reader said at the last try.
    pub async fn read(&self) -> Result<Option<RecordedTrace>, Error> {
        let Some(reader) = self.reader.clone() else {
            let advice =
                "there is nothing to read the trace from; give the builder a `reader`, or the handle one";
            return Err(Error::config("reader", advice));
        };
        let (trace_id, schedule) = (self.trace_id, Arc::clone(&self.schedule));
        let work =
            |pace| async move { reading::read(&*reader, trace_id, &schedule, pace, |trace| trace).await };
        let Some(trace) = self.instance.reads().run(work).await?? else { return Ok(None) };
        let known = Known::of(&trace);
        let reading = Reading::done(Arc::clone(&self.instance), known);
        let handle = Self { reading: Arc::new(Mutex::new(Some(reading))), ..self.clone() };
        Ok(Some(RecordedTrace { trace, handle }))
    }

    fn target(&self) -> Target {
        Target::Trace { trace_id: self.trace_id, root_span_id: self.root }
    }

    pub(crate) fn judge_score(&self, target: Target, name: Str, value: ScoreValue) -> ScoreBuilder {
        ScoreBuilder::by_way_of(|| self.sink(), &self.instance, target, name, value)
    }

    pub(crate) fn judge_feedback(&self, target: Target, kind: Str, value: ScoreValue) -> FeedbackBuilder {
        FeedbackBuilder::by_way_of(|| self.sink(), &self.instance, target, kind, value)
    }

    /// Where judgements of this trace go: through its reading, if there is anything to read from.
    pub(crate) fn sink(&self) -> Sink {
        let mut shared = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = &*shared {
            return Sink::Reading(Arc::clone(reading));
        }
        let Some(reader) = &self.reader else { return Sink::Intake(self.instance.intake().clone()) };
        let (reader, schedule) = (Arc::clone(reader), Arc::clone(&self.schedule));
        let wanted = Wanted { trace_id: self.trace_id, reader, schedule };
        match Reading::start(Arc::clone(&self.instance), wanted) {
            Some(reading) => Sink::Reading(Arc::clone(shared.insert(reading))),
            None => Sink::Intake(self.instance.intake().clone()),
        }
    }

    /// Takes a judgement made elsewhere.
    pub(crate) fn take(&self, judgement: Judgement) {
        self.sink().take(judgement);
    }
}

/// A span of a trace that was recorded before.
#[derive(Debug, Clone)]
pub struct SpanHandle {
    trace: TraceHandle,
    span_id: SpanId,
}

impl SpanHandle {
    /// The span's id.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// A score of the span; it is recorded when the builder is dropped.
    pub fn score(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.trace.judge_score(self.target(), name.into(), value.into())
    }

    /// Feedback on the span; it is recorded when the builder is dropped.
    pub fn feedback(&self, kind: impl Into<Str>, value: impl Into<ScoreValue>) -> FeedbackBuilder {
        self.trace.judge_feedback(self.target(), kind.into(), value.into())
    }

    fn target(&self) -> Target {
        let TraceHandle { trace_id, root, .. } = self.trace;
        Target::Span { trace_id, span_id: self.span_id, root_span_id: root }
    }
}

/// A trace that was read back.
#[derive(Debug, Clone)]
pub struct RecordedTrace {
    trace: Trace,
    handle: TraceHandle,
}

impl RecordedTrace {
    /// All that is known of it: spans, logs, scores, feedback, tokens and cost.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Its root: the first span without a parent, else the first whose parent is not known.
    pub fn root(&self) -> Option<&Span> {
        self.trace.root()
    }

    /// Its spans in their places, parents before children.
    pub fn tree(&self) -> Vec<Node<'_>> {
        self.trace.tree()
    }

    /// One span of it, to be judged.
    pub fn span(&self, span_id: SpanId) -> SpanHandle {
        self.handle.span(span_id)
    }

    /// A score of the whole trace; it is recorded when the builder is dropped.
    pub fn score(&self, name: impl Into<Str>, value: impl Into<ScoreValue>) -> ScoreBuilder {
        self.handle.score(name, value)
    }

    /// Feedback on the whole trace; it is recorded when the builder is dropped.
    pub fn feedback(&self, kind: impl Into<Str>, value: impl Into<ScoreValue>) -> FeedbackBuilder {
        self.handle.feedback(kind, value)
    }
}
