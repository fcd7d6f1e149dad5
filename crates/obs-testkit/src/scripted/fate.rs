//! What becomes of single records, whatever batch they come in.

use std::fmt;

use obs_core::{Batch, ErrorKind, Receipt, Record, Rejection};

/// What becomes of one record of a [`Scripted`](super::Scripted) exporter's.
///
/// It goes by the record and not by its place, so that what layers above re-cut and try again ends as foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is delivered.
    Deliver,
    /// It is taken over, as by a queue.
    Queue,
    /// It is rejected, with this kind, where a step would deliver it; the others of its batch are not touched.
    Reject(ErrorKind),
    /// It spoils its batch, which is refused as a whole with an error of this kind, before any step.
    Poison(ErrorKind),
}

type Judge = dyn Fn(&Record) -> Fate + Send + Sync;

/// The fates of records: to be delivered, unless someone judges.
#[derive(Default)]
pub(super) struct Fates(Option<Box<Judge>>);

impl fmt::Debug for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Fates(by record)" } else { "Fates(deliver)" })
    }
}

impl Fates {
    pub(super) fn new(judge: impl Fn(&Record) -> Fate + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(judge)))
    }

    /// The kind of the error that refuses the batch, if a record spoils it.
    pub(super) fn poison(&self, batch: &Batch) -> Option<ErrorKind> {
        let judge = self.0.as_ref()?;
        batch.to_records().iter().find_map(|record| match judge(record) {
            Fate::Poison(kind) => Some(kind),
            _ => None,
        })
    }

    /// What arrives of records that a step delivers, and what becomes of them all.
    pub(super) fn settle(&self, batch: Batch) -> (Batch, Receipt) {
        let Some(judge) = &self.0 else {
            let receipt = Receipt::delivered(batch.len());
            return (batch, receipt);
        };
        let (mut passed, mut receipt) = (Vec::with_capacity(batch.len()), Receipt::default());
        for (at, record) in batch.to_records().iter().enumerate() {
            match judge(record) {
                Fate::Deliver => receipt.delivered += 1,
                Fate::Queue => receipt.queued += 1,
                Fate::Reject(kind) | Fate::Poison(kind) => {
                    let refused = batch.select(&[at]);
                    receipt.rejected.push(Rejection::of(refused, kind, "its fate says so"));
                    continue;
                }
            }
            passed.push(at);
        }
        (batch.select(&passed), receipt)
    }
}
