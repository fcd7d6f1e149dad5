//! Where servers run and files lie.

use std::path::PathBuf;

use anyhow::{Context, Result};
use obs_testkit::{Answer, CaptureServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A runtime for the servers, and a folder for the files; both end with it.
#[derive(Debug)]
pub(crate) struct Ground {
    runtime: Runtime,
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.context("no runtime; is the machine out of threads?")?;
        let folder = tempfile::tempdir().context("no folder for the files; is the disk full?")?;
        Ok(Self { runtime, folder })
    }

    /// A server that answers 200 and nothing, unless it is told more.
    pub(super) fn server(&self) -> CaptureServer {
        self.block_on(CaptureServer::start())
    }

    /// A server that answers every request with this.
    pub(super) fn server_of(&self, answer: Answer) -> CaptureServer {
        let server = self.server();
        server.answer_always(answer);
        server
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
