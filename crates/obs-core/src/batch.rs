//! Batches: records of one signal.

use std::ops::Range;

use crate::{ByteSize, Feedback, Log, Metric, Record, Records, Score, Signal, SpanRecord};

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
    fn grouping_keeps_the_order_within_a_signal() {
        let records = logs(3).to_records();
        let groups = Batch::group(records.clone());
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].to_records(), records);
    }
}
