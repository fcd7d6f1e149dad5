//! A span exporter of the SDK.

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Failure, Health, Mapped, Mappers, Receipt, Records, Refused, Reply,
    Signal, Span, SpanRecord, deliver, encode_within,
};
use obs_otlp::encode::{Chunk, Encoding, Fields, SpanParts, TraceRequests, genai};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;

use super::held::{Failures, Held, LIMITS, done};
use super::resource::{Request, Requests, calls, resource, scope};
use super::span_data;
use crate::{Conventions, traces};

/// Any span exporter of `opentelemetry_sdk` as a destination of traces.
///
/// ```
/// use obs_core::{Exporter, Signal, Support};
/// use obs_otel::sdk_exporter::SdkSpanExporter;
/// use opentelemetry_sdk::error::OTelSdkResult;
/// use opentelemetry_sdk::trace::{SpanData, SpanExporter};
///
/// /// The exporter of some vendor.
/// #[derive(Debug)]
/// struct Vendors;
///
/// impl SpanExporter for Vendors {
///     async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
///         println!("{} spans", batch.len());
///         Ok(())
///     }
/// }
///
/// let destination = SdkSpanExporter::new(Vendors);
/// assert_eq!(destination.descriptor().support(Signal::Traces), Support::Native);
/// ```
#[derive(Debug)]
pub struct SdkSpanExporter<E> {
    descriptor: Descriptor,
    held: Held<E>,
    conventions: Conventions,
}

impl<E: SpanExporter + 'static> SdkSpanExporter<E> {
    const MAPPERS: Mappers<Self, Request<SpanData>> = Mappers::NONE.traces(map);

    /// What it is and takes; it follows from the table of mappers.
    pub const DESCRIPTOR: Descriptor =
        Descriptor::of("otel-sdk-spans", &Self::MAPPERS).with_limits(Signal::Traces, LIMITS);

    /// Sends through this exporter, spans having the names of OpenTelemetry's GenAI conventions.
    pub fn new(exporter: E) -> Self {
        let (held, conventions) = (Held::new(exporter), Conventions::default());
        Self { descriptor: Self::DESCRIPTOR, held, conventions }
    }

    /// Names attributes by these conventions.
    #[must_use]
    pub fn with_conventions(self, conventions: Conventions) -> Self {
        Self { conventions, ..self }
    }

    /// What a failure means, of which the SDK says nothing but a text; default: [`Failures::Transient`].
    #[must_use]
    pub fn with_failures(self, failures: Failures) -> Self {
        Self { held: self.held.with_failures(failures), ..self }
    }

    async fn send(&self, request: Request<SpanData>) -> Result<Reply, Failure> {
        let mut set = self.held.lock().await;
        set.set(request.resource, SpanExporter::set_resource);
        self.held.exported(set.exporter.export(request.records)).await
    }
}

#[async_trait]
impl<E: SpanExporter + 'static> Exporter for SdkSpanExporter<E> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.held.is_closed() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| self.send(request)).await
    }

    async fn check(&self) -> Health {
        self.held.health()
    }

    async fn flush(&self) -> Result<(), Error> {
        if self.held.is_closed() {
            return Ok(());
        }
        done(self.held.lock().await.exporter.force_flush())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.held.shut_down(SpanExporter::shutdown).await
    }
}

/// Calls of one resource each.
fn map<E: SpanExporter + 'static>(
    exporter: &SdkSpanExporter<E>,
    records: &Records<SpanRecord>,
) -> Mapped<Request<SpanData>> {
    let mut refused = Vec::new();
    let mut ended = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        match record {
            SpanRecord::Ended(span) => ended.push((at, span)),
            SpanRecord::Started(_) => refused.push(traces::started(at)),
        }
    }
    let make = Spans { records, put: traces::attributes(exporter.conventions) };
    calls(ended.iter().map(|(at, span)| (*at, &span.resource)), refused, &make)
}

/// The spans of a batch, and what puts their attributes.
struct Spans<'a> {
    records: &'a Records<SpanRecord>,
    put: fn(&Span, &mut Fields<'_>),
}

impl Spans<'_> {
    fn push(&self, requests: &mut TraceRequests, at: usize, span: &Span) {
        let name = genai::name(span);
        let end = span.end.unwrap_or(span.start);
        let parts = SpanParts { name: &name, kind: genai::kind(span), ..SpanParts::of(span, end) };
        requests.push(at, &span.resource, &parts, |to| (self.put)(span, to));
    }
}

impl Requests for Spans<'_> {
    type Record = SpanData;

    fn encode(&self, positions: &[usize]) -> Vec<Chunk> {
        let mut requests = TraceRequests::new(Encoding::Protobuf, LIMITS.items, LIMITS.bytes);
        for at in positions {
            if let Some(record) = self.records.get(*at) {
                self.push(&mut requests, *at, record.span());
            }
        }
        requests.finish()
    }

    fn shorten(&self, at: usize) -> Result<Vec<u8>, Refused> {
        let record = self.records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, record, LIMITS.bytes, |record| {
            let mut alone = TraceRequests::new(Encoding::Protobuf, 1, usize::MAX);
            self.push(&mut alone, 0, record.span());
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    }

    fn decode(&self, body: &[u8]) -> Result<Request<SpanData>, String> {
        ExportTraceServiceRequest::decode(body).map(|request| of(&request)).map_err(|error| error.to_string())
    }
}

/// What was encoded, as the SDK has it.
fn of(request: &ExportTraceServiceRequest) -> Request<SpanData> {
    let groups = &request.resource_spans;
    let resource = resource(groups.first().and_then(|group| group.resource.as_ref()));
    let mut records = Vec::new();
    for scoped in groups.iter().flat_map(|group| &group.scope_spans) {
        let scope = scope(scoped.scope.as_ref(), &scoped.schema_url);
        records.extend(scoped.spans.iter().map(|span| span_data::span(span, &scope)));
    }
    Request { resource, records }
}
