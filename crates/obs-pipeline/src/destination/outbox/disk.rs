//! What comes back from disk.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Rejection};

use super::{Outbox, Rest, Store};
use crate::collector::Sealed;
use crate::destination::entrance::Meant;
use crate::terms::dropped;
use crate::{Load, Loaded, Offer};

impl Outbox {
    /// Tells a lane on disk of a segment that holds nothing for it, so that it does not wait for it after a restart.
    pub(in crate::destination) fn skip(&mut self, sealed: &Sealed, now: Duration) {
        if let (Store::Queue(queue), Some(_)) = (&mut self.store, sealed.position)
            && queue.is_durable()
        {
            let batch = Batch::empty(self.rules.signal);
            queue.offer(Offer { batch, position: sealed.position, bytes: 0, now });
        }
    }

    /// What must be read from disk before the next batch can leave, if anything.
    pub(in crate::destination) fn load(&mut self) -> Option<Load> {
        let Store::Queue(queue) = &mut self.store else { return None };
        let load = queue.load(self.rules.limits)?;
        self.loading = true;
        Some(load)
    }

    /// Takes back what was read; `route` takes out of a segment that an earlier process sealed what is not meant for the
    /// lane.
    pub(in crate::destination) fn loaded(
        &mut self,
        rows: Vec<Loaded>,
        now: Duration,
        route: impl Fn(&Batch) -> Meant,
    ) {
        self.loading = false;
        let Store::Queue(queue) = &mut self.store else { return };
        if rows.is_empty() {
            self.rest = Some(Rest { until: now.saturating_add(Duration::from_secs(1)), asked: true });
        }
        for Loaded { position, batch, count } in rows {
            let batch = match batch {
                Ok(batch) if self.live_from.is_some_and(|from| position >= from) => {
                    match self.selections.remove(&position) {
                        Some(selected) => {
                            batch.select(&selected.iter().map(|at| *at as usize).collect::<Vec<_>>())
                        }
                        None => batch,
                    }
                }
                Ok(batch) => {
                    // Those before were delivered by the process that sealed it.
                    let done = batch.len().saturating_sub(count);
                    let meant = route(&batch);
                    meant.count(&mut self.ledger);
                    meant.batch.slice(done..meant.batch.len())
                }
                Err(error) => {
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
