//! Credentials planted in every place of an exporter's configuration, and looked for wherever delivery writes: files,
//! reports, health, errors and logs.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Health, Level, Log, Mapped, Mappers, Receipt, Reply, Timestamp,
};
use obs_http::{Auth, Client, HttpConfig, Policy, Request};
use obs_pipeline::{DestinationSpec, Pipeline};
use obs_queue::{DeadLetterConfig, DeadLetterFilter, DeadLetterStore};
use obs_testkit::{Answer, CaptureServer};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::support::{PATIENCE, open};

const PLANT: &str = "zq7vhunter";

/// A leaf as those for real backends are: one request a batch, nothing of its own about credentials.
#[derive(Debug)]
struct Hook {
    client: Client,
}

impl Hook {
    const MAPPERS: Mappers<Self, ()> = Mappers::NONE.logs(|_, records| Mapped::whole((), records.len()));
    const DESCRIPTOR: Descriptor = Descriptor::of("hook", &Self::MAPPERS);
}

#[async_trait]
impl Exporter for Hook {
    fn descriptor(&self) -> &Descriptor {
        static DESCRIPTOR: Descriptor = Hook::DESCRIPTOR;
        &DESCRIPTOR
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        obs_core::deliver(batch, Mapped::whole((), batch.len()), |()| async {
            let request = Request::post("/in").with_body(self.client.body("{}"));
            self.client.send(&request, &Policy::DEFAULT).await.map(|_| Reply::default())
        })
        .await
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

/// A configuration with a credential in each place of this field that takes one and reaches the backend; a new field
/// must say here which it takes.
fn plants(field: &str, url: &str) -> Vec<HttpConfig> {
    let config = HttpConfig::new(url);
    match field {
        "endpoint" => vec![config.with_endpoint(format!("{url}/?api_key={PLANT}"))],
        "headers" => vec![config.with_header("x-any", PLANT)],
        "auth" => [
            Auth::bearer(PLANT),
            Auth::basic(PLANT, "pass"),
            Auth::basic("user", PLANT),
            Auth::header("x-api-key", PLANT),
        ]
        .map(|auth| config.clone().with_auth(auth))
        .into(),
        "proxy" => vec![config.with_proxy(url.replace("://", &format!("://user:{PLANT}@")))],
        "timeout" | "connect_timeout" | "compression" | "ca_file" | "client_certificate" | "client_key"
        | "allow_http" | "allow_link_local" | "user_agent" | "max_answer" => Vec::new(),
        other => panic!("{other} is new: say which credentials it takes"),
    }
}

/// All lines of all threads.
#[derive(Debug, Clone, Default)]
struct Watch(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut Line(&mut self.0.lock().unwrap()));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn event(&self, event: &Event<'_>) {
        let mut lines = self.0.lock().unwrap();
        let _ = write!(lines, "\n{}", event.metadata().target());
        event.record(&mut Line(&mut lines));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// What one pipeline wrote, wherever it wrote: a batch that is refused for its content, then one that is held.
fn written(config: &HttpConfig, server: &CaptureServer, folder: &Path) -> String {
    let echo = format!("no such key: {PLANT}");
    let letters = || DeadLetterStore::open(DeadLetterConfig::new(folder)).unwrap();
    let spec =
        DestinationSpec::new(Hook { client: Client::new(config).unwrap() }).with_dead_letters(letters());
    let pipeline = Pipeline::builder()
        .drop_deadline(Duration::ZERO)
        .queue(open(folder))
        .to_named("hook", spec)
        .build()
        .unwrap();
    let mut words = format!("{config:?} {pipeline:?}");
    let record = || pipeline.intake().log(Log::new(Timestamp::from_nanos(1), Level::Info, "a log"));
    server.answer_always(Answer::status(400).with_body(echo.clone()));
    record();
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    server.answer_always(Answer::status(401).with_body(echo));
    record();
    assert!(pipeline.sync(PATIENCE).durable);
    pipeline.flush(Duration::from_millis(200));
    let (health, last) = (pipeline.health(), pipeline.last_result("hook"));
    let _ = write!(words, "{health:?} {last:?} {:?}", pipeline.stats("hook"));
    let _ = write!(words, "{:?}", pipeline.shutdown(Duration::from_secs(1)));
    let kept = letters().list(&DeadLetterFilter::default(), 10).unwrap();
    assert_eq!(kept.len(), 1, "the refused one");
    let _ = write!(words, "{kept:?}");
    for file in std::fs::read_dir(folder).unwrap() {
        words.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
    words
}

#[test]
fn law_6_no_planted_credential_is_in_any_queue_dead_letter_report_or_log() {
    let watch = Watch::default();
    tracing::subscriber::set_global_default(watch.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(CaptureServer::start());
    let mut planted = 0;
    for config in HttpConfig::FIELDS.iter().flat_map(|field| plants(field, &server.url())) {
        planted += 1;
        let folder = tempfile::tempdir().unwrap();
        let words = written(&config, &server, folder.path());
        let sent = format!("{:?}", server.take_requests());
        assert!(
            sent.contains(PLANT) || sent.contains("Basic "),
            "the credential reaches the backend: {config:?}"
        );
        assert!(words.contains("a log"), "the files were read");
        assert!(!words.contains(PLANT), "{config:?}");
    }
    assert_eq!(planted, 1 + 1 + 4 + 1, "places for a credential");
    let lines = watch.0.lock().unwrap();
    assert!(lines.contains("obs::delivery"), "delivery is heard");
    assert!(!lines.contains(PLANT), "{lines}");
}
