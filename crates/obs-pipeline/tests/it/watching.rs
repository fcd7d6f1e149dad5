//! Law 9: obs never watches itself.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt, Signal};
use obs_pipeline::Intake;
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, record};

/// Records a log for every batch it delivers, as instrumented HTTP clients do.
#[derive(Debug)]
struct Chatty {
    intake: Mutex<Option<Intake>>,
    inner: Arc<Scripted>,
}

#[async_trait]
impl Exporter for Chatty {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let intake = self.intake.lock().unwrap().clone().unwrap();
        record(&intake, Signal::Logs, 1);
        let inside = tokio::task::spawn_blocking(move || record(&intake, Signal::Logs, 2));
        inside.await.unwrap();
        self.inner.export(batch).await
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

#[test]
fn law_9_obs_never_watches_itself() {
    let inner = Scripted::new([]);
    let chatty = Arc::new(Chatty { intake: Mutex::new(None), inner: Arc::clone(&inner) });
    let pipeline = builder().to(Arc::clone(&chatty)).build().unwrap();
    *chatty.intake.lock().unwrap() = Some(pipeline.intake());
    for _ in 0..3 {
        record(&pipeline.intake(), Signal::Logs, 0);
        let report = pipeline.flush(PATIENCE);
        assert!(report.complete, "{report}");
    }
    assert_eq!(inner.delivered(Signal::Logs), 3);
    assert_eq!(pipeline.report().intake.get(Signal::Logs).recorded, 3, "not even counted");
}
