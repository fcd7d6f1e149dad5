//! Reading a trace back for what is said of it, and what waits for that.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_core::{
    ByteSize, Error, ErrorKind, Feedback, Score, SpanId, Target, Trace, TraceContext, TraceId, TraceReader,
};
use obs_pipeline::{Intake, Pace};

use crate::instance::Instance;

/// What a trace that is being read takes in memory, besides the judgements that wait for it.
const OVERHEAD: usize = 2 << 10;

/// How long one try to read may take: a reader that hangs is asked again, as one that fails.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// A score or feedback on its way.
#[derive(Debug)]
pub(crate) enum Judgement {
    Score(Score),
    Feedback(Feedback),
}

impl Judgement {
    pub(crate) fn record(self, intake: &Intake) {
        match self {
            Self::Score(score) => intake.score(score),
            Self::Feedback(feedback) => intake.feedback(feedback),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Score(score) => score.byte_size(),
            Self::Feedback(feedback) => feedback.byte_size(),
        }
    }

    pub(crate) fn target(&self) -> &Target {
        match self {
            Self::Score(score) => &score.target,
            Self::Feedback(feedback) => &feedback.target,
        }
    }

    /// Fills in what the trace says of itself; what the caller said stays, as does a context other than the instance's.
    fn complete(&mut self, known: &Known, instance: &Instance) {
        let (target, context, experiment) = match self {
            Self::Score(score) => (&mut score.target, &mut score.context, &mut score.experiment_id),
            Self::Feedback(given) => (&mut given.target, &mut given.context, &mut given.experiment_id),
        };
        let (Target::Span { root_span_id, .. } | Target::Trace { root_span_id, .. }) = &mut *target else {
            return;
        };
        *root_span_id = root_span_id.or(known.root);
        let of_span = target.span_id().and_then(|span| known.spans.get(&span));
        if let Some(told) = of_span.or(known.context.as_ref()) {
            if Arc::ptr_eq(context, instance.trace_context()) {
                *context = Arc::clone(told);
            }
            if experiment.is_none() {
                experiment.clone_from(&told.experiment_id);
            }
        }
    }
}

/// What judgements take over from a trace.
#[derive(Debug, Default)]
pub(crate) struct Known {
    root: Option<SpanId>,
    /// What is known of the whole trace: what its root says, else its first span.
    context: Option<Arc<TraceContext>>,
    /// What is known of the spans of which something else is.
    spans: HashMap<SpanId, Arc<TraceContext>>,
}

impl Known {
    pub(crate) fn of(trace: &Trace) -> Self {
        let context = trace.root().or(trace.spans.first()).map(|span| &span.context);
        let other = trace.spans.iter().filter(|span| Some(&span.context) != context);
        Self {
            root: root(trace),
            context: context.cloned(),
            spans: other.map(|span| (span.span_id, Arc::clone(&span.context))).collect(),
        }
    }
}

/// The root, if the trace has it or any of its spans tells it: never the first orphan, which may be anything.
fn root(trace: &Trace) -> Option<SpanId> {
    let own = trace.spans.iter().find(|span| span.is_root()).map(|span| span.span_id);
    own.or_else(|| trace.spans.iter().find_map(obs_core::Span::root_span_id))
}

/// Tries to read a trace until its root is known, then what there is of it.
///
/// Each try has its turn, until what is wanted of the trace is taken: few traces are read, and stand in memory, at a time.
pub(crate) async fn read<T>(
    reader: &dyn TraceReader,
    trace_id: TraceId,
    schedule: &[Duration],
    mut pace: Pace,
    take: impl Fn(Trace) -> T,
) -> Result<Option<T>, Error> {
    let mut found = Ok(None);
    let waits = if schedule.is_empty() { &[Duration::ZERO] } else { schedule };
    for wait in waits {
        let in_time = pace.pause(*wait).await;
        let turn = pace.turn(TRY_TIMEOUT).await;
        let answer = match turn {
            Some(_) => pace.within(TRY_TIMEOUT, obs_pipeline::suppressed(reader.trace(trace_id))).await,
            None => None,
        };
        match answer.unwrap_or_else(|| Err(hangs())) {
            Ok(Some(trace)) if root(&trace).is_some() => return Ok(Some(take(trace))),
            // An earlier try may have found more than one that fails.
            Ok(Some(trace)) => found = Ok(Some(take(trace))),
            Ok(None) => {
                if found.is_err() {
                    found = Ok(None);
                }
            }
            Err(error) => {
                if !matches!(found, Ok(Some(_))) {
                    found = Err(error);
                }
            }
        }
        if !in_time || turn.is_none() {
            break;
        }
    }
    found
}

