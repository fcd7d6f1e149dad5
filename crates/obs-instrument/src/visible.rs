//! Takes out what was recorded for its numbers alone, after they were counted.

use obs_core::{Signal, Signals, SpanRecord};
use obs_pipeline::{Emit, Processor, Segment};

/// The bit of a span's trace flags that says somebody is to see it.
pub(crate) const SAMPLED: u8 = 1;

/// The bit of the trace flags of a hidden span, beside [`SAMPLED`] switched off; no such record gets past [`Unseen`], so
/// that no wire ever carries it.
pub(crate) const HIDDEN: u8 = 1 << 7;

/// Why a span is not to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// Its trace is not sampled; it was recorded to be measured.
    Unsampled,
    /// Its type is excluded, or it is internal.
    Hidden,
}

impl Unseen {
    fn takes(self, record: &SpanRecord) -> bool {
        let flags = record.span().trace_flags;
        match self {
            Self::Unsampled => flags & (SAMPLED | HIDDEN) == 0,
            Self::Hidden => flags & (SAMPLED | HIDDEN) == HIDDEN,
        }
    }
}

impl Processor for Unseen {
    fn name(&self) -> &str {
        match self {
            Self::Unsampled => "unsampled",
            Self::Hidden => "hidden",
        }
    }

    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, records: &mut Segment, _: &mut Emit) {
        if records.signal() != Signal::Traces {
            return;
        }
        if let Segment::Traces(spans) = records {
            // Most segments have none, and moving records that stay would cost the others.
            if spans.iter().any(|record| self.takes(record)) {
                spans.retain(|record| !self.takes(record));
            }
        }
    }
}
