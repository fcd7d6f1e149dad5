//! Judging a trace after the fact, by what can be read back of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Error, ErrorKind, Feedback, Record, Score, Signal, Span, SpanId, Str, Target, Timestamp, Trace, TraceId,
    TraceQuery, TraceReader, TraceSummary,
};
use obs_instrument::pipeline::{Clock, ManualClock};
use obs_instrument::{Observability, ObservabilityBuilder, READ_SCHEDULE};
use obs_store::{StoreConfig, StoreExporter};
use obs_testkit::Scripted;
use tokio::sync::Semaphore;

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a future without any runtime, as an application on another one does.
pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park_timeout(DEADLINE);
    }
}

/// A run that another process recorded in a store.
struct Recorded {
    _folder: tempfile::TempDir,
    store: Arc<StoreExporter>,
    trace_id: TraceId,
    root: SpanId,
    child: SpanId,
}

impl Recorded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(StoreExporter::new(StoreConfig::new(folder.path().join("obs.db"))).unwrap());
        let obs =
            Observability::builder("recorder").environment("staging").to(Arc::clone(&store)).build().unwrap();
        let mut root = obs.agent_run("root");
        root.trace(|trace| {
            trace.user_id = Some("u-1".into());
            trace.session_id = Some("s-1".into());
            trace.tags = vec!["beta".into()];
            trace.experiment_id = Some("e-1".into());
        });
        let child = root.scope(|| obs.tool_call("child"));
        let (trace_id, root_id, child_id) =
            (root.trace_id().unwrap(), root.span_id().unwrap(), child.span_id().unwrap());
        child.end();
        root.end();
        assert!(obs.flush(DEADLINE).complete);
        Self { _folder: folder, store, trace_id, root: root_id, child: child_id }
    }

    /// An instance that judges, with two destinations that keep what they get, and the store.
    fn judge(&self) -> (Observability, [Arc<Scripted>; 2]) {
        let kept = [Scripted::new([]), Scripted::new([])];
        let reopened = StoreExporter::new(StoreConfig::new(self.store.path())).unwrap();
        let obs = Observability::builder("judge")
            .to_named("first", Arc::clone(&kept[0]))
            .to_named("second", Arc::clone(&kept[1]))
            .to(reopened)
            .reader(Arc::new(self.store.reader()))
            .build()
            .unwrap();
        (obs, kept)
    }

    fn whole(&self) -> Target {
        Target::Trace { trace_id: self.trace_id, root_span_id: Some(self.root) }
    }

    fn of_child(&self) -> Target {
        Target::Span { trace_id: self.trace_id, span_id: self.child, root_span_id: Some(self.root) }
    }

    fn read_back(&self) -> Trace {
        self.store.reader().find_trace(self.trace_id).unwrap().unwrap()
    }
}

fn scores(destination: &Scripted) -> Vec<Score> {
    let score = |record| if let Record::Score(score) = record { Some(score) } else { None };
    destination.records().into_iter().filter_map(score).collect()
}

fn feedback(destination: &Scripted) -> Vec<Feedback> {
    let feedback = |record| if let Record::Feedback(feedback) = record { Some(feedback) } else { None };
    destination.records().into_iter().filter_map(feedback).collect()
}

#[test]
fn posthoc_score_on_read_back_trace() {
    let recorded = Recorded::new();
    let (obs, kept) = recorded.judge();
    let trace = wait_for(obs.trace(recorded.trace_id).read()).unwrap().unwrap();
    assert_eq!((trace.root().unwrap().span_id, trace.tree().len()), (recorded.root, 2));
    trace.score("quality", 4).range(1.0, 5.0);
    trace.span(recorded.child).score("useful", true);
    assert!(obs.flush(DEADLINE).complete);
    for destination in kept {
        let scores = scores(&destination);
        let of = |name: &str| scores.iter().find(|score| score.name == name).unwrap();
        assert_eq!((&of("quality").target, &of("useful").target), (&recorded.whole(), &recorded.of_child()));
        for score in &scores {
            let context = &score.context;
            assert_eq!(context.user_id.as_deref(), Some("u-1"));
            assert_eq!(context.session_id.as_deref(), Some("s-1"));
            assert_eq!(
                (context.environment.as_deref(), &*context.tags),
                (Some("staging"), &["beta".into()][..])
            );
            assert_eq!(score.experiment_id.as_deref(), Some("e-1"));
            assert_eq!(score.resource.service_name(), Some("judge"));
        }
    }
    assert_eq!(recorded.read_back().scores.len(), 2);
}