fn hangs() -> Error {
    let message = format!("the reader has not answered within {TRY_TIMEOUT:?}");
    Error::without_records(ErrorKind::Timeout, message)
}

/// Which trace is read, from where, and when.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) trace_id: TraceId,
    pub(crate) reader: Arc<dyn TraceReader>,
    pub(crate) schedule: Arc<[Duration]>,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        let Self { trace_id, reader, schedule } = self;
        *trace_id == other.trace_id && Arc::ptr_eq(reader, &other.reader) && *schedule == other.schedule
    }
}

/// One trace that is being read, or was, and the judgements that wait for it.
pub(crate) struct Reading {
    instance: Arc<Instance>,
    state: Mutex<State>,
}

/// What became of a reading that was to begin.
pub(crate) enum Begun {
    Now,
    /// The same trace is being read already.
    Joined(Arc<Reading>),
    /// Too much waits already.
    Full,
    /// Nothing is to begin any more.
    Over,
}

#[derive(Debug)]
enum State {
    UnderWay {
        waiting: Vec<Judgement>,
        bytes: usize,
    },
    /// Nothing is known of a trace that was not found.
    Done(Arc<Known>),
}

impl Reading {
    /// One that is over.
    pub(crate) fn done(instance: Arc<Instance>, known: Known) -> Arc<Self> {
        Arc::new(Self { instance, state: Mutex::new(State::Done(Arc::new(known))) })
    }

    /// Reads the trace beside, unless that is under way; `None` if too much waits already.
    pub(crate) fn start(instance: Arc<Instance>, wanted: Wanted) -> Option<Arc<Self>> {
        let trace_id = wanted.trace_id;
        let state = State::UnderWay { waiting: Vec::new(), bytes: OVERHEAD };
        let reading = Arc::new(Self { instance, state: Mutex::new(state) });
        match reading.instance.readings().begin(&wanted, &reading, OVERHEAD) {
            Begun::Now => {}
            Begun::Joined(other) => return Some(other),
            Begun::Full => {
                tell(trace_id, "too many judgements wait for their traces");
                return None;
            }
            Begun::Over => return Some(Self::done(Arc::clone(&reading.instance), Known::default())),
        }
        // Dropped with the work, however that ends: the judgements go out then at the latest.
        let end = End(Arc::clone(&reading), wanted);
        let work = |pace| async move {
            let end = end;
            let Wanted { reader, schedule, .. } = &end.1;
            match read(&**reader, trace_id, schedule, pace, |trace| Known::of(&trace)).await {
                Ok(Some(known)) => end.0.finish(known),
                Ok(None) => tell(trace_id, "nothing is known of it where it was looked for"),
                Err(error) => tell(trace_id, &error),
            }
        };
        if let Err(error) = reading.instance.readings().spawn(work) {
            tell(trace_id, &error);
        }
        Some(reading)
    }

    /// Takes a judgement: it goes out as soon as the trace is known, or known not to be.
    pub(crate) fn take(&self, mut judgement: Judgement) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::UnderWay { waiting, bytes } => {
                let own = judgement.bytes();
                if self.instance.readings().admit(own) {
                    *bytes += own;
                    return waiting.push(judgement);
                }
            }
            State::Done(known) => judgement.complete(known, &self.instance),
        }
        drop(state);
        judgement.record(self.instance.intake());
    }

    /// Lets go of the judgements that wait; nothing happens if it is done.
    pub(crate) fn finish(&self, known: Known) {
        let known = Arc::new(known);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Done(_)) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Done(Arc::clone(&known)));
        drop(state);
        if let State::UnderWay { waiting, bytes } = before {
            for mut judgement in waiting {
                judgement.complete(&known, &self.instance);
                judgement.record(self.instance.intake());
            }
            self.instance.readings().release(bytes);
        }
    }
}

/// Ends a reading that nothing else has ended: nothing is known.
struct End(Arc<Reading>, Wanted);

impl Drop for End {
    fn drop(&mut self) {
        self.0.finish(Known::default());
        self.0.instance.readings().end(&self.1, &self.0);
    }
}

fn tell(trace_id: TraceId, cause: impl fmt::Display) {
    tracing::warn!(
        target: "obs::trace", %trace_id, %cause,
        "a trace that is judged could not be read; the judgement goes out without its root and its context"
    );
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("state", &self.state).finish_non_exhaustive()
    }
}
