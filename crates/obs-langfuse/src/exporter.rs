//! Where requests are sent, and nowhere else.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Limits, Mappers, Receipt, Reply, Retry,
    Signal, TraceId, deliver_abreast,
};
use obs_http::{Auth, Body, Client, Compression, HttpConfig, Pace};
use obs_otlp::encode::Encoding;

use crate::policies::{INGESTION, PROJECTS, SCORES, TRACES};
use crate::validate::KEYS;
use crate::wire::{Place, ProjectsAnswer, Request};
use crate::{LangfuseConfig, feedback, judged, logs, reply, scores, traces};

/// What every Langfuse exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("langfuse", &LangfuseExporter::MAPPERS)
    .with_limits(Signal::Traces, Limits { items: traces::ITEMS, bytes: traces::BYTES })
    .with_limits(Signal::Logs, Limits { items: traces::ITEMS, bytes: traces::BYTES })
    .with_limits(Signal::Scores, Limits { items: judged::ITEMS, bytes: judged::BYTES })
    .with_limits(Signal::Feedback, Limits { items: judged::ITEMS, bytes: judged::BYTES })
    .with_remark(Signal::Metrics, "Langfuse computes its own and discards those it is sent")
    .with_remark(
        Signal::Logs,
        "those outside of any trace are rejected unless `logs_without_trace` says otherwise",
    )
    .with_remark(
        Signal::Scores,
        "on spans, traces, sessions and experiment runs; the accounts' rates are low",
    )
    .with_remark(
        Signal::Feedback,
        "under `feedback_` and its kind; corrections in words are those of the output",
    );

const SCORES_PATH: &str = "/api/public/scores";
const INGESTION_PATH: &str = "/api/public/ingestion";
const PROJECTS_PATH: &str = "/api/public/projects";

/// The version of ingestion that shows spans at once; without it Langfuse Cloud may take ten minutes.
const INGESTION_VERSION: &str = "4";

const JSON: &str = "application/json";

/// Sends traces, logs, scores and feedback to Langfuse.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct LangfuseExporter {
    descriptor: Descriptor,
    config: LangfuseConfig,
    client: Client,
    pace: Option<Pace>,
    /// The project of the keys, once [`check`](Exporter::check) has asked for it.
    project: OnceLock<Box<str>>,
    closed: AtomicBool,
}

impl LangfuseExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .logs_as(logs::map, "events under their span")
        .scores(scores::map)
        .feedback_as(feedback::map, "scores");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: a key that is missing, an address that is none, or
    /// one over plain `http` to another machine without `allow_http`.
    pub fn new(config: LangfuseConfig) -> Result<Self, Error> {
        config.validate()?;
        let bytes = traces::max_request_size(&config);
        let http = http(&config);
        let client = Client::new(&http)?.with_credential_name(KEYS);
        Ok(Self {
            descriptor: [Signal::Traces, Signal::Logs].into_iter().fold(DESCRIPTOR, |descriptor, signal| {
                descriptor.with_limits(signal, Limits { items: traces::ITEMS, bytes })
            }),
            pace: config.scores_per_minute.map(Pace::per_minute),
            project: OnceLock::new(),
            closed: AtomicBool::new(false),
            config: LangfuseConfig { http, ..config },
            client,
        })
    }

    /// The address of a trace in Langfuse's pages, which is always known; it opens once the server has the trace.
    ///
    /// With the project in it once [`check`](Exporter::check) has learnt that from the server; until then an address that
    /// Langfuse leads on to the same page.
    #[expect(clippy::unnecessary_wraps, reason = "the same as where an exporter may not know the address")]
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        let endpoint = self.config.http.endpoint.split(['?', '#']).next().unwrap_or_default();
        let base = endpoint.trim_end_matches('/');
        Some(match self.project.get() {
            Some(project) => format!("{base}/project/{project}/traces/{trace_id}"),
            None => format!("{base}/trace/{trace_id}"),
        })
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that Langfuse cannot take are in none of them; a signal it does not take has none.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mapped = Self::MAPPERS.map(self, batch).unwrap_or_default();
        mapped.calls.into_iter().map(|call| call.request.body).collect()
    }

    pub(crate) fn config(&self) -> &LangfuseConfig {
        &self.config
    }

    /// Sends one request, and says what became of its records.
    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let message = "Langfuse: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        }
        let json = |path, body| post(path, JSON).with_body(Body::plain(body));
        match request.place {
            Place::Traces => {
                let http = post(&self.config.traces_path, Encoding::Protobuf.content_type())
                    .with_header("x-langfuse-ingestion-version", INGESTION_VERSION)
                    .with_body(self.client.body(request.body));
                // The answer's words say nothing of what becomes of the spans.
                self.client.send(&http, &TRACES).await.map(|_| Reply::default())
            }
            Place::Scores => {
                self.pace.as_ref().map_or(Ok(()), Pace::take)?;
                let answer = self.client.send(&json(SCORES_PATH, request.body), &SCORES).await?;
                Ok(reply::scores(&answer, request.len))
            }
            Place::Ingestion => {
                let (body, request) = (request.body, Request { body: Vec::new(), ..request });
                let answer = self.client.send(&json(INGESTION_PATH, body), &INGESTION).await?;
                reply::ingestion(&answer, &request)
            }
        }
    }

    /// Asks for the project of the keys.
    async fn look_up_project(&self) -> Result<(), Failure> {
        let answer = self.client.send(&obs_http::Request::get(PROJECTS_PATH), &PROJECTS).await?;
        let body = answer.whole()?;
        let read = serde_json::from_slice::<ProjectsAnswer>(body).ok();
        let project = read.and_then(|answer| answer.data.into_iter().next()).ok_or_else(|| Failure {
            kind: ErrorKind::Config,
            retry: Retry::Never,
            status: Some(answer.status()),
            message: format!(
                "{}{PROJECTS_PATH} answered without a project: check that the address is Langfuse's and the keys are a \
                 project's",
                self.client.place().trim_end_matches('/')
            )
            .into(),
        })?;
        // Another check may have been quicker; the project of a pair of keys does not change.
        let _ = self.project.set(project.id.into());
        Ok(())
    }
}

/// The user's settings with what is known of Langfuse.
fn http(config: &LangfuseConfig) -> HttpConfig {
    let mut http = config
        .http
        .clone()
        .with_default_endpoint(config.region.endpoint())
        .with_default_compression(Compression::Gzip)
        .with_auth(Auth::basic(config.public_key.clone(), config.secret_key.clone()));
    let name = "x-langfuse-public-key";
    if !http.headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        http.headers.insert(name.to_owned(), config.public_key.clone());
    }
    http
}

fn post(path: &str, content_type: &str) -> obs_http::Request {
    obs_http::Request::post(path)
        .with_content_type(content_type)
        .with_header("x-langfuse-sdk-name", env!("CARGO_PKG_NAME"))
        .with_header("x-langfuse-sdk-version", env!("CARGO_PKG_VERSION"))
}

#[async_trait]
impl Exporter for LangfuseExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        let abreast = match batch.signal() {
            Signal::Scores | Signal::Feedback => self.config.score_concurrency,
            Signal::Traces | Signal::Metrics | Signal::Logs => 1,
        };
        deliver_abreast(batch, mapped, abreast, |request| self.send(request)).await
    }

    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.look_up_project().await)
    }

    async fn flush(&self) -> Result<(), Error> {
        // An export ends when its records are there, so that nothing waits here.
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
