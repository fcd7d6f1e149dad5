//! The destination of every contender: it takes all and keeps nothing.

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Mapped, Mappers, Receipt, Records};

/// Takes everything, keeps nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sink;

fn nothing<T>(_: &Sink, records: &Records<T>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

const MAPPERS: Mappers<Sink, ()> =
    Mappers::NONE.traces(nothing).metrics(nothing).logs(nothing).scores(nothing).feedback(nothing);
const DESCRIPTOR: &Descriptor = &Descriptor::of("sink", &MAPPERS);

#[async_trait]
impl Exporter for Sink {
    fn descriptor(&self) -> &Descriptor {
        DESCRIPTOR
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        Ok(Receipt::delivered(batch.len()))
    }

    async fn check(&self) -> Health {
        Health::Healthy
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
}
