//! Where records go that no destination will take.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, Exporter, Rejection};

/// A place for rejected records.
#[async_trait]
pub trait DeadLetters: Debug + Send + Sync + 'static {
    /// Keeps the records of a rejection by the destination of this name, and why it rejected them.
    ///
    /// A rejection without records is kept as its count and reason, where the place has a form for that.
    ///
    /// # Errors
    /// When the place cannot take all of them; they then stay rejected, with the trouble told beside the reason.
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error>;
}

/// Any exporter as a write-only place for dead letters: it keeps the records, not the reasons.
#[derive(Debug, Clone)]
pub struct ExporterDeadLetters(Arc<dyn Exporter>);

impl ExporterDeadLetters {
    /// Puts dead letters where this exporter delivers.
    pub fn new(exporter: impl Exporter) -> Self {
        Self(Arc::new(exporter))
    }
}

#[async_trait]
impl DeadLetters for ExporterDeadLetters {
    async fn put(&self, _destination: &str, rejection: &Rejection) -> Result<(), Error> {
        match &rejection.records {
            Some(batch) => {
                let receipt = self.0.export(batch).await?;
                match receipt.rejected.into_iter().next() {
                    None => Ok(()),
                    Some(first) => Err(Error::without_records(first.kind, first.reason)),
                }
            }
            None => Ok(()),
        }
    }
}
