//! Where records are written, and nowhere else.

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Limits, Mappers, Receipt, Retry, deliver,
};

use crate::wire::Request;
use crate::{FileConfig, feedback, logs, metrics, scores, traces};

/// What the exporter is and takes: all five signals as what they are.
pub const DESCRIPTOR: Descriptor = Descriptor::of("file", &FileExporter::MAPPERS)
    .with_local()
    .with_all_limits(Limits { items: 2_048, bytes: 4 << 20 });

/// Writes records to rotated files.
#[derive(Debug)]
pub struct FileExporter {
    descriptor: Descriptor,
}

impl FileExporter {
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// A configuration error that names the option, the cause and the next step.
    pub fn new(_: FileConfig) -> Result<Self, Error> {
        Ok(Self { descriptor: DESCRIPTOR })
    }
}

#[async_trait]
impl Exporter for FileExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |Request(_)| async move {
            let message = "files are not written yet".into();
            Err(Failure { kind: ErrorKind::Io, retry: Retry::Never, status: None, message })
        })
        .await
    }

    async fn check(&self) -> Health {
        Health::Unhealthy("files are not written yet".into())
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
}
