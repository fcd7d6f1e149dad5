//! How much is read at a time for what is judged after the fact.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Error, Record, Signal, Span, SpanId, Target, Timestamp, Trace, TraceId, TraceQuery, TraceReader,
    TraceSummary,
};
use obs_instrument::Observability;
use obs_instrument::pipeline::Clock;
use obs_testkit::Scripted;
use tokio::sync::Semaphore;

const DEADLINE: Duration = Duration::from_secs(20);

/// A reader that answers when its gate is open, and counts.
#[derive(Debug)]
struct Counting {
    gate: Semaphore,
    asked: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    fn new() -> Arc<Self> {
        let [asked, now, most] = [0; 3].map(AtomicUsize::new);
        Arc::new(Self { gate: Semaphore::new(0), asked, now, most })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TraceReader for Counting {
    async fn trace(&self, id: TraceId) -> Result<Option<Trace>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        assert!(self.gate.acquire().await.is_err(), "it is closed");
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        let root = Span::new(id, SpanId::new(1).unwrap(), "root", Timestamp::default());
        Ok(Some(Trace { spans: vec![root], ..Trace::new(id) }))
    }

    async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        Ok(Vec::new())
    }
}

fn judging(reader: &Arc<Counting>) -> (Observability, Arc<Scripted>) {
    let kept = Scripted::new([]);
    let (clock, _) = Clock::manual(Timestamp::from_nanos(1));
    let builder = Observability::builder("judge").to(Arc::clone(&kept)).clock(clock);
    (builder.reader(Arc::<Counting>::clone(reader)).build().unwrap(), kept)
}

fn rootless(number: u128) -> Target {
    Target::Trace { trace_id: TraceId::new(number).unwrap(), root_span_id: None }
}

/// How many scores arrived, and how many of them with a root.
fn arrived(kept: &Scripted) -> (usize, usize) {
    let records = kept.records();
    let scores = records.iter().filter_map(|record| match record {
        Record::Score(score) => Some(score.target.root_span_id()),
        _ => None,
    });
    let roots: Vec<_> = scores.collect();
    (roots.len(), roots.iter().flatten().count())
}

#[test]
fn law_2_host_is_safe_few_traces_are_read_at_a_time_however_many_are_judged() {
    let reader = Counting::new();
    let (obs, kept) = judging(&reader);
    for number in 1..=1_000 {
        obs.score(rootless(number), "quality", 1);
        obs.trace(TraceId::new(1_000 + number).unwrap()).score("quality", 1);
    }
    let patience = Clock::system();
    while reader.asked() < 8 && patience.monotonic() < DEADLINE {
        thread::yield_now();
    }
    assert!(!obs.flush(Duration::from_millis(200)).complete, "all wait for the first ones");
    reader.gate.close();
    assert!(obs.flush(DEADLINE).complete);
    assert_eq!(arrived(&kept), (2_000, 2_000));
    assert_eq!((reader.most.load(Ordering::SeqCst), reader.asked()), (8, 2_000));
}

#[test]
fn a_trace_is_read_once_for_all_that_is_said_of_it_meanwhile() {
    let (reader, other) = (Counting::new(), Counting::new());
    let (obs, kept) = judging(&reader);
    for _ in 0..50 {
        obs.score(rootless(1), "quality", 1);
        obs.scores([obs.new_score(rootless(1), "quality", 1)]);
        obs.trace(TraceId::new(1).unwrap()).score("quality", 1);
        obs.trace(TraceId::new(1).unwrap()).with_reader(Arc::<Counting>::clone(&other)).score("quality", 1);
    }
    obs.score(rootless(2), "quality", 1);
    reader.gate.close();
    other.gate.close();
    assert!(obs.flush(DEADLINE).complete);
    assert_eq!(arrived(&kept), (201, 201));
    assert_eq!((reader.asked(), other.asked()), (2, 1), "each where it is looked for");
    obs.score(rootless(1), "later", 1);
    assert!(obs.flush(DEADLINE).complete);
    assert_eq!((arrived(&kept), reader.asked()), ((202, 202), 3), "what is over is looked for anew");
}

#[test]
fn law_2_host_is_safe_a_shutdown_waits_for_no_turn_and_loses_no_judgement() {
    let reader = Counting::new();
    let (obs, kept) = judging(&reader);
    for number in 1..=100 {
        obs.score(rootless(number), "quality", 1);
    }
    let taken = Clock::system();
    let report = obs.shutdown(Duration::from_millis(1_500));
    assert!(taken.monotonic() < Duration::from_secs(10), "it waited for its turn");
    assert!(report.is_balanced(), "{report}");
    assert_eq!((arrived(&kept), kept.delivered(Signal::Scores)), ((100, 0), 100));
    assert!(reader.most.load(Ordering::SeqCst) <= 8);
}
