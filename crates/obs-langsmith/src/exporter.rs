//! The exporter: what it is, and what becomes of a batch.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Failure, Health, Limits, Mappers, Receipt, Signal, SpanId, Target,
    TraceId, deliver_abreast,
};
use obs_http::Client;
use uuid::Uuid;

use crate::config::KEY;
use crate::ids::of_trace;
use crate::memory::Recent;
use crate::sending::{Request, Start};
use crate::server::Server;
use crate::settings::Settings;
use crate::{LangsmithConfig, RunIds, feedback, scores, traces};

/// How many requests of feedback are under way at once.
const ABREAST: usize = 8;

/// How many runs are remembered, and of how many traces the root.
const REMEMBERED: usize = 16_384;

/// Two records of a span become one run, so that a full request may take twice as many.
const SPANS: Limits = Limits { items: 200, bytes: 16 << 20 };

/// What every LangSmith exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("langsmith", &LangsmithExporter::MAPPERS)
    .with_limits(Signal::Traces, SPANS)
    .with_remark(Signal::Metrics, "LangSmith computes its metrics from runs and takes none")
    .with_remark(Signal::Logs, "LangSmith has no place for logs")
    .with_remark(Signal::Scores, "on spans, on traces whose root is known, on experiments; not on sessions")
    .with_remark(
        Signal::Feedback,
        "on spans, on traces whose root is known, on experiments; not on sessions",
    );

/// Sends traces, scores and feedback to LangSmith.
#[derive(Debug)]
pub struct LangsmithExporter {
    descriptor: Descriptor,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) server: Server,
    /// Starts that were sent, of spans that have not ended.
    pub(crate) starts: Recent<(TraceId, SpanId), Start>,
    /// How often a feedback met no run.
    pub(crate) tries: Recent<Uuid, u32>,
    /// The runs of roots, for their pages.
    pub(crate) roots: Recent<TraceId, Uuid>,
    /// The run at the top of the tree that a span's run is in.
    pub(crate) trees: Recent<(TraceId, SpanId), Uuid>,
    closed: AtomicBool,
}

impl LangsmithExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> =
        Mappers::NONE.traces(traces::map).scores(scores::map).feedback(feedback::map);

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub fn new(config: LangsmithConfig) -> Result<Self, Error> {
        let http = config.client_config()?;
        let client = Client::new(&http)?.with_credential_name(KEY);
        let descriptor = if config.post_on_start { DESCRIPTOR.with_started() } else { DESCRIPTOR };
        Ok(Self {
            descriptor,
            settings: Settings::of(config, &http.endpoint),
            client,
            server: Server::new(),
            starts: Recent::of(REMEMBERED),
            tries: Recent::of(REMEMBERED),
            roots: Recent::of(REMEMBERED),
            trees: Recent::of(REMEMBERED),
            closed: AtomicBool::new(false),
        })
    }

    /// The bodies that a batch becomes, in order, not compressed; nothing is sent.
    ///
    /// What the server can do and the project's id are as far known as exports have asked for them.
    /// Records that cannot be mapped are left out, and a signal that is not taken becomes nothing.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let multipart = self.server.takes_multipart();
        let calls = Self::MAPPERS.map(self, batch).map(|mapped| mapped.calls).unwrap_or_default();
        calls.into_iter().map(|call| call.request.into_body(multipart)).collect()
    }

    /// LangSmith's page of a trace.
    ///
    /// `None` until it is known: the page has the ids of the workspace and the project, which are in the config, or which
    /// [`Exporter::check`] asks for, and feedback; and that of the root's run, which this exporter knows once it has sent
    /// the root (of the latest 16,384 traces), and always with [`RunIds::TraceRoot`].
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        let run = match self.settings.run_ids {
            RunIds::TraceRoot => of_trace(trace_id),
            RunIds::OtelPadded | RunIds::Uuid7 => self.roots.get(trace_id)?,
        };
        let found = self.server.project().and_then(|project| project.tenant_id);
        let tenant = found.map(|id| id.to_string()).or_else(|| self.settings.workspace_id.clone())?;
        let (app, project) = (self.settings.app.as_deref()?, self.project_id()?);
        Some(format!("{app}/o/{tenant}/projects/p/{project}/r/{run}"))
    }

    /// The project's id, if it is known.
    pub(crate) fn project_id(&self) -> Option<Uuid> {
        self.settings.project_id.or_else(|| self.server.project().map(|project| project.id))
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Finds out what mapping needs to know of the server.
    async fn prepare(&self, batch: &Batch) -> Result<(), Failure> {
        self.server.meet(&self.client).await;
        if self.settings.project_id.is_none() && judges_runs(batch) {
            self.server.find_project(&self.client, &self.settings).await?;
        }
        Ok(())
    }
}

/// Whether any record of the batch is feedback on a run.
fn judges_runs(batch: &Batch) -> bool {
    let on_run = |target: &Target| matches!(target, Target::Span { .. } | Target::Trace { .. });
    match batch {
        Batch::Scores(scores) => scores.iter().any(|score| on_run(&score.target)),
        Batch::Feedback(feedback) => feedback.iter().any(|feedback| on_run(&feedback.target)),
        Batch::Traces(_) | Batch::Metrics(_) | Batch::Logs(_) => false,
    }
}

#[async_trait]
impl Exporter for LangsmithExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.is_closed() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        if !self.descriptor.support(batch.signal()).is_some() {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        }
        if batch.is_empty() {
            return Ok(Receipt::default());
        }
        if let Err(Failure { kind, retry, status, message }) = self.prepare(batch).await {
            return Err(Error::new(kind, retry, message, batch.clone()).with_status(status));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        // Runs keep their order; feedback has none.
        let abreast = if batch.signal() == Signal::Traces { 1 } else { ABREAST };
        deliver_abreast(batch, mapped, abreast, |request| self.send(request)).await
    }

    async fn check(&self) -> Health {
        if self.is_closed() {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.server.ask(&self.client, &self.settings).await)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