#[test]
fn posthoc_feedback_on_read_back_trace() {
    let recorded = Recorded::new();
    let (obs, kept) = recorded.judge();
    let trace = obs.trace(recorded.trace_id);
    trace.feedback("thumbs", true).user("u-2").comment("nice");
    trace.span(recorded.child).feedback("rating", 4).range(1.0, 5.0);
    assert!(obs.flush(DEADLINE).complete);
    for destination in kept {
        let feedback = feedback(&destination);
        let of = |kind: &str| feedback.iter().find(|feedback| feedback.kind == kind).unwrap();
        assert_eq!((&of("thumbs").target, &of("rating").target), (&recorded.whole(), &recorded.of_child()));
        assert_eq!(of("thumbs").user_id.as_deref(), Some("u-2"), "who gave it is not who ran the trace");
        assert_eq!(of("thumbs").context.user_id.as_deref(), Some("u-1"));
    }
    assert_eq!(recorded.read_back().feedback.len(), 2);
}

#[test]
fn batches_find_their_traces_too() {
    let recorded = Recorded::new();
    let (obs, [kept, _]) = recorded.judge();
    let rootless = Target::Trace { trace_id: recorded.trace_id, root_span_id: None };
    let run = Target::ExperimentRun { run_id: "r-1".into() };
    obs.scores([
        obs.new_score(rootless.clone(), "a", 0.5),
        obs.new_score(rootless.clone(), "b", 0.25),
        obs.new_score(run.clone(), "c", true),
    ]);
    obs.score(rootless.clone(), "d", 1).source("one by one");
    obs.feedback_batch([obs.new_feedback(rootless, "thumbs", true)]);
    assert!(obs.flush(DEADLINE).complete);
    let mut targets: Vec<_> =
        scores(&kept).into_iter().map(|score| (score.name.to_string(), score.target)).collect();
    targets.sort_by(|(a, _), (b, _)| a.cmp(b));
    let whole = || recorded.whole();
    let expected = [("a", whole()), ("b", whole()), ("c", run), ("d", whole())];
    assert_eq!(targets, expected.map(|(name, target)| (name.to_owned(), target)));
    assert_eq!(feedback(&kept)[0].target, recorded.whole());
}

/// What a reader says at each try, and how often it was asked.
#[derive(Debug, Default)]
struct Told {
    answers: Mutex<Vec<Result<Option<Trace>, Error>>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(answers: impl IntoIterator<Item = Result<Option<Trace>, Error>>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl TraceReader for Told {
    async fn trace(&self, _: TraceId) -> Result<Option<Trace>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers.lock().unwrap().pop().unwrap_or(Ok(None))
    }

    async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        Ok(Vec::new())
    }
}

fn id(value: u64) -> SpanId {
    SpanId::new(value).unwrap()
}

fn trace_id() -> TraceId {
    TraceId::new(9).unwrap()
}

/// A trace of which only a span below the root is there.
fn orphaned() -> Trace {
    let mut span = Span::new(trace_id(), id(2), "child", Timestamp::default());
    span.parent_span_id = Some(id(1));
    Trace { spans: vec![span], ..Trace::new(trace_id()) }
}

fn complete() -> Trace {
    let mut trace = orphaned();
    trace.spans.push(Span::new(trace_id(), id(1), "root", Timestamp::default()));
    trace
}

fn unreadable() -> Error {
    Error::without_records(ErrorKind::Io, "the store is being moved")
}

/// An instance whose clock stands, and what reaches its destination.
fn judging(
    configure: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder,
) -> (Observability, Arc<Scripted>, ManualClock) {
    let kept = Scripted::new([]);
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let builder = Observability::builder("judge").to(Arc::clone(&kept)).clock(clock);
    (configure(builder).build().unwrap(), kept, hand)
}

