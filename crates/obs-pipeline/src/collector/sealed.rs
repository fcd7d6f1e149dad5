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
}

/// Records that can be sealed.
pub(crate) trait Seal: ByteSize + Sized {
    fn batch(segment: Arc<Vec<Self>>) -> Batch;

    /// The batch without starts of spans, where there are any.
    fn ended(_segment: &[Self], _batch: &Batch) -> Option<Batch> {
        None
    }

    fn seal(segment: &Arc<Vec<Self>>) -> Sealed {
        let batch = Self::batch(Arc::clone(segment));
        let bytes = segment.iter().map(ByteSize::byte_size).sum();
        let ended = Self::ended(segment, &batch);
        Sealed { batch, bytes, ended }
    }
}

impl Seal for SpanRecord {
    fn batch(segment: Arc<Vec<Self>>) -> Batch {
        Batch::Traces(segment.into())
    }

    fn ended(segment: &[Self], batch: &Batch) -> Option<Batch> {
        if segment.iter().all(|record| record.ended().is_some()) {
            return None;
        }
        let ended = segment.iter().enumerate().filter(|(_, record)| record.ended().is_some());
        Some(batch.select(&ended.map(|(at, _)| at).collect::<Vec<_>>()))
    }
}

macro_rules! seal {
    ($($record:ty => $signal:ident),*) => {
        $(impl Seal for $record {
            fn batch(segment: Arc<Vec<Self>>) -> Batch {
                Batch::$signal(segment.into())
            }
        })*
    };
}

seal!(Metric => Metrics, Log => Logs, Score => Scores, Feedback => Feedback);
