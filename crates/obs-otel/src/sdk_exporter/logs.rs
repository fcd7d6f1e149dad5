//! A log exporter of the SDK.

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Failure, Health, Log, Mapped, Mappers, Receipt, Records, Refused,
    Reply, Signal, deliver, encode_within,
};
use obs_otlp::encode::{Chunk, Encoding, LogParts, LogRequests, genai};
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord, SdkLogger};
use prost::Message;

use super::held::{Failures, Held, LIMITS};
use super::log_record::{log, logger};
use super::resource::{Request, Requests, calls, resource, scope};

/// A record and what made it.
type Scoped = (SdkLogRecord, InstrumentationScope);

/// Any log exporter of `opentelemetry_sdk` as a destination of logs; as [`SdkSpanExporter`](super::SdkSpanExporter) is one of traces.
#[derive(Debug)]
pub struct SdkLogExporter<E> {
    descriptor: Descriptor,
    held: Held<E>,
    logger: SdkLogger,
}

impl<E: LogExporter + 'static> SdkLogExporter<E> {
    const MAPPERS: Mappers<Self, Request<Scoped>> = Mappers::NONE.logs(map);

    /// What it is and takes; it follows from the table of mappers.
    pub const DESCRIPTOR: Descriptor =
        Descriptor::of("otel-sdk-logs", &Self::MAPPERS).with_limits(Signal::Logs, LIMITS);

    /// Sends through this exporter.
    pub fn new(exporter: E) -> Self {
        Self { descriptor: Self::DESCRIPTOR, held: Held::new(exporter), logger: logger() }
    }

    /// What a failure means, of which the SDK says nothing but a text; default: [`Failures::Transient`].
    #[must_use]
    pub fn with_failures(self, failures: Failures) -> Self {
        Self { held: self.held.with_failures(failures), ..self }
    }

    async fn send(&self, request: Request<Scoped>) -> Result<Reply, Failure> {
        let mut set = self.held.lock().await;
        set.set(request.resource, LogExporter::set_resource);
        let records: Vec<_> = request.records.iter().map(|(record, scope)| (record, scope)).collect();
        self.held.exported(set.exporter.export(LogBatch::new(&records))).await
    }
}

#[async_trait]
impl<E: LogExporter + 'static> Exporter for SdkLogExporter<E> {
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

    /// Does nothing: the SDK's log exporters have no flush.
    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.held.shut_down(LogExporter::shutdown).await
    }
}

/// Calls of one resource each.
fn map<E: LogExporter + 'static>(
    exporter: &SdkLogExporter<E>,
    records: &Records<Log>,
) -> Mapped<Request<Scoped>> {
    let resources = records.iter().map(|log| &log.resource).enumerate();
    calls(resources, Vec::new(), &Logs { records, logger: &exporter.logger })
}

/// The logs of a batch, and what makes the SDK's.
struct Logs<'a> {
    records: &'a Records<Log>,
    logger: &'a SdkLogger,
}

fn push(requests: &mut LogRequests, at: usize, log: &Log) {
    requests.push(at, &log.resource, &LogParts::of(log), |to| genai::log_attributes(log, to));
}

impl Requests for Logs<'_> {
    type Record = Scoped;

    fn encode(&self, positions: &[usize]) -> Vec<Chunk> {
        let mut requests = LogRequests::new(Encoding::Protobuf, LIMITS.items, LIMITS.bytes);
        for at in positions {
            if let Some(log) = self.records.get(*at) {
                push(&mut requests, *at, log);
            }
        }
        requests.finish()
    }

    fn shorten(&self, at: usize) -> Result<Vec<u8>, Refused> {
        let log = self.records.get(at).ok_or_else(|| Refused::encode(at, "the record is gone"))?;
        encode_within(at, log, LIMITS.bytes, |log| {
            let mut alone = LogRequests::new(Encoding::Protobuf, 1, usize::MAX);
            push(&mut alone, 0, log);
            Ok(alone.finish().pop().map(|chunk| chunk.body).unwrap_or_default())
        })
    }

    fn decode(&self, body: &[u8]) -> Result<Request<Scoped>, String> {
        let request = ExportLogsServiceRequest::decode(body).map_err(|error| error.to_string())?;
        Ok(of(&request, self.logger))
    }
}

/// What was encoded, as the SDK has it.
fn of(request: &ExportLogsServiceRequest, logger: &SdkLogger) -> Request<Scoped> {
    let groups = &request.resource_logs;
    let resource = resource(groups.first().and_then(|group| group.resource.as_ref()));
    let mut records = Vec::new();
    for scoped in groups.iter().flat_map(|group| &group.scope_logs) {
        let scope = scope(scoped.scope.as_ref(), &scoped.schema_url);
        records.extend(scoped.log_records.iter().map(|record| (log(record, logger), scope.clone())));
    }
    Request { resource, records }
}
