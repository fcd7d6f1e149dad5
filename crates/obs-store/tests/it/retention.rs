//! What is removed, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use obs_core::{Exporter, Record, Timestamp, TraceQuery};
use obs_store::{Pruned, RecordQuery, StoreExporter, StoreReader};

use crate::support::{Place, ended, export, feedback, log, metric, score, span, wait};

const SECOND: u64 = 1_000_000_000;
const ALL: RecordQuery = RecordQuery { limit: 100_000, since: None, until: None, trace_id: None };

/// A clock that tests set, in seconds.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn set(&self, seconds: u64) {
        self.0.store(seconds * SECOND, Ordering::SeqCst);
    }

    fn clock(&self) -> impl Fn() -> Timestamp + Send + 'static {
        let hand = self.clone();
        move || Timestamp::from_nanos(hand.0.load(Ordering::SeqCst))
    }
}

fn traces(reader: &StoreReader) -> Vec<u128> {
    let query = TraceQuery { limit: 100_000, ..TraceQuery::default() };
    reader.list_traces(&query).unwrap().iter().map(|summary| summary.trace_id.get()).collect()
}

#[test]
fn max_age_removes_whole_traces_and_other_records_by_their_time() {
    let (place, hand) = (Place::new(), Hand::default());
    let config = place.config().with_max_age(Duration::from_secs(100));
    hand.set(200);
    let exporter = StoreExporter::with_clock(config, hand.clock()).unwrap();
    // It has looked, and will not look again by itself while the clock stands.
    wait(exporter.prune()).unwrap();
    let at = |seconds: u64| seconds * SECOND;
    // The first trace began long ago, but is still at work; the second is over.
    let records: [Record; 14] = [
        ended(span(1, 1, at(10))),
        ended(span(1, 2, at(150))),
        log(Some(1), at(10)).into(),
        score(1, 1, at(10)).into(),
        ended(span(2, 1, at(10))),
        ended(span(2, 2, at(20))),
        log(Some(2), at(180)).into(),
        score(2, 2, at(180)).into(),
        feedback(2, 2, at(180)).into(),
        log(None, at(10)).into(),
        log(None, at(180)).into(),
        metric(at(10)).into(),
        metric(at(180)).into(),
        log(Some(3), at(10)).into(),
    ];
    export(&exporter, records);
    let pruned = wait(exporter.prune()).unwrap();
    assert_eq!(pruned, Pruned { traces: 1, spans: 2, logs: 3, metrics: 1, scores: 1, feedback: 1 });
    let reader = exporter.reader();
    assert_eq!(traces(&reader), [1]);
    assert_eq!(
        reader.find_trace(crate::support::trace_id(1)).unwrap().unwrap().logs.len(),
        1,
        "a trace stays whole"
    );
    assert_eq!((reader.list_logs(&ALL).unwrap().len(), reader.list_metrics(&ALL).unwrap().len()), (2, 1));
    assert!(wait(exporter.prune()).unwrap().is_empty());
}

#[test]
fn what_is_too_old_goes_by_itself_as_records_come() {
    let (place, hand) = (Place::new(), Hand::default());
    let config = place.config().with_max_age(Duration::from_secs(100));
    let exporter = StoreExporter::with_clock(config, hand.clock()).unwrap();
    let reader = exporter.reader();
    export(&exporter, (1..=500).map(|trace| ended(span(trace, 1, SECOND))));
    hand.set(1_000);
    // Each job lets it remove a part; a bound keeps a failure from going on for ever.
    let mut jobs = 0;
    while traces(&reader).len() > 1 && jobs < 100 {
        export(&exporter, [ended(span(1_000, 1, 1_000 * SECOND))]);
        jobs += 1;
    }
    assert_eq!(traces(&reader), [1_000]);
}

#[test]
fn max_size_removes_the_oldest_and_gives_the_space_back() {
    const LIMIT: u64 = 2_000_000;
    let place = Place::new();
    let exporter = StoreExporter::new(place.config()).unwrap();
    let text = "x".repeat(2_000);
    for trace in 1..=2_000u64 {
        let mut span = span(trace.into(), 1, trace * SECOND);
        span.input = Some(text.as_str().into());
        export(&exporter, [ended(span), log(None, trace * SECOND).into(), metric(trace * SECOND).into()]);
    }
    wait(exporter.shutdown()).unwrap();
    let before = std::fs::metadata(place.path()).unwrap().len();
    assert!(before > 2 * LIMIT, "{before}");

    let exporter = StoreExporter::new(place.config().with_max_size(LIMIT)).unwrap();
    wait(exporter.prune()).unwrap();
    let left = traces(&exporter.reader());
    let oldest = *left.last().unwrap();
    assert_eq!(left, (oldest..=2_000).rev().collect::<Vec<_>>(), "the latest are left, without gaps");
    let logs = exporter.reader().list_logs(&ALL).unwrap();
    assert!(logs.len().abs_diff(left.len()) <= 1, "{} logs and {} traces", logs.len(), left.len());
    wait(exporter.shutdown()).unwrap();
    let after = std::fs::metadata(place.path()).unwrap().len();
    assert!(after <= LIMIT && after > LIMIT / 2, "{after}");
}

#[test]
fn nothing_is_removed_unless_it_is_asked_for() {
    let place = Place::new();
    let exporter = place.exporter();
    export(&exporter, [ended(span(1, 1, 1)), metric(1).into(), log(None, 1).into()]);
    assert_eq!(wait(exporter.prune()).unwrap(), Pruned::default());
    assert_eq!(traces(&exporter.reader()), [1]);
}
