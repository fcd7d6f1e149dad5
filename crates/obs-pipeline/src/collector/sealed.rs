//! What the collector offers to every destination.

use std::sync::Arc;

use obs_core::{Batch, ByteSize, Feedback, Log, Metric, Score, SpanRecord};

/// A segment that nothing changes any more.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) batch: Batch,
    /// What it keeps alive in memory.
    pub(crate) bytes: usize,
    /// The batch without starts of spans, where there are any.
    pub(crate) ended: Option<Batch>,
    /// Its place in the log on disk, where a lane keeps it there.
    pub(crate) position: Option<u64>,
}

impl Sealed {
    /// A batch that has no place on disk.
    pub(crate) fn of(batch: Batch) -> Self {
        Self { bytes: batch.byte_size(), ended: without_starts(&batch), position: None, batch }
    }
}

/// The batch without starts of spans, where there are any.
pub(crate) fn without_starts(batch: &Batch) -> Option<Batch> {
    let Batch::Traces(records) = batch else { return None };
    if records.iter().all(|record| record.ended().is_some()) {
        return None;
    }
    let ended = records.iter().enumerate().filter(|(_, record)| record.ended().is_some());
    Some(batch.select(&ended.map(|(at, _)| at).collect::<Vec<_>>()))
}

/// Records that can be sealed.
pub(crate) trait Seal: ByteSize + Sized {
    fn seal(segment: &Arc<Vec<Self>>) -> Sealed;
}

macro_rules! seal {
    ($($record:ty => $signal:ident),*) => {
        $(impl Seal for $record {
            fn seal(segment: &Arc<Vec<Self>>) -> Sealed {
                Sealed::of(Batch::$signal(Arc::clone(segment).into()))
            }
        })*
    };
}

seal!(SpanRecord => Traces, Metric => Metrics, Log => Logs, Score => Scores, Feedback => Feedback);