/// Lets the clock run until the reader was asked so often.
fn ask(told: &Told, hand: &ManualClock, times: usize) {
    while told.asked.load(Ordering::SeqCst) < times {
        hand.advance(Duration::from_millis(100));
        thread::yield_now();
    }
}

#[test]
fn reading_is_tried_again_until_the_root_is_there() {
    let answers = [Ok(None), Err(unreadable()), Ok(Some(orphaned())), Ok(Some(complete()))];
    let told = Told::new(answers);
    let (obs, kept, hand) = judging(|builder| builder.reader(Arc::<Told>::clone(&told)));
    let handle = obs.trace(trace_id());
    handle.score("first", 1);
    handle.clone().score("second", 2);
    ask(&told, &hand, 4);
    assert!(obs.flush(DEADLINE).complete);
    handle.score("third", 3);
    assert!(obs.flush(DEADLINE).complete);
    let roots: Vec<_> = scores(&kept).iter().map(|score| score.target.root_span_id()).collect();
    assert_eq!(roots, [Some(id(1)); 3], "a trace is read once for all that is said of it");
    assert_eq!(told.asked.load(Ordering::SeqCst), 4);
}

/// What is judged of a trace that nobody finds goes out without a root, and is not guessed at: a backend that needs a root
/// refuses it, which the ledger shows.
#[test]
fn a_judgement_of_a_trace_that_is_not_found_is_not_lost() {
    let told = Told::new([Ok(Some(orphaned()))]);
    let (obs, kept, hand) = judging(|builder| builder.reader(Arc::<Told>::clone(&told)));
    obs.trace(trace_id()).score("quality", 0.5);
    ask(&told, &hand, READ_SCHEDULE.len());
    assert!(obs.flush(DEADLINE).complete);
    let target = Target::Trace { trace_id: trace_id(), root_span_id: None };
    assert_eq!(scores(&kept).into_iter().map(|score| score.target).collect::<Vec<_>>(), [target]);
    assert_eq!(
        told.asked.load(Ordering::SeqCst),
        READ_SCHEDULE.len(),
        "it is looked for that often and no more"
    );
}

#[test]
fn a_flush_does_not_wait_longer_than_it_may() {
    let told = Told::new([]);
    let (obs, kept, _hand) = judging(|builder| builder.reader(Arc::<Told>::clone(&told)));
    obs.trace(trace_id()).score("quality", 0.5);
    let report = obs.flush(Duration::from_millis(400));
    assert!(report.complete, "{report}");
    assert_eq!(scores(&kept).len(), 1, "it went out when half of the time was over");
    assert!(told.asked.load(Ordering::SeqCst) <= 2, "one look more, without waiting");
}

#[test]
fn without_a_reader_a_judgement_goes_out_at_once_with_what_the_caller_knows() {
    let (obs, kept, _hand) = judging(|builder| builder);
    obs.trace(trace_id()).with_root(id(1)).span(id(2)).score("known", 1);
    obs.trace(trace_id()).score("unknown", 1);
    assert!(obs.flush(DEADLINE).complete);
    let roots: Vec<_> = scores(&kept).iter().map(|score| score.target.root_span_id()).collect();
    assert_eq!(roots, [Some(id(1)), None]);
    let error = wait_for(obs.trace(trace_id()).read()).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("`reader`"), "{error}");
}

#[test]
fn a_reader_that_fails_or_panics_takes_no_judgement_along() {
    #[derive(Debug)]
    struct Panics;
    #[async_trait]
    impl TraceReader for Panics {
        async fn trace(&self, _: TraceId) -> Result<Option<Trace>, Error> {
            panic!("planned")
        }
        async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
            Ok(Vec::new())
        }
    }
    let (obs, kept, _hand) = judging(|builder| builder);
    let told = Told::new([Err(unreadable())]);
    let once = obs.trace(trace_id()).with_reader(told).with_schedule([Duration::ZERO]);
    assert_eq!(wait_for(once.read()).unwrap_err().kind(), ErrorKind::Io);
    once.score("failed", 1);
    let panics = obs.trace(trace_id()).with_reader(Arc::new(Panics)).with_schedule([]);
    panics.score("panicked", 1);
    assert!(wait_for(panics.read()).is_err());
    assert!(obs.flush(DEADLINE).complete);
    assert_eq!(scores(&kept).len(), 2);
}

