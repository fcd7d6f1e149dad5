//! The standard stack below a queue.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt, Signal};

use crate::haste::Haste;
use crate::{
    Breaker, BreakerHandle, BreakerState, Clock, DeadLetter, DestinationSpec, ExportStats, Fallback, Inspect,
    LastError, LastResult, Monitor, Monitored, RateLimit, Retry, Split, Timeout, Unwind,
};

/// Every decorator between a queue and a leaf, in the order that works:
/// `DeadLetter ▶ Fallback ▶ Split ▶ Retry ▶ Breaker ▶ RateLimit ▶ Timeout ▶ Monitored ▶ Inspect ▶ Unwind ▶ leaf`.
///
/// It is an exporter itself, for use without a pipeline.
/// A layer for which nothing is set is not there.
#[derive(Debug)]
pub struct Lane {
    stack: Arc<dyn Exporter>,
    haste: Haste,
    monitor: Monitor,
    breaker: BreakerHandle,
}

impl Lane {
    /// Puts the stack before an exporter; the name, the options, the fallbacks and the dead letters are the spec's, its
    /// route and what it does about alerts are the pipeline's.
    pub fn build(destination: impl Into<DestinationSpec>, clock: &Clock) -> Self {
        let spec = destination.into();
        let dead_letters = spec.timed_letters(clock);
        let DestinationSpec { name, exporter, config, fallbacks, .. } = spec;
        let leaf: Arc<dyn Exporter> = if config.inspect.is_on() {
            Arc::new(Inspect::new(Unwind::new(exporter), config.inspect, clock.clone()))
        } else {
            Arc::new(Unwind::new(exporter))
        };
        let monitored = Monitored::new(leaf, config.monitor_config, clock.clone());
        let monitor = monitored.handle();
        let timeout = Timeout::new(monitored, config.export_timeout, clock.clone());
        let limited = RateLimit::new(timeout, config.rate_limit, clock.clone());
        let haste = Haste::new();
        let breaker = Breaker::new(limited, config.circuit_breaker, clock.clone()).with_haste(haste.clone());
        let handle = breaker.handle();
        let retry = Retry::new(breaker, config.retry_config, clock.clone()).with_haste(haste.clone());
        let mut stack: Arc<dyn Exporter> = Arc::new(Split::new(retry, config.split_budget));
        if !fallbacks.is_empty() {
            let guarded = |(name, exporter)| {
                let guarded = Timeout::new(Unwind::new(exporter), config.export_timeout, clock.clone());
                let exporter: Arc<dyn Exporter> = Arc::new(Split::new(guarded, config.split_budget));
                (name, exporter)
            };
            let fallbacks = fallbacks.into_iter().map(guarded).collect();
            stack = Arc::new(Fallback::new(stack, fallbacks, config.fallback_on_auth));
        }
        if let Some(dead_letters) = dead_letters {
            stack = Arc::new(DeadLetter::new(stack, name, dead_letters));
        }
        Self { stack, haste, monitor, breaker: handle }
    }

    /// From now on nothing sleeps between attempts: the end is near.
    pub fn hurry(&self) {
        self.haste.begin();
    }

    /// The exports that reached the exporter.
    pub fn stats(&self) -> ExportStats {
        self.monitor.stats()
    }

    /// How many of the last ones failed, and not for their content.
    pub(crate) fn failures_in_a_row(&self) -> u32 {
        self.monitor.failures_in_a_row()
    }

    /// What went wrong last with a signal, as the exporter told it.
    pub(crate) fn last_error(&self, signal: Signal) -> Option<LastError> {
        self.monitor.last_error(signal)
    }

    /// What the last of them came to.
    pub fn last_result(&self) -> Option<LastResult> {
        self.monitor.last_result()
    }

    /// Whether the exporter is left alone at the moment.
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
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
