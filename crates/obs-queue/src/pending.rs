//! Segments that the disk does not have yet.

use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use obs_core::{Batch, Feedback, Log, Metric, Records, Score, Signal, SpanRecord, Timestamp};

/// A segment that waits for the writer.
///
/// It keeps no memory alive: as long as a lane wants the records, the lane holds them, and what no lane wants any more
/// need not be written.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) position: u64,
    pub(crate) signal: Signal,
    pub(crate) items: usize,
    pub(crate) sealed_at: Timestamp,
    /// When it came, on the writer's clock.
    pub(crate) since: Duration,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Traces(Weak<Vec<SpanRecord>>, Range<usize>),
    Metrics(Weak<Vec<Metric>>, Range<usize>),
    Logs(Weak<Vec<Log>>, Range<usize>),
    Scores(Weak<Vec<Score>>, Range<usize>),
    Feedback(Weak<Vec<Feedback>>, Range<usize>),
    /// A rope of several segments, of which lanes may have let go some: places in a row must not move.
    Rope(Batch),
}

fn only<T>(records: &Records<T>) -> Option<(Weak<Vec<T>>, Range<usize>)> {
    let mut segments = records.segments();
    let (segment, range) = segments.next()?;
    segments.next().is_none().then(|| (Arc::downgrade(segment), range))
}

fn again<T>(segment: &Weak<Vec<T>>, range: &Range<usize>) -> Option<Records<T>> {
    Some(Records::from(segment.upgrade()?).slice(range.clone()))
}

impl Pending {
    pub(crate) fn new(position: u64, batch: &Batch, sealed_at: Timestamp, since: Duration) -> Self {
        let held = match batch {
            Batch::Traces(records) => only(records).map(|(segment, range)| Held::Traces(segment, range)),
            Batch::Metrics(records) => only(records).map(|(segment, range)| Held::Metrics(segment, range)),
            Batch::Logs(records) => only(records).map(|(segment, range)| Held::Logs(segment, range)),
            Batch::Scores(records) => only(records).map(|(segment, range)| Held::Scores(segment, range)),
            Batch::Feedback(records) => only(records).map(|(segment, range)| Held::Feedback(segment, range)),
        };
        let held = held.unwrap_or_else(|| Held::Rope(batch.clone()));
        Self { position, signal: batch.signal(), items: batch.len(), sealed_at, since, held }
    }

    /// The records, if anybody still wants them.
    pub(crate) fn batch(&self) -> Option<Batch> {
        match &self.held {
            Held::Traces(segment, range) => again(segment, range).map(Batch::Traces),
            Held::Metrics(segment, range) => again(segment, range).map(Batch::Metrics),
            Held::Logs(segment, range) => again(segment, range).map(Batch::Logs),
            Held::Scores(segment, range) => again(segment, range).map(Batch::Scores),
            Held::Feedback(segment, range) => again(segment, range).map(Batch::Feedback),
            Held::Rope(batch) => Some(batch.clone()),
        }
    }

    /// Whether nobody holds the records any more.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.held {
            Held::Traces(segment, _) => segment.strong_count() == 0,
            Held::Metrics(segment, _) => segment.strong_count() == 0,
            Held::Logs(segment, _) => segment.strong_count() == 0,
            Held::Scores(segment, _) => segment.strong_count() == 0,
            Held::Feedback(segment, _) => segment.strong_count() == 0,
            Held::Rope(batch) => batch.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Level;

    use super::*;

    fn logs(count: usize) -> Batch {
        Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
    }

    #[test]
    fn what_nobody_holds_is_gone_and_what_a_lane_holds_is_whole() {
        let whole = logs(5);
        let pending = Pending::new(1, &whole, Timestamp::default(), Duration::ZERO);
        let lane = whole.select(&[3]);
        drop(whole);
        assert_eq!(pending.batch().map(|batch| batch.len()), Some(5));
        drop(lane);
        assert!(pending.is_gone() && pending.batch().is_none());
    }

    #[test]
    fn a_rope_stays_whole() {
        let mut rope = logs(2);
        rope.append(logs(3)).unwrap();
        let pending = Pending::new(1, &rope, Timestamp::default(), Duration::ZERO);
        drop(rope);
        assert_eq!(pending.batch().map(|batch| batch.len()), Some(5));
    }
}