#[test]
fn the_last_handle_of_an_instance_sees_judgements_off() {
    let told = Told::new([Ok(Some(complete()))]);
    let (obs, kept, _hand) = judging(|builder| builder.reader(told));
    obs.trace(trace_id()).score("quality", 1);
    drop(obs);
    assert_eq!(scores(&kept)[0].target.root_span_id(), Some(id(1)));
}

#[test]
fn what_a_caller_says_of_a_trace_stays() {
    let recorded = Recorded::new();
    let (obs, [kept, _]) = recorded.judge();
    let rootless = Target::Trace { trace_id: recorded.trace_id, root_span_id: None };
    let mut score = obs.new_score(rootless, "own", 1);
    Arc::make_mut(&mut score.context).user_id = Some("somebody else".into());
    obs.scores([score]);
    assert!(obs.flush(DEADLINE).complete);
    let score = &scores(&kept)[0];
    assert_eq!((&score.target, score.context.user_id.as_deref()), (&recorded.whole(), Some("somebody else")));
}

/// A reader that does not answer until it is told to.
#[derive(Debug)]
struct Silent {
    /// Whether it keeps its thread, too, as none should.
    blocks: bool,
    told: (Mutex<bool>, Condvar),
    gate: Semaphore,
}

impl Silent {
    fn new(blocks: bool) -> Arc<Self> {
        Arc::new(Self { blocks, told: Default::default(), gate: Semaphore::new(0) })
    }

    fn answer(&self) {
        *self.told.0.lock().unwrap() = true;
        self.told.1.notify_all();
        self.gate.close();
    }
}

#[async_trait]
impl TraceReader for Silent {
    async fn trace(&self, _: TraceId) -> Result<Option<Trace>, Error> {
        if !self.blocks {
            assert!(self.gate.acquire().await.is_err(), "it is closed");
        }
        let (told, changed) = &self.told;
        let waited = changed.wait_timeout_while(told.lock().unwrap(), DEADLINE, |told| !*told).unwrap();
        assert!(!waited.1.timed_out());
        Ok(Some(complete()))
    }

    async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        Ok(Vec::new())
    }
}

#[test]
fn law_1_accounting_a_flush_is_not_complete_while_a_judgement_waits() {
    let silent = Silent::new(true);
    let (obs, kept, _hand) = judging(|builder| builder.reader(Arc::<Silent>::clone(&silent)));
    obs.trace(trace_id()).score("quality", 1);
    let short = Duration::from_millis(400);
    assert!(!obs.flush(short).complete);
    let synced = obs.sync(short);
    assert!(!synced.durable && synced.reason.unwrap().contains("judgement"));
    silent.answer();
    assert!(obs.flush(DEADLINE).complete);
    assert_eq!(scores(&kept)[0].target.root_span_id(), Some(id(1)));
}

#[test]
fn law_2_host_is_safe_what_waits_for_traces_is_bounded() {
    let silent = Silent::new(false);
    let (obs, kept, _hand) = judging(|builder| builder.reader(Arc::<Silent>::clone(&silent)));
    let comment: Str = "x".repeat(10_000).into();
    for at in 1..=4_000 {
        obs.trace(TraceId::new(at).unwrap()).score("quality", 1).comment(comment.as_str().to_owned());
    }
    let gone = obs.report().intake.get(Signal::Scores).recorded;
    assert!((2_000..3_900).contains(&gone), "{gone} of 4000 do not wait: 16 MB of them do");
    silent.answer();
    assert!(obs.flush(DEADLINE).complete);
    let found = scores(&kept).iter().filter(|score| score.target.root_span_id().is_some()).count() as u64;
    assert_eq!((scores(&kept).len(), found), (4_000, 4_000 - gone));
    obs.trace(trace_id()).score("later", 1);
    assert!(obs.flush(DEADLINE).complete);
    assert!(scores(&kept).last().unwrap().target.root_span_id().is_some(), "there is room again");
}
