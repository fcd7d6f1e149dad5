//! Halves a batch until the poison stands alone.

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, ErrorKind, Exporter, Health, Receipt, Rejection, shortened};

/// A decorator that halves a batch refused for its content, so that one bad record does not sink the others.
///
/// It spends at most its budget of requests on a batch, and ends after `2·(⌊log2 n⌋ + 1)` requests without any delivery,
/// so that a backend that refuses everything is not stormed.
/// What was not tried alone by then is rejected as [`ErrorKind::SplitBudget`].
/// A lone record that is too large is tried once more with its longest text cut to 1 KiB and a mark.
/// Trouble of the destination itself passes through, with all that is left.
#[derive(Debug)]
pub struct Split<E> {
    inner: E,
    budget: usize,
}

impl<E: Exporter> Split<E> {
    /// Splits before `inner`, with at most `budget` requests a batch.
    pub fn new(inner: E, budget: usize) -> Self {
        Self { inner, budget: budget.max(1) }
    }
}

/// How many requests may pass before the first delivery.
fn patience(records: usize) -> usize {
    2 * (records.max(1).ilog2() as usize + 1)
}

#[async_trait]
impl<E: Exporter> Exporter for Split<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let (mut total, mut parts, mut requests) = (Receipt::default(), vec![batch.clone()], 0);
        while let Some(part) = parts.pop() {
            requests += 1;
            let error = match self.inner.export(&part).await {
                Ok(receipt) => {
                    total.absorb(receipt);
                    continue;
                }
                Err(error) => error,
            };
            let (settled, error) = error.take_settled();
            total.absorb(settled);
            let left = error.undelivered().clone();
            if !error.kind().is_content() {
                return Err(error.with_undelivered(together(left, parts)).with_settled(total));
            }
            let why =
                format!("given up after {requests} requests, the last one refused: {}", error.message());
            if error.kind() == ErrorKind::TooLarge
                && let Some(short) = (left.len() == 1).then(|| shortest(&left)).flatten()
            {
                requests += 1;
                match self.inner.export(&short).await {
                    Ok(receipt) => total.absorb(receipt),
                    Err(again) if again.undelivered().is_empty() => total.absorb(again.into_rejection(2)),
                    Err(again) if again.kind().is_content() => total.absorb(error.into_rejection(2)),
                    Err(again) => {
                        return Err(again.with_undelivered(together(left, parts)).with_settled(total));
                    }
                }
            } else if left.len() <= 1 {
                total.absorb(error.into_rejection(1));
            } else {
                let (first, second) = left.halves();
                parts.extend([second, first]);
            }
            let hopeless = total.delivered == 0 && requests >= patience(batch.len());
            if requests >= self.budget || hopeless {
                let rest = together(Batch::empty(batch.signal()), std::mem::take(&mut parts));
                total.rejected.push(Rejection::of(rest, ErrorKind::SplitBudget, why));
            }
        }
        total.rejected.retain(|rejection| rejection.count > 0);
        Ok(total)
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

/// A copy of a lone record with as much of its longest text cut as may be.
fn shortest(lone: &Batch) -> Option<Batch> {
    let record = lone.to_records().pop()?;
    Batch::group([shortened(&record, 0)?]).pop()
}

/// What is left in the order it came: the part that failed, then those not tried.
fn together(mut left: Batch, parts: Vec<Batch>) -> Batch {
    for part in parts.into_iter().rev() {
        let joined = left.append(part);
        debug_assert!(joined.is_ok(), "the parts of a batch are of one signal");
    }
    left
}
