//! What a leaf's test provides.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};

use super::ConfigCheck;

/// How the exporter under test is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// With what is required and nothing more.
    Defaults,
    /// With whatever its notes under `Support::When` ask for, so that it takes every signal of its type.
    Everything,
}

/// What arrived at the destination, as the test reads it there and not as the exporter says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Records of each signal, by [`Signal::index`].
    pub records: [usize; Signal::COUNT],
    /// Requests, rows or writes of any kind: zero means that the destination was not touched.
    pub writes: usize,
    /// All that was written, without headers that carry credentials; searched for secrets.
    pub bytes: Vec<u8>,
}

impl Observed {
    /// How many records of a signal arrived.
    pub fn of(&self, signal: Signal) -> usize {
        self.records[signal.index()]
    }

    /// How many records arrived.
    pub fn total(&self) -> usize {
        self.records.iter().sum()
    }
}

/// One exporter with a fresh destination, and a way to see what arrived there.
#[async_trait]
pub trait Harness: Send + Sync + Sized + 'static {
    /// The descriptor of the exporter's type: its `DESCRIPTOR`.
    fn descriptor() -> Descriptor;

    /// How its configuration is read, or `None` where it has none that is read from a file.
    fn config() -> Option<ConfigCheck>;

    /// Makes a destination that nothing was written to, and an exporter that writes there.
    ///
    /// Where the configuration has places for credentials, all of them are filled; [`Harness::secrets`] names them.
    async fn start(setup: Setup) -> Self;

    /// The exporter.
    fn exporter(&self) -> Arc<dyn Exporter>;

    /// What arrived so far.
    async fn observe(&self) -> Observed;

    /// The credentials in the configuration, each at least eight characters; empty where it takes none.
    fn secrets(&self) -> Vec<String>;
}
