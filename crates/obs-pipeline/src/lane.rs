//! The standard stack below a queue.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt};

use crate::{Clock, LaneConfig, Split, Timeout, Unwind};

/// Every decorator between a queue and a leaf, in the order that works: `Split ▶ Timeout ▶ Unwind ▶ leaf`.
///
/// It is an exporter itself, for use without a pipeline.
#[derive(Debug)]
pub struct Lane {
    stack: Arc<dyn Exporter>,
}

impl Lane {
    /// Puts the stack before `leaf`.
    pub fn build(config: &LaneConfig, leaf: impl Exporter, clock: &Clock) -> Self {
        let leaf = Timeout::new(Unwind::new(leaf), config.export_timeout, clock.clone());
        Self { stack: Arc::new(Split::new(leaf, config.split_budget)) }
    }
}

#[async_trait]
impl Exporter for Lane {
    fn descriptor(&self) -> &Descriptor {
        self.stack.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.stack.export(batch).await
    }

    async fn check(&self) -> Health {
        self.stack.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.stack.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.stack.shutdown().await
    }
}
