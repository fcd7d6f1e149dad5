//! One exporter over several.

mod fates;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use obs_core::{Batch, Descriptor, Error, Exporter, ExporterExt, Health, Receipt};

use crate::{Clock, FailurePolicy, MultiConfig, Strategy, Timeout, Unwind};
use fates::Answer;

/// An exporter over several: every record goes to all of those that take its signal.
///
/// - A record is delivered where at least [`MultiConfig::min_success_count`] of those asked took it, or all of them
///   where fewer take the signal.
/// - A record with too few takers is undelivered where an exporter that lacks it failed in a way that may pass, else
///   rejected, with the exporters' reasons by name.
///   A refusal that concerns the content of several records at once leaves them undelivered, so that [`crate::Split`]
///   above finds the one.
/// - An undelivered batch is sent again to all exporters, also to those that took it: nothing is remembered, and ids make
///   duplicates harmless.
/// - The advice of its error is to wait as the least patient of the failed exporters asks; it is to hold only where all
///   of them hold.
/// - Where exporters say how many records they gave up, but not which, and the takers of records depend on them, as many
///   of these count as given up as may lack takers: nothing is called delivered that may not be.
/// - What one exporter does not take while enough others do is told by a `tracing` event under `obs::multi` alone.
/// - Where only one exporter takes the signal its answer is passed on as it is.
/// - Each exporter has [`MultiConfig::export_timeout`] for an `export`, and a panic of one is an error of that one.
#[derive(Debug)]
pub struct Multi {
    descriptor: Descriptor,
    children: Vec<Child>,
    config: MultiConfig,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Child {
    name: Box<str>,
    exporter: Unwind<Timeout<Arc<dyn Exporter>>>,
}

impl Multi {
    /// An exporter over these, each with the name under which its troubles are told.
    ///
    /// # Errors
    /// If there are none, if two have one name, or if a number in the configuration is zero.
    pub fn new(
        exporters: Vec<(Box<str>, Arc<dyn Exporter>)>,
        config: MultiConfig,
        clock: &Clock,
    ) -> Result<Self, Error> {
        if exporters.is_empty() {
            return Err(Error::config("multi.exporters", "there are none; give at least one"));
        }
        let mut names = BTreeSet::new();
        if let Some((name, _)) = exporters.iter().find(|(name, _)| !names.insert(name)) {
            let message = format!("two are called `{name}`; give each a name of its own");
            return Err(Error::config("multi.exporters", message));
        }
        let positive = [
            ("multi.min_success_count", config.min_success_count),
            ("multi.max_concurrent_exports", config.max_concurrent_exports),
        ];
        if let Some((field, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::config(field, "it is 0; give at least 1"));
        }
        let descriptor =
            Descriptor::union("multi", exporters.iter().map(|(_, exporter)| exporter.descriptor()));
        let child = |(name, exporter)| {
            let exporter = Unwind::new(Timeout::new(exporter, config.export_timeout, clock.clone()));
            Child { name, exporter }
        };
        let children = exporters.into_iter().map(child).collect();
        Ok(Self { descriptor, children, config, closed: AtomicBool::new(false) })
    }

    /// What each of those asked answers, in their order.
    async fn ask<'a>(&'a self, asked: &[&'a Child], batch: &Batch) -> Vec<Answer<'a>> {
        let failed = AtomicBool::new(false);
        let calls: Vec<_> =
            asked.iter().enumerate().map(|(at, child)| self.call(at, child, batch, &failed)).collect();
        let at_once = match self.config.strategy {
            Strategy::Parallel => self.config.max_concurrent_exports,
            Strategy::Sequential => 1,
        };
        let mut answers: Vec<_> = stream::iter(calls).buffer_unordered(at_once).collect().await;
        answers.sort_unstable_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn call<'a>(
        &self,
        at: usize,
        child: &'a Child,
        batch: &Batch,
        failed: &AtomicBool,
    ) -> (usize, Answer<'a>) {
        if self.config.failure_policy == FailurePolicy::Stop && failed.load(Ordering::Relaxed) {
            return (at, Answer { name: &child.name, result: None });
        }
        let result = child.exporter.export(batch).await;
        failed.fetch_or(result.is_err(), Ordering::Relaxed);
        (at, Answer { name: &child.name, result: Some(result) })
    }

    /// The first error in the order of the exporters, with the name.
    fn first_error(&self, results: Vec<Result<(), Error>>) -> Result<(), Error> {
        for (child, result) in self.children.iter().zip(results) {
            if let Err(error) = result {
                let message = format!("{}: {}", child.name, error.message());
                let named = Error::without_records(error.kind(), message).with_retry(error.retry());
                return Err(named.with_status(error.status()).with_source(error));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Exporter for Multi {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let takes = |child: &&Child| child.exporter.takes(batch.signal());
        let asked: Vec<&Child> = self.children.iter().filter(takes).collect();
        match asked[..] {
            [] => Err(Error::unsupported(self.descriptor.kind(), batch)),
            _ if batch.is_empty() => Ok(Receipt::default()),
            [only] => only.exporter.export(batch).await,
            _ => {
                let needed = self.config.min_success_count.min(asked.len());
                fates::combine(batch, &self.ask(&asked, batch).await, needed)
            }
        }
    }

    /// Healthy if all are, degraded if enough of them take data, each time with the names and reasons of the others.
    async fn check(&self) -> Health {
        let healths = join_all(self.children.iter().map(|child| child.exporter.check())).await;
        let needed = self.config.min_success_count.min(self.children.len());
        let taking = healths.iter().filter(|health| !matches!(health, Health::Unhealthy(_))).count();
        let named = self.children.iter().zip(&healths).filter_map(|(child, health)| match health {
            Health::Healthy => None,
            Health::Degraded(why) | Health::Unhealthy(why) => Some(format!("{}: {why}", child.name)),
        });
        let troubles = named.collect::<Vec<_>>().join("; ").into();
        if healths.iter().all(|health| *health == Health::Healthy) {
            Health::Healthy
        } else if taking >= needed {
            Health::Degraded(troubles)
        } else {
            Health::Unhealthy(troubles)
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        self.first_error(join_all(self.children.iter().map(|child| child.exporter.flush())).await)
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        self.first_error(join_all(self.children.iter().map(|child| child.exporter.shutdown())).await)
    }
}
