//! What a shard holds: records by signal, in chunks that are recycled.

use obs_core::{Feedback, Log, Metric, Score, Signal, SpanRecord};

/// How many records a chunk has room for: 90 KiB of spans, which the allocator serves without fresh pages.
pub(crate) const CHUNK: usize = 128;

/// A record type that a shard has a buffer for.
pub(crate) trait Item: Sized {
    const SIGNAL: Signal;

    fn buffer(buffers: &mut Buffers) -> &mut Buffer<Self>;
}

/// The records of one signal.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    active: Vec<T>,
    /// The bytes that the active chunk's records take.
    bytes: usize,
    full: Vec<Chunk<T>>,
    /// Empty chunks that the collector put here for reuse.
    spares: Vec<Vec<T>>,
}

/// Records of one signal, and the bytes of the intake they hold.
#[derive(Debug)]
pub(crate) struct Chunk<T> {
    pub(crate) records: Vec<T>,
    pub(crate) bytes: usize,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { active: Vec::new(), bytes: 0, full: Vec::new(), spares: Vec::new() }
    }
}

impl<T> Buffer<T> {
    /// The active chunk, with room for one more record of this size.
    #[inline]
    pub(crate) fn room(&mut self, bytes: usize) -> &mut Vec<T> {
        if self.active.len() == self.active.capacity() {
            self.make_room();
        }
        self.bytes += bytes;
        &mut self.active
    }

    /// Small chunks grow; a full one steps aside for a spare.
    #[cold]
    fn make_room(&mut self) {
        let known = self.active.capacity();
        if known < CHUNK {
            self.active.reserve_exact((known * 2).clamp(4, CHUNK) - known);
            return;
        }
        let next = self.spares.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        let records = std::mem::replace(&mut self.active, next);
        self.full.push(Chunk { records, bytes: std::mem::take(&mut self.bytes) });
    }

    fn len(&self) -> usize {
        self.active.len() + self.full.iter().map(|chunk| chunk.records.len()).sum::<usize>()
    }

    /// Moves all records out; a nearly empty chunk is copied, so that it can be reused at once.
    pub(crate) fn take(&mut self, into: &mut Chunks<T>, spares: &mut Spares<T>) {
        let taken = self.full.len();
        into.whole.append(&mut self.full);
        let bytes = std::mem::take(&mut self.bytes);
        if self.active.len() > CHUNK / 2 {
            let records = std::mem::replace(&mut self.active, spares.take().unwrap_or_default());
            into.whole.push(Chunk { records, bytes });
        } else {
            into.rest.bytes += bytes;
            into.rest.records.append(&mut self.active);
        }
        while self.spares.len() < taken.min(SPARES_PER_SHARD)
            && let Some(spare) = spares.take()
        {
            self.spares.push(spare);
        }
    }
}

/// How many empty chunks may wait in one shard: enough for 2,000 spans between two visits of the collector.
const SPARES_PER_SHARD: usize = 16;

/// What the collector took from the shards, of one signal.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    pub(crate) whole: Vec<Chunk<T>>,
    /// The records of nearly empty chunks, together.
    pub(crate) rest: Chunk<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { whole: Vec::new(), rest: Chunk { records: Vec::new(), bytes: 0 } }
    }
}

impl<T> Chunks<T> {
    /// All of it, chunk by chunk; the whole ones first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Chunk<T>> {
        let rest = std::mem::replace(&mut self.rest, Chunk { records: Vec::new(), bytes: 0 });
        self.whole.drain(..).chain(Some(rest).filter(|rest| !rest.records.is_empty()))
    }
}

/// Empty chunks for reuse: fresh memory is what costs most, about 2 µs a page.
#[derive(Debug)]
pub(crate) struct Spares<T>(Vec<Vec<T>>);

/// How many empty chunks of a signal wait in the collector.
const SPARES: usize = 64;

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Spares<T> {
    fn take(&mut self) -> Option<Vec<T>> {
        self.0.pop()
    }

    /// How many records a chunk worth keeping has room for.
    #[cfg(test)]
    pub(crate) const CHUNK: usize = CHUNK;

    /// How many empty chunks wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a chunk is worth keeping: full-grown, so that a shard never has to grow it.
    pub(crate) fn fits(chunk: &Vec<T>) -> bool {
        chunk.capacity() == CHUNK
    }

    /// Takes a chunk whose records are done with; small ones are not worth keeping.
    pub(crate) fn give(&mut self, mut chunk: Vec<T>) {
        if Self::fits(&chunk) && self.0.len() < SPARES {
            chunk.clear();
            self.0.push(chunk);
        }
    }
}

/// What one thread recorded since the collector's last visit.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) spans: Buffer<SpanRecord>,
    pub(crate) metrics: Buffer<Metric>,
    pub(crate) logs: Buffer<Log>,
    pub(crate) scores: Buffer<Score>,
    pub(crate) feedback: Buffer<Feedback>,
    /// Records that came, those that were dropped included.
    pub(crate) recorded: [u64; Signal::COUNT],
    /// Records for which there was no room.
    pub(crate) dropped: [u64; Signal::COUNT],
    /// Bytes that are reserved for this shard and not used yet.
    pub(crate) credit: usize,
    /// How often bytes were reserved.
    pub(crate) portions: u32,
    /// Nobody collects any more: records are ignored.
    pub(crate) closed: bool,
}

impl Buffers {
    /// How many records wait, by signal.
    pub(crate) fn pending(&self) -> [u64; Signal::COUNT] {
        let Self { spans, metrics, logs, scores, feedback, .. } = self;
        [spans.len(), metrics.len(), logs.len(), scores.len(), feedback.len()].map(|count| count as u64)
    }
}

macro_rules! items {
    ($($item:ty => $signal:ident $field:ident),*) => {
        $(impl Item for $item {
            const SIGNAL: Signal = Signal::$signal;

            #[inline]
            fn buffer(buffers: &mut Buffers) -> &mut Buffer<Self> {
                &mut buffers.$field
            }
        })*
    };
}

items!(
    SpanRecord => Traces spans,
    Metric => Metrics metrics,
    Log => Logs logs,
    Score => Scores scores,
    Feedback => Feedback feedback
);
