//! What both processors are made of.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use obs_core::{Record, Signal, SpanRecord};
use obs_otlp::ingest::Scoped;
use obs_pipeline::Intake;
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope as WireScope;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

/// How many scopes are kept read: an application has some dozens, and a scope beyond is read for each of its records.
const MOST_SCOPES: usize = 1_024;

/// How long `force_flush` may take, as OpenTelemetry's own processors have it.
const FLUSH: Duration = Duration::from_secs(5);

/// Waits until all that was recorded is delivered; whether it is.
type Flush = Box<dyn Fn(Duration) -> bool + Send + Sync>;

/// The way into a pipeline.
pub(super) struct Inlet {
    pub(super) intake: Intake,
    resource: WireResource,
    schema_url: String,
    scopes: RwLock<HashMap<InstrumentationScope, Arc<Scoped>>>,
    ignored: Vec<Cow<'static, str>>,
    flush: Option<Flush>,
    closed: AtomicBool,
    /// Whether it was told that something cannot be read.
    told: AtomicBool,
}

impl Inlet {
    pub(super) fn new(intake: Intake) -> Self {
        Self {
            intake,
            resource: WireResource::default(),
            schema_url: String::new(),
            scopes: RwLock::default(),
            // The messages of obs itself.
            ignored: vec!["obs".into()],
            flush: None,
            closed: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }

    pub(super) fn ignore(&mut self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) {
        self.ignored.extend(targets.into_iter().map(Into::into));
    }

    pub(super) fn set_flush(&mut self, flush: impl Fn(Duration) -> bool + Send + Sync + 'static) {
        self.flush = Some(Box::new(flush));
    }

    /// From now on records have this resource.
    pub(super) fn set_resource(&mut self, resource: &Resource) {
        let ResourceAttributesWithSchema { mut attributes, schema_url } = resource.into();
        // The SDK has them in no order, and the resources of spans and logs are to be equal.
        attributes.0.sort_by(|a, b| a.key.cmp(&b.key));
        self.resource = WireResource { attributes: attributes.0, ..WireResource::default() };
        self.schema_url = schema_url.unwrap_or_default();
        self.scopes = RwLock::default();
    }

    /// Whether records of the signal, or scores and feedback that they may hold, go anywhere.
    pub(super) fn wants(&self, signal: Signal) -> bool {
        let wants = self.intake.wants();
        let open = !self.closed.load(Ordering::Relaxed);
        open && [signal, Signal::Scores, Signal::Feedback].into_iter().any(|signal| wants.contains(signal))
    }

    /// Whether what comes from here is not to be recorded.
    pub(super) fn ignores(&self, name: &str) -> bool {
        let below = |known: &Cow<'static, str>| {
            name.strip_prefix(&**known).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        self.ignored.iter().any(below)
    }

    /// The scope's reader, which all its records share.
    fn scoped(&self, scope: &InstrumentationScope) -> Result<Arc<Scoped>, String> {
        let known = self.scopes.read().unwrap_or_else(PoisonError::into_inner).get(scope).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let schema_url = scope.schema_url().unwrap_or_default();
        let wire = WireScope::from((scope, None));
        let read = Arc::new(Scoped::new(&self.resource, &self.schema_url, &wire, schema_url)?);
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() < MOST_SCOPES {
            scopes.insert(scope.clone(), Arc::clone(&read));
        }
        Ok(read)
    }

    /// Reads what came from a scope; what cannot be read is counted as dropped, because nobody is there to return it to, and told once.
    pub(super) fn read(
        &self,
        signal: Signal,
        scope: &InstrumentationScope,
        read: impl FnOnce(&Scoped) -> Result<Vec<Record>, String>,
    ) -> Vec<Record> {
        self.scoped(scope).and_then(|scoped| read(&scoped)).unwrap_or_else(|reason| {
            self.intake.unreadable(signal);
            if !self.told.swap(true, Ordering::Relaxed) {
                let scope = scope.name();
                tracing::warn!(
                    target: "obs::otel",
                    scope,
                    "not recorded, as it cannot be read: {reason}; more such are only counted, as `unreadable`"
                );
            }
            Vec::new()
        })
    }

    pub(super) fn put(&self, record: Record) {
        match record {
            Record::Span(SpanRecord::Started(span)) => self.intake.span_started(span),
            Record::Span(ended) => self.intake.take_span(&mut Some(ended)),
            Record::Log(log) => self.intake.log(log),
            Record::Metric(metric) => self.intake.metric(metric),
            Record::Score(score) => self.intake.score(score),
            Record::Feedback(feedback) => self.intake.feedback(feedback),
        }
    }

    pub(super) fn force_flush(&self) -> OTelSdkResult {
        if self.closed.load(Ordering::Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.flushed(FLUSH)
    }

    pub(super) fn shut_down(&self, timeout: Duration) -> OTelSdkResult {
        if self.closed.swap(true, Ordering::Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.flushed(timeout)
    }

    fn flushed(&self, timeout: Duration) -> OTelSdkResult {
        match &self.flush {
            Some(flush) if !flush(timeout) => Err(OTelSdkError::Timeout(timeout)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet")
            .field("intake", &self.intake)
            .field("ignored", &self.ignored)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
