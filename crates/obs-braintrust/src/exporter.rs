//! Where requests are sent, and nowhere else.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Failure, Health, Limits, Mapped, Mappers, Receipt, Reply, Resource,
    Signal, TraceContext, deliver,
};
use obs_http::{Answer, Request as HttpRequest};
use serde::Deserialize;

use crate::ids::Place;
use crate::pack::{MAX_ROWS, Post, Request, Room, Route};
use crate::plane::Plane;
use crate::wire::{Context, Environment, Origin};
use crate::{BraintrustConfig, LogRowStyle, ScoreSource, feedback, logs, policy, scores, traces};

/// What an exporter is and takes that writes each span once.
const AT_THE_END: Descriptor = Descriptor::of("braintrust", &BraintrustExporter::MAPPERS)
    .with_all_limits(Limits { items: MAX_ROWS, bytes: 3 << 20 })
    .with_remark(Signal::Traces, "requests hold at most 100 rows and 3 MiB, a larger row alone 6 MiB")
    .with_remark(Signal::Metrics, "Braintrust has none: its charts are made of rows")
    .with_remark(Signal::Logs, "rows of type `log`, or spans of no length for data planes that do not know it")
    .with_remark(
        Signal::Scores,
        "from 0 to 1, by their range; another number stands in the row's metadata, and words are a comment; sessions and \
         traces without a known root are rejected",
    )
    .with_remark(Signal::Feedback, "as scores; corrections become what was expected, other words comments");

/// What every Braintrust exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = AT_THE_END.with_started();

/// Sends traces, logs, scores and feedback to Braintrust.
///
/// It can be made anywhere, also outside of a runtime; nothing is sent before the first batch.
#[derive(Debug)]
pub struct BraintrustExporter {
    descriptor: Descriptor,
    config: BraintrustConfig,
    plane: Plane,
    closed: AtomicBool,
    /// Whether it was told that a number is no score in Braintrust.
    told: AtomicBool,
}

impl BraintrustExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> =
        Mappers::NONE.traces(traces::map).logs(logs::map).scores(scores::map).feedback(feedback::map);

    /// Checks the configuration.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub fn new(config: BraintrustConfig) -> Result<Self, Error> {
        config.validate()?;
        let descriptor = if config.post_on_start { DESCRIPTOR } else { AT_THE_END };
        let plane = Plane::new(&config)?;
        let (closed, told) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { descriptor, config, plane, closed, told })
    }

    /// The bodies that a batch becomes, in the order in which they would be sent; nothing is sent.
    ///
    /// Records that cannot be sent, and signals that Braintrust does not take, leave nothing.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let calls = Self::MAPPERS.map(self, batch).unwrap_or_default().calls;
        calls.into_iter().flat_map(|call| call.request.posts).map(|post| post.body).collect()
    }

    pub(crate) fn plane(&self) -> &Plane {
        &self.plane
    }

    pub(crate) fn app_url(&self) -> &str {
        self.config.app_url.trim().trim_end_matches('/')
    }

    pub(crate) fn room(&self) -> Room {
        Room::of(self.config.max_request_size.get())
    }

    pub(crate) fn log_row_style(&self) -> LogRowStyle {
        self.config.log_row_style
    }

    pub(crate) fn score_source(&self) -> ScoreSource {
        self.config.score_source
    }

    pub(crate) fn feedback_prefix(&self) -> &str {
        &self.config.feedback_prefix
    }

    /// Where rows come from.
    pub(crate) fn origin<'a>(&'a self, context: &'a TraceContext, resource: &'a Resource) -> Context<'a> {
        let kind = self.config.environment_type.as_deref();
        let name = self.config.environment_name.as_deref().or(context.environment.as_deref());
        let environment = (kind.is_some() || name.is_some()).then_some(Environment { kind, name });
        let (own, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let instrumentation = resource.scope.as_ref();
        Context { span_origin: Origin { name: own, version, instrumentation, environment } }
    }

    /// Posts what carries some records, and says what they came to.
    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        let mut reply = Reply::default();
        for post in request.posts {
            reply = self.post(post).await?;
        }
        if let Some(name) = request.degraded.filter(|_| !self.told.swap(true, Ordering::Relaxed)) {
            tracing::warn!(
                target: "obs::braintrust",
                score = %name,
                "a number outside of 0 to 1 without a range that it lies in is no score in Braintrust: it stands in the \
                 row's metadata under raw_scores; give scores a range (told once)"
            );
        }
        Ok(reply)
    }

    async fn post(&self, post: Post) -> Result<Reply, Failure> {
        let Post { place, route, body, rows } = post;
        let client = self.plane.client().await?;
        let path = self.plane.path(place, route).await?;
        let request =
            HttpRequest::post(path).with_content_type("application/json").with_body(client.body(body));
        let policy = match place {
            Place::Configured => &policy::ROWS,
            Place::Experiment(_) => &policy::NAMED,
        };
        let answer = client.send(&request, policy).await?;
        read(&answer, route, rows)
    }
}

/// What an answer may say of rows.
#[derive(Deserialize)]
struct Inserted {
    row_ids: Option<Vec<String>>,
}

/// Holds an answer of success to what the API says: a page of someone else's is no success.
///
/// An answer that broke off, or is empty, settles the rows all the same, since its status does.
fn read(answer: &Answer, route: Route, rows: usize) -> Result<Reply, Failure> {
    let body = match answer.whole() {
        Ok(body) if !body.trim_ascii().is_empty() => body,
        _ => return Ok(Reply::default()),
    };
    let Ok(inserted) = serde_json::from_slice::<Inserted>(body) else {
        return Err(policy::not_braintrust("a POST was answered with success, and not as Braintrust does"));
    };
    let lost = match (route, inserted.row_ids) {
        (Route::Insert, Some(ids)) => rows.saturating_sub(ids.len()),
        (Route::Insert | Route::Feedback, _) => 0,
    };
    let told = (lost > 0).then(|| (lost, format!("Braintrust named {lost} of {rows} rows too few").into()));
    Ok(Reply { lost: told, ..Reply::default() })
}

#[async_trait]
impl Exporter for BraintrustExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped): Option<Mapped<Request>> = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| self.send(request)).await
    }

    /// Asks for one project, which the key must be good for.
    async fn check(&self) -> Health {
        let asked = async {
            let client = self.plane.client().await?;
            client.send(&HttpRequest::get("/v1/project?limit=1"), &policy::LOOKUP).await
        };
        Health::of(asked.await)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
