//! Where requests are sent, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Failure, Health, HistogramForm, Mapped, Mappers,
    MetricForm, Receipt, Reply, Resource, Retry, Signal, Signals, TraceId, deliver,
};

use crate::chunks::Limits;
use crate::plan::{Plan, carried};
use crate::resource::Resources;
use crate::transport::Transport;
use crate::wire::{Request, Service};
use crate::{Conventions, Histograms, OtelConfig, endpoint, feedback, logs, metrics, scores, traces};

/// What every OTLP exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor =
    Descriptor::of("otel", &OtelExporter::MAPPERS).with_metric_form(MetricForm::Cumulative);

/// Sends all signals over OTLP.
///
/// It can be made anywhere, and sends on whatever tokio runtime polls it.
#[derive(Debug)]
pub struct OtelExporter {
    descriptor: Descriptor,
    plan: Plan,
    transports: [Transport; 3],
    resources: Resources,
    closed: AtomicBool,
}

impl OtelExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores_as(scores::map, "`gen_ai.evaluation.result` log events")
        .feedback_as(feedback::map, "`gen_ai.evaluation.result` log events");

    /// Checks the config; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: an address that is none, that is Jaeger's Thrift, or
    /// that a credential would go to over plain `http`; a credential that the preset's backend needs; a protocol that is
    /// not built in or that the backend does not take.
    pub fn new(config: OtelConfig) -> Result<Self, Error> {
        let plan = Plan::of(config)?;
        let transports = Transport::all(&plan.lines)?;
        let resources = Resources::new(&plan.config);
        let descriptor = descriptor(&plan);
        Ok(Self { descriptor, plan, transports, resources, closed: AtomicBool::new(false) })
    }

    /// The address of a trace in the backend's pages, where a preset knows it: Phoenix's and Jaeger's.
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        let facts = self.plan.facts?;
        let page = facts.page?;
        let pages = if let Some(given) = &self.plan.config.ui_endpoint {
            endpoint::pages(given.as_str(), None)?
        } else {
            let spans = &self.plan.line(Service::Traces).http.endpoint;
            // With a port that speaks gRPC alone, the pages are elsewhere only as seen from that one.
            let is_moved = facts.grpc_port.is_none_or(|grpc| endpoint::port(spans) == Some(grpc));
            endpoint::pages(spans, facts.page_port.filter(|_| is_moved))?
        };
        let page = page.replace("{ui}", &pages);
        Some(page.replace("{trace_id}", &trace_id.to_string()))
    }

    /// The bodies of the requests that a batch becomes, in order, before compression; nothing is sent.
    ///
    /// Records that OTLP cannot carry are in none of them.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let mapped = Self::MAPPERS.map(self, batch).unwrap_or_default();
        mapped.calls.into_iter().map(|call| call.request.body).collect()
    }

    /// The bodies of the requests that a batch becomes and the records that each carries, before compression; nothing is
    /// sent. For an exporter that sends OTLP in a way of its own.
    ///
    /// `None` for a signal that this exporter does not take.
    pub fn map(&self, batch: &Batch) -> Option<Mapped<Vec<u8>>> {
        let Mapped { calls, refused } = Self::MAPPERS.map(self, batch)?;
        let body = |Call { request, records }: Call<Request>| Call { request: request.body, records };
        Some(Mapped { calls: calls.into_iter().map(body).collect(), refused })
    }

    /// A record's resource with what the config says of resources that lack it; the same for the same one.
    pub fn complete(&self, own: &Arc<Resource>) -> Arc<Resource> {
        self.resources.complete(own)
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(crate) fn limits(&self, service: Service) -> Limits {
        Limits {
            encoding: self.transport(service).encoding(),
            items: self.plan.config.max_request_items,
            bytes: self.plan.max_request_size(),
        }
    }

    /// Whose names the attributes of spans have.
    pub(crate) fn conventions(&self) -> Conventions {
        self.plan.conventions
    }

    /// Whether children are spans of their own.
    pub(crate) fn creates_child_spans(&self) -> bool {
        self.plan.config.create_child_spans
    }

    /// What stands before the name of every span.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.plan.config.span_name_prefix.as_deref()
    }

    fn transport(&self, service: Service) -> &Transport {
        &self.transports[service.index()]
    }

    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        if self.closed.load(Ordering::Acquire) {
            let message = "OTLP: shut down meanwhile".into();
            return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
        }
        self.transport(request.service).send(request).await
    }

    /// Asks every service that carries a signal which is sent.
    async fn ask(&self) -> Result<(), Failure> {
        let sent = self.descriptor.signals();
        for service in Service::ALL {
            if carried(service).iter().any(|signal| sent.contains(*signal)) {
                self.transport(service).ask(service).await?;
            }
        }
        Ok(())
    }
}

/// The type's descriptor with what this config makes of it.
fn descriptor(plan: &Plan) -> Descriptor {
    let limits = obs_core::Limits { items: plan.config.max_request_items, bytes: plan.max_request_size() };
    let histograms = match plan.config.histograms.unwrap_or_default() {
        Histograms::Explicit => HistogramForm::Explicit,
        Histograms::Exponential => HistogramForm::Exponential,
    };
    let own = DESCRIPTOR
        .narrowed(plan.signals)
        .with_all_limits(limits)
        .with_metric_form(plan.metric_form)
        .with_histogram_form(histograms);
    let remarks: &[(Signal, &'static str)] = plan.facts.map_or(&[], |facts| facts.remarks);
    remarks.iter().fold(own, |own, (signal, remark)| own.with_remark(*signal, remark))
}

#[async_trait]
impl Exporter for OtelExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let taken = Signals::contains(self.descriptor.signals(), batch.signal());
        let Some(mapped) = Self::MAPPERS.map(self, batch).filter(|_| taken) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| self.send(request)).await
    }

    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.ask().await)
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
