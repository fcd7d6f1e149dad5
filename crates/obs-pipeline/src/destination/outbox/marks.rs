//! Flushes: how far what is here must have left.

use super::Outbox;

impl Outbox {
    /// From now on batches leave at once until all that is here now has left.
    pub(in crate::destination) fn flush(&mut self) {
        self.flush_to = self.mark();
    }

    /// Marks all that is here now for the flush after the one under way, which it must not move.
    pub(in crate::destination) fn flush_next(&mut self) {
        self.flush_next = Some(self.mark());
    }

    /// The flush under way is done: the next one begins.
    pub(in crate::destination) fn next_flush(&mut self) {
        if let Some(mark) = self.flush_next.take() {
            self.flush_to = mark;
        }
    }

    /// The end of all that is here, in records that ever entered.
    fn mark(&self) -> u64 {
        self.entered + self.parked.iter().map(|parked| parked.batch.len() as u64).sum::<u64>()
    }

    /// Whether all that was here at the last flush has left.
    pub(in crate::destination) fn is_flushed(&self) -> bool {
        self.doomed.count() == 0
            && self.entered - self.waiting() >= self.flush_to
            && self.head_from.is_none_or(|from| from >= self.flush_to)
    }
}
