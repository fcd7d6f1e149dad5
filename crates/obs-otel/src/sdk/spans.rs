//! Spans of an SDK.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Ancestor, Record, Signal, Span, SpanId, SpanRecord, Timestamp, TraceId};
use obs_pipeline::Intake;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanContext, TraceContextExt};
use opentelemetry_proto::tonic::trace::v1::Span as WireSpan;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span as SdkSpan, SpanData, SpanProcessor};

use super::inlet::Inlet;
use super::paths::Paths;

/// Attributes that say in which module a span began.
const ORIGINS: [&str; 2] = ["code.module.name", "code.namespace"];

/// The attribute for the target of a span of `tracing`, which applications use for targets of their own as well.
const TARGET: &str = "target";

/// What a bridge from `tracing` puts beside the target.
const BRIDGED: [&str; 8] = [
    "code.module.name",
    "code.namespace",
    "code.file.path",
    "code.filepath",
    "code.line.number",
    "code.lineno",
    "thread.id",
    "busy_ns",
];

/// Records the spans of an `opentelemetry_sdk` tracer provider.
///
/// ```
/// use obs_core::Level;
/// use obs_otel::sdk::ObsSpanProcessor;
/// use obs_pipeline::Pipeline;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # fn pipeline() -> Result<Pipeline, obs_core::Error> { Pipeline::builder().build() }
/// let pipeline = std::sync::Arc::new(pipeline()?);
/// let flush = {
///     let pipeline = pipeline.clone();
///     move |deadline| pipeline.flush(deadline).complete
/// };
/// let processor = ObsSpanProcessor::new(pipeline.intake()).with_flush(flush);
/// let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
/// # assert!(provider.force_flush().is_ok());
/// # Ok::<(), obs_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ObsSpanProcessor {
    inlet: Inlet,
    paths: Paths,
}

impl ObsSpanProcessor {
    /// Records into this intake.
    pub fn new(intake: Intake) -> Self {
        Self { inlet: Inlet::new(intake), paths: Paths::default() }
    }

    /// Lets `force_flush` and `shutdown` wait for delivery: `flush` has that long, and says whether all was delivered.
    ///
    /// Default: they wait for nothing, since a span is in the intake when it has ended.
    #[must_use]
    pub fn with_flush(mut self, flush: impl Fn(Duration) -> bool + Send + Sync + 'static) -> Self {
        self.inlet.set_flush(flush);
        self
    }

    /// Ignores spans whose scope has one of these names, or whose target or module lies in or below one: `h2`, `reqwest`.
    ///
    /// `obs` is ignored in any case.
    /// An attribute `target` is a target where a bridge from `tracing` put it, beside its file, line or thread; elsewhere it is the application's own.
    #[must_use]
    pub fn ignoring(mut self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.inlet.ignore(targets);
        self
    }

    fn ignores(&self, data: &SpanData) -> bool {
        let has = |keys: &[&str]| data.attributes.iter().any(|pair| keys.contains(&pair.key.as_str()));
        let bridged = has(&BRIDGED);
        let origin = |key: &str| ORIGINS.contains(&key) || (bridged && key == TARGET);
        self.inlet.ignores(data.instrumentation_scope.name())
            || data
                .attributes
                .iter()
                .filter(|pair| origin(pair.key.as_str()))
                .any(|pair| self.inlet.ignores(&pair.value.as_str()))
    }

    /// The records that the data are, the span with those above it.
    fn read(&self, data: SpanData, path: Option<&Arc<Ancestor>>) -> impl Iterator<Item = Record> {
        let scope = data.instrumentation_scope.clone();
        let wire = WireSpan::from(data);
        let mut records = self.inlet.read(Signal::Traces, &scope, |scoped| scoped.span(&wire));
        for record in &mut records {
            if let Record::Span(record) = record {
                record.span_mut().path = path.cloned();
            }
        }
        records.into_iter()
    }
}

impl SpanProcessor for ObsSpanProcessor {
    fn on_start(&self, span: &mut SdkSpan, above: &Context) {
        if !self.inlet.wants(Signal::Traces) || !span.span_context().is_sampled() {
            return;
        }
        let (Some(data), Some(key)) = (span.exported_data(), key(span.span_context())) else { return };
        let parent = above.span().span_context().clone();
        let here = parent.is_valid() && !parent.is_remote();
        let parent_id = SpanId::from_bytes(data.parent_span_id.to_bytes()).filter(|_| here);
        let is_root = data.parent_span_id == opentelemetry::trace::SpanId::INVALID;
        let path = self.paths.begin(key, nanos(data.start_time), is_root, parent_id);
        if self.inlet.intake.wants_started() && !self.ignores(&data) {
            self.read(data, path.as_ref())
                .filter_map(started)
                .for_each(|span| self.inlet.intake.span_started(span));
        }
    }

    fn on_end(&self, data: SpanData) {
        // Those that began are forgotten in any case.
        let path = key(&data.span_context).and_then(|key| self.paths.end(key));
        if !self.inlet.wants(Signal::Traces) || !data.span_context.is_sampled() || self.ignores(&data) {
            return;
        }
        self.read(data, path.as_ref()).for_each(|record| self.inlet.put(record));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inlet.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inlet.shut_down(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inlet.set_resource(resource);
    }
}

/// The span as it began: the SDK gives it an end that is its start.
fn started(record: Record) -> Option<Span> {
    match record {
        Record::Span(SpanRecord::Ended(span) | SpanRecord::Started(span)) => Some(Span { end: None, ..span }),
        _ => None,
    }
}

fn key(context: &SpanContext) -> Option<(TraceId, SpanId)> {
    Some((
        TraceId::from_bytes(context.trace_id().to_bytes())?,
        SpanId::from_bytes(context.span_id().to_bytes())?,
    ))
}

fn nanos(time: std::time::SystemTime) -> Timestamp {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(since.as_nanos() as u64)
}
