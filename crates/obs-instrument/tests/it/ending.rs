//! How an instance ends: by a shutdown or with its last handle, in time, and with all that was recorded.

use std::future::pending;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use obs_core::{
    Error, ErrorKind, Record, Score, Signal, SpanId, Timestamp, Trace, TraceId, TraceQuery, TraceReader,
    TraceSummary,
};
use obs_instrument::pipeline::Clock;
use obs_instrument::{Observability, ObservabilityBuilder, Registry};
use obs_testkit::{Scripted, Step};

use crate::executors::block_on;

const DEADLINE: Duration = Duration::from_secs(20);
/// The time that a shutdown is given, and what it may take beyond that where many tests share a processor.
const SHORT: Duration = Duration::from_millis(600);
const SLACK: Duration = Duration::from_secs(1);

/// A store that knows nothing, or one that is out and never says so.
#[derive(Debug, Clone, Copy)]
enum Reader {
    Empty,
    Hanging,
}

#[async_trait]
impl TraceReader for Reader {
    async fn trace(&self, _: TraceId) -> Result<Option<Trace>, Error> {
        match self {
            Self::Empty => Ok(None),
            Self::Hanging => pending().await,
        }
    }

    async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
        Ok(Vec::new())
    }
}

fn reading(reader: Reader, to: &Arc<Scripted>) -> ObservabilityBuilder {
    Observability::builder("test").to_named("good", Arc::clone(to)).reader(Arc::new(reader))
}

fn judge(obs: &Observability) {
    obs.trace(TraceId::new(7).unwrap()).score("quality", 1.0);
}

fn hanging() -> Arc<Scripted> {
    Scripted::builder([]).and_then(Step::Hang).shared()
}

fn scores(destination: &Scripted) -> Vec<Score> {
    let score = |record| if let Record::Score(score) = record { Some(score) } else { None };
    destination.records().into_iter().filter_map(score).collect()
}

#[expect(clippy::disallowed_methods, reason = "it is the real time that an end takes that is tested")]
fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed())
}

#[test]
fn the_last_handle_delivers_what_is_left_and_no_other_does() {
    let kept = Scripted::new([]);
    let obs = Observability::builder("test").to(Arc::clone(&kept)).build().unwrap();
    let (other, context) = (obs.clone(), obs.context());
    obs.span("s").end();
    drop(obs);
    assert!(other.span("still recorded").is_recording());
    drop(other);
    assert_eq!(kept.delivered(Signal::Traces), 2, "without a flush of anybody's own");
    assert_eq!(kept.calls().shutdowns, 1);
    context.scope(|| assert!(Observability::current().is_none(), "a context keeps nothing alive"));
}

#[test]
fn a_guard_that_is_the_last_handle_delivers_within_its_own_deadline() {
    let hanging = hanging();
    let obs = Observability::builder("test").to(hanging).build().unwrap();
    let guard = obs.guard().with_deadline(SHORT);
    obs.span("s").end();
    drop(obs);
    let ((), took) = timed(|| drop(guard));
    assert!(took < SHORT + SLACK, "{took:?}");
}

#[test]
fn law_2_host_is_safe_from_a_last_handle_whose_reader_and_destination_hang() {
    let obs = reading(Reader::Hanging, &hanging()).build().unwrap();
    obs.span("s").end();
    judge(&obs);
    let ((), took) = timed(|| drop(obs));
    assert!(
        took < Duration::from_secs(5) + SLACK,
        "{took:?} is more than the five seconds that are promised"
    );
}

#[test]
fn law_2_host_is_safe_from_readers_that_hang_at_a_shutdown_and_after_it() {
    let registry = Registry::new();
    for name in ["one", "two", "three"] {
        let obs = reading(Reader::Hanging, &Scripted::new([])).build().unwrap();
        judge(&obs);
        registry.register(name, obs).unwrap();
    }
    let (_, took) = timed(|| registry.shutdown("one", SHORT).unwrap());
    assert!(took < SHORT + SLACK, "{took:?} for one");
    let (reports, took) = timed(|| registry.shutdown_all(SHORT));
    assert!(took < SHORT + SLACK, "{took:?} for the others");
    assert_eq!(reports.len(), 2);

    let obs = reading(Reader::Hanging, &Scripted::new([])).build().unwrap();
    judge(&obs);
    let ((), took) = timed(|| {
        obs.shutdown(SHORT);
        drop(obs);
    });
    assert!(took < SHORT + SLACK, "{took:?} with the drop");
}

