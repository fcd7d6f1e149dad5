//! obs never watches itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt};
use obs_instrument::{Observability, Sampling};
use obs_testkit::Scripted;
use tracing::{error, info, info_span};

use crate::collect::Bench;

/// An exporter that talks while it exports, as HTTP clients do, and starts tasks and blocking work for it.
#[derive(Debug)]
struct Talking {
    inner: Arc<Scripted>,
    said: Arc<AtomicUsize>,
}

impl Talking {
    fn talk(&self) {
        for target in ["hyper", "reqwest", "h2", "rustls", "app"] {
            self.said.fetch_add(1, Ordering::Relaxed);
            match target {
                "hyper" => info!(target: "hyper::client", "connected"),
                "reqwest" => info!(target: "reqwest::connect", "starting new connection"),
                "h2" => info_span!(target: "h2", "Connection").in_scope(|| info!("frame")),
                "rustls" => error!(target: "rustls::conn", "close notify"),
                _ => info!("the exporter's own"),
            }
        }
    }
}

#[async_trait]
impl Exporter for Talking {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let _span = info_span!("export").entered();
        self.talk();
        drop(_span);
        let (talking, dispatch) =
            (Self { inner: Arc::clone(&self.inner), said: Arc::clone(&self.said) }, current());
        let blocking = tokio::task::spawn_blocking(move || {
            tracing::dispatcher::with_default(&dispatch, || talking.talk());
        });
        blocking.await.unwrap();
        self.inner.export(batch).await
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.talk();
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

fn current() -> tracing::Dispatch {
    tracing::dispatcher::get_default(Clone::clone)
}

/// The exporter's threads have no subscriber of a scope, so this test gives them one where they run.
#[derive(Debug)]
struct Under<E> {
    inner: E,
    dispatch: Arc<std::sync::OnceLock<tracing::Dispatch>>,
}

#[async_trait]
impl<E: Exporter> Exporter for Under<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        use tracing::instrument::WithSubscriber;
        match self.dispatch.get() {
            Some(dispatch) => self.inner.export(batch).with_subscriber(dispatch.clone()).await,
            None => self.inner.export(batch).await,
        }
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

#[test]
fn law_9_what_exporters_say_while_they_export_becomes_no_record() {
    let (scripted, said, dispatch) = (Scripted::new([]), Arc::default(), Arc::default());
    let exporter = Under {
        inner: Talking { inner: Arc::clone(&scripted), said: Arc::clone(&said) },
        dispatch: Arc::clone(&dispatch),
    };
    let obs = Observability::builder("test").to(exporter).build().unwrap();
    let subscriber = {
        use tracing_subscriber::layer::SubscriberExt;
        tracing::Dispatch::new(tracing_subscriber::registry().with(obs_tracing::layer(&obs)))
    };
    dispatch.set(subscriber.clone()).unwrap();
    for nth in 0..5 {
        tracing::dispatcher::with_default(&subscriber, || info_span!("work", nth).in_scope(|| info!("said")));
        assert!(obs.flush(std::time::Duration::from_secs(20)).complete);
    }
    assert!(said.load(Ordering::Relaxed) >= 50, "the exporter did talk");
    assert_eq!(scripted.records().len(), 10, "five spans and five logs, and nothing of obs's own");
}

#[test]
fn law_9_messages_of_obs_become_no_record() {
    let arrived = Bench::new().run(|| {
        error!(target: "obs", "own");
        error!(target: "obs::http", "own");
        let _ = info_span!(target: "obs::pipeline", "own");
        info!(target: "observer", "not own");
    });
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (0, 1));
}

#[test]
fn law_9_a_sampler_that_traces_does_not_run_in_circles() {
    let sampler = Sampling::custom(|_| {
        info!("deciding");
        let _ = info_span!("deciding");
        true
    });
    let arrived = Bench::with(|builder| builder.sampling(sampler)).run(|| drop(info_span!("span")));
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 0));
}

#[test]
fn a_debug_that_traces_is_heard() {
    struct Chatty;
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!(inner = ?Some(2), "while formatting");
            f.write_str("chatty")
        }
    }
    let arrived = Bench::new().run(|| {
        let span = info_span!("outer", late = tracing::field::Empty).entered();
        span.record("late", tracing::field::debug(Chatty));
        info!(value = ?Chatty, "said");
    });
    // Within an event, `tracing` itself hands out no subscriber of a scope.
    assert_eq!(arrived.logs.iter().filter(|log| log.message == "while formatting").count(), 1);
    let chatty = obs_core::Value::from("chatty");
    assert_eq!(arrived.span("outer").attributes.get("late"), Some(&chatty));
    assert_eq!(arrived.log("said").attributes.get("value"), Some(&chatty));
}
