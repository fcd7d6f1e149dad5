//! Batches: records of one signal.

use std::ops::Range;
use std::ptr;

use crate::{ByteSize, Feedback, Limits, Log, Metric, Record, Records, Score, Signal, SpanRecord};

/// Records of one signal, as an exporter is given them.
///
/// Cloning, joining and splitting copy no record.
#[derive(Debug, Clone, PartialEq)]
pub enum Batch {
    /// Spans.
    Traces(Records<SpanRecord>),
    /// Measurements and series.
    Metrics(Records<Metric>),
    /// Log records.
    Logs(Records<Log>),
    /// Evaluation results.
    Scores(Records<Score>),
    /// What people said.
    Feedback(Records<Feedback>),
}

macro_rules! each {
    ($batch:expr, $records:ident => $body:expr) => {
        match $batch {
            Batch::Traces($records) => $body,
            Batch::Metrics($records) => $body,
            Batch::Logs($records) => $body,
            Batch::Scores($records) => $body,
            Batch::Feedback($records) => $body,
        }
    };
}

macro_rules! same {
    ($batch:expr, $records:ident => $body:expr) => {
        match $batch {
            Batch::Traces($records) => Batch::Traces($body),
            Batch::Metrics($records) => Batch::Metrics($body),
            Batch::Logs($records) => Batch::Logs($body),
            Batch::Scores($records) => Batch::Scores($body),
            Batch::Feedback($records) => Batch::Feedback($body),
        }
    };
}

impl Batch {
    /// A batch of this signal without records.
    pub const fn empty(signal: Signal) -> Self {
        match signal {
            Signal::Traces => Self::Traces(Records::new()),
            Signal::Metrics => Self::Metrics(Records::new()),
            Signal::Logs => Self::Logs(Records::new()),
            Signal::Scores => Self::Scores(Records::new()),
            Signal::Feedback => Self::Feedback(Records::new()),
        }
    }