#[test]
fn what_is_read_for_the_application_holds_up_no_end_and_is_not_hastened() {
    let kept = Scripted::new([]);
    let obs = reading(Reader::Hanging, &kept).build().unwrap();
    let handle = obs.trace(TraceId::new(7).unwrap());
    let under_way = Arc::new(Barrier::new(2));
    let begun = Arc::clone(&under_way);
    // It hangs for ever, as the reader does, and ends with the process.
    thread::spawn(move || {
        let mut read = Box::pin(handle.read());
        let waker = std::task::Waker::noop();
        assert!(read.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        begun.wait();
        block_on(read)
    });
    under_way.wait();
    obs.span("s").end();
    let ((), took) = timed(|| drop(obs));
    assert!(took < SLACK, "{took:?}");
    assert_eq!(kept.delivered(Signal::Traces), 1);
}

#[test]
fn law_3_isolation_of_judgements_from_a_destination_that_hangs() {
    let good = Scripted::new([]);
    let obs = reading(Reader::Empty, &good).to_named("hanging", hanging()).build().unwrap();
    obs.span("s").end();
    judge(&obs);
    let (report, took) = timed(|| obs.shutdown(SHORT * 3));
    assert!(took < SHORT * 3 + SLACK, "{took:?}");
    assert_eq!(scores(&good).len(), 1);
    assert!(report.is_balanced() && !report.complete, "{report}");
}

#[test]
fn law_1_accounting_counts_a_judgement_whose_trace_could_not_be_read_before_the_end() {
    let good = Scripted::new([]);
    let obs = reading(Reader::Hanging, &good).build().unwrap();
    judge(&obs);
    let report = obs.flush(SHORT);
    assert!(!report.complete && scores(&good).is_empty(), "it still waits: {report}");
    let report = obs.shutdown(SHORT);
    let recorded = report.intake.get(Signal::Scores);
    assert_eq!((recorded.recorded, recorded.sealed), (1, 1), "{report}");
    assert_eq!(scores(&good)[0].target.root_span_id(), None);
    judge(&obs);
    assert_eq!(obs.report().intake.get(Signal::Scores).recorded, 1, "what comes later is not recorded");
}

#[test]
fn handles_that_are_dropped_at_once_see_judgements_off() {
    /// Knows the root, and takes its time.
    #[derive(Debug)]
    struct Late;
    #[async_trait]
    impl TraceReader for Late {
        async fn trace(&self, id: TraceId) -> Result<Option<Trace>, Error> {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let root = obs_core::Span::new(id, SpanId::new(1).unwrap(), "root", Timestamp::default());
            Ok(Some(Trace { spans: vec![root], ..Trace::new(id) }))
        }
        async fn traces(&self, _: &TraceQuery) -> Result<Vec<TraceSummary>, Error> {
            Ok(Vec::new())
        }
    }
    for _ in 0..20 {
        let kept = Scripted::new([]);
        let obs =
            Observability::builder("test").to(Arc::clone(&kept)).reader(Arc::new(Late)).build().unwrap();
        judge(&obs);
        let together = Barrier::new(2);
        thread::scope(|scope| {
            for handle in [obs.clone(), obs] {
                scope.spawn(|| {
                    together.wait();
                    drop(handle);
                });
            }
        });
        assert_eq!(scores(&kept)[0].target.root_span_id(), SpanId::new(1));
    }
}

#[test]
fn a_flush_that_is_given_time_waits_for_no_more_than_it_must() {
    let good = Scripted::new([]);
    let obs = reading(Reader::Empty, &good).build().unwrap();
    obs.trace(TraceId::new(7).unwrap()).with_schedule([Duration::ZERO]).score("quality", 1.0);
    let (report, took) = timed(|| obs.flush(DEADLINE));
    assert!(report.complete && took < SLACK * 5, "{took:?}: {report}");
    assert_eq!(scores(&good).len(), 1);
}

#[test]
fn a_reader_that_never_answers_counts_as_one_that_fails() {
    let kept = Scripted::new([]);
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let obs = reading(Reader::Hanging, &kept).clock(clock).build().unwrap();
    let trace = obs.trace(TraceId::new(7).unwrap()).with_schedule([Duration::ZERO; 2]);
    trace.score("quality", 1.0);
    let error = thread::scope(|scope| {
        let read = scope.spawn(|| block_on(trace.read()));
        while !read.is_finished() {
            hand.advance(Duration::from_millis(500));
            thread::yield_now();
        }
        read.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Timeout);
    while scores(&kept).is_empty() {
        hand.advance(Duration::from_millis(500));
        thread::yield_now();
    }
    assert_eq!(scores(&kept)[0].target.root_span_id(), None);
}
