//! What comes back from disk.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Rejection};

use super::{Outbox, Rest, Store};
use crate::collector::Sealed;
use crate::destination::entrance::Meant;
use crate::terms::dropped;
use crate::{Awaited, Load, Loaded, Offer};

impl Outbox {
    /// Tells a lane on disk of a segment that holds nothing for it, so that it does not wait for it after a restart.
    pub(in crate::destination) fn skip(&mut self, sealed: &Sealed, now: Duration) {
        if let (Store::Queue(queue), Some(_), true) =
            (&mut self.store, sealed.position, self.parked.is_empty())
            && queue.is_durable()
        {
            let batch = Batch::empty(self.rules.signal);
            queue.offer(Offer { batch, position: sealed.position, selection: None, bytes: 0, now });
        }
    }

    /// What must be read from disk before the next batch can leave, if anything.
    pub(in crate::destination) fn load(&mut self) -> Option<Load> {
        let Store::Queue(queue) = &mut self.store else { return None };
        let load = queue.load(self.rules.limits)?;
        self.loading = true;
        Some(load)
    }

    /// Whether the route must be asked about a row that was read.
    pub(in crate::destination) fn is_unrouted(&self, position: u64) -> bool {
        matches!(&self.store, Store::Queue(queue) if queue.awaits(position) == Some(Awaited::Unrouted))
    }

    /// Takes back what was read, each row with what the route says where it was asked.
    pub(in crate::destination) fn loaded(&mut self, rows: Vec<(Loaded, Option<Meant>)>, now: Duration) {
        // What was abandoned meanwhile is accounted for.
        if !std::mem::take(&mut self.loading) {
            return;
        }
        let Store::Queue(queue) = &mut self.store else { return };
        if rows.is_empty() {
            self.rest = Some(Rest { until: now.saturating_add(Duration::from_secs(1)), asked: true });
        }
        for (Loaded { position, batch, count }, meant) in rows {
            let batch = match (batch, queue.awaits(position), meant) {
                (_, None, _) | (Ok(_), Some(Awaited::Unrouted), None) => continue,
                (Ok(batch), Some(Awaited::Whole), _) => batch,
                (Ok(batch), Some(Awaited::Selected(places)), _) => {
                    batch.select(&places.iter().map(|at| *at as usize).collect::<Vec<_>>())
                }
                (Ok(batch), Some(Awaited::Unrouted), Some(meant)) => {
                    // Those before were delivered by the process that sealed it.
                    let done = batch.len().saturating_sub(count);
                    let kept = meant.batch.slice(done..meant.batch.len());
                    meant.count_rest(&mut self.ledger, count.saturating_sub(kept.len()));
                    kept
                }
                (Err(error), Some(_), _) => {
                    self.ledger.dropped(dropped::DAMAGED, count);
                    let empty = Batch::empty(self.rules.signal);
                    let damaged = Rejection::of(empty.clone(), ErrorKind::Io, error.message());
                    let unsaid = Rejection { records: None, count: 0, ..damaged };
                    self.refused.get_or_insert(unsaid).count += count;
                    empty
                }
            };
            let bytes = batch.byte_size();
            queue.loaded(position, batch, bytes);
        }
    }
}