    /// The signal.
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Traces(_) => Signal::Traces,
            Self::Metrics(_) => Signal::Metrics,
            Self::Logs(_) => Signal::Logs,
            Self::Scores(_) => Signal::Scores,
            Self::Feedback(_) => Signal::Feedback,
        }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        each!(self, records => records.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes of memory the records take; walks them all.
    pub fn byte_size(&self) -> usize {
        each!(self, records => records.iter().map(ByteSize::byte_size).sum())
    }

    /// How many records from the front are within the limits together; none where the first is beyond them.
    pub fn fitting(&self, limits: Limits) -> usize {
        let mut room = limits.bytes;
        let mut fits = |bytes: usize| {
            let left = room.checked_sub(bytes);
            room = left.unwrap_or(0);
            left.is_some()
        };
        each!(self, records => {
            records.iter().take(limits.items).take_while(|record| fits(record.byte_size())).count()
        })
    }

    /// Where each record lies in memory, in order: which record is which, without copying any.
    ///
    /// Segments are shared, so that a clone, a slice and a selection have the same addresses; they are of use for as long
    /// as one of those lives, since later records may be given them again.
    pub fn addresses(&self) -> Vec<usize> {
        each!(self, records => records.iter().map(|record| ptr::from_ref(record).addr()).collect())
    }

    /// The records at these positions; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, wanted: Range<usize>) -> Self {
        same!(self, records => records.slice(wanted))
    }

    /// The records at these positions in this order; what lies beyond the end is left out.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        same!(self, records => records.select(positions))
    }

    /// The first half, rounded down, and the rest.
    #[must_use]
    pub fn halves(&self) -> (Self, Self) {
        let middle = self.len() / 2;
        (self.slice(0..middle), self.slice(middle..self.len()))
    }

    /// Joins `other` on at the end.
    ///
    /// # Errors
    /// A batch of another signal comes back, unless it is empty.
    pub fn append(&mut self, other: Self) -> Result<(), Self> {
        match (self, other) {
            (Self::Traces(a), Self::Traces(b)) => a.append(b),
            (Self::Metrics(a), Self::Metrics(b)) => a.append(b),
            (Self::Logs(a), Self::Logs(b)) => a.append(b),
            (Self::Scores(a), Self::Scores(b)) => a.append(b),
            (Self::Feedback(a), Self::Feedback(b)) => a.append(b),
            (_, other) if other.is_empty() => {}
            (_, other) => return Err(other),
        }
        Ok(())
    }

    /// Joins `other` on at the end, where both are known to be of one signal, as in a queue.
    ///
    /// # Panics
    /// In debug builds, where they are not; else the other's records are left out.
    pub fn join(&mut self, other: Self) {
        let joined = self.append(other);
        debug_assert!(joined.is_ok(), "only batches of one signal are joined");
    }

    /// Copies of the records, one by one; for tests, tools and readers.
    pub fn to_records(&self) -> Vec<Record> {
        each!(self, records => records.iter().cloned().map(Record::from).collect())
    }

    /// Batches of these records, at most one a signal, in the order of the signals.
    pub fn group(records: impl IntoIterator<Item = Record>) -> Vec<Self> {
        let (mut spans, mut metrics, mut logs, mut scores, mut feedback) =
            (vec![], vec![], vec![], vec![], vec![]);
        for record in records {
            match record {
                Record::Span(record) => spans.push(record),
                Record::Metric(record) => metrics.push(record),
                Record::Log(record) => logs.push(record),
                Record::Score(record) => scores.push(record),
                Record::Feedback(record) => feedback.push(record),
            }
        }
        let batches = [
            Self::Traces(spans.into()),
            Self::Metrics(metrics.into()),
            Self::Logs(logs.into()),
            Self::Scores(scores.into()),
            Self::Feedback(feedback.into()),
        ];
        batches.into_iter().filter(|batch| !batch.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, Timestamp};

    fn logs(count: usize) -> Batch {
        Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
    }

    #[test]
    fn halves_are_the_whole() {
        for count in 0..5 {
            let (mut a, b) = logs(count).halves();
            assert_eq!((a.len(), b.len()), (count / 2, count - count / 2));
            a.append(b).unwrap();
            assert_eq!(a, logs(count));
        }
    }

    #[test]
    fn another_signal_comes_back() {
        let mut scores = Batch::empty(Signal::Scores);
        assert_eq!(scores.append(logs(2)).unwrap_err().len(), 2);
        assert!(scores.append(logs(0)).is_ok());
        assert!(Signal::ALL.iter().all(|signal| Batch::empty(*signal).signal() == *signal));
    }

    #[test]
    fn what_fits_is_as_much_from_the_front_as_both_limits_let_through() {
        let all = logs(5);
        let one = all.byte_size() / 5;
        for (items, bytes, fitting) in [
            (usize::MAX, usize::MAX, 5),
            (3, usize::MAX, 3),
            (0, usize::MAX, 0),
            (usize::MAX, one * 2, 2),
            (usize::MAX, one * 3 - 1, 2),
            (1, one * 3, 1),
            (usize::MAX, one - 1, 0),
        ] {
            assert_eq!(all.fitting(Limits { items, bytes }), fitting, "{items} items, {bytes} bytes");
        }
        let Batch::Logs(mut records) = all else { panic!("logs") };
        records
            .append((0..1).map(|_| Log::new(Timestamp::default(), Level::Info, "m".repeat(9_000))).collect());
        records.append((0..1).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect());
        let bytes = one * 7;
        let limits = Limits { items: usize::MAX, bytes };
        assert_eq!(
            Batch::Logs(records).fitting(limits),
            5,
            "a small one behind a large one does not pass it"
        );
    }

    #[test]
    fn a_record_has_the_same_address_in_all_that_share_it_and_no_other_has_it() {
        let mut all = logs(4);
        all.join(logs(4));
        let known = all.addresses();
        assert_eq!(known.iter().collect::<std::collections::HashSet<_>>().len(), 8);
        assert_eq!(all.clone().addresses(), known);
        assert_eq!(all.slice(2..6).addresses(), known[2..6]);
        assert_eq!(all.select(&[7, 0, 3]).addresses(), [known[7], known[0], known[3]]);
    }

    #[test]
    fn grouping_keeps_the_order_within_a_signal() {
        let records = logs(3).to_records();
        let groups = Batch::group(records.clone());
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].to_records(), records);
    }
}
