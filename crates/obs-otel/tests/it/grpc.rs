//! gRPC, against a receiver made of OpenTelemetry's own stubs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use obs_core::{Batch, Descriptor, ErrorKind, Exporter, Health, Retry, Signal};
use obs_http::{Auth, Compression, HttpConfig};
use obs_otel::{OtelConfig, OtelExporter, Protocol};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_testkit::fixtures;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::support::{Bench, Sent, TOKEN};

type Answers = Arc<dyn Fn() -> Result<Option<ExportTracePartialSuccess>, Status> + Send + Sync>;

/// A receiver on this machine.
#[derive(Clone)]
pub(crate) struct Receiver {
    answer: Answers,
    got: Arc<Mutex<Vec<(MetadataMap, Sent)>>>,
}

impl Receiver {
    fn keep(&self, metadata: MetadataMap, sent: Sent) {
        self.got.lock().unwrap().push((metadata, sent));
    }

    pub(crate) fn take(&self) -> Vec<(MetadataMap, Sent)> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }

    async fn start(
        answer: impl Fn() -> Result<Option<ExportTracePartialSuccess>, Status> + Send + Sync + 'static,
    ) -> (Self, SocketAddr) {
        Self::start_with(Server::builder(), answer).await
    }

    async fn start_with(
        mut server: Server,
        answer: impl Fn() -> Result<Option<ExportTracePartialSuccess>, Status> + Send + Sync + 'static,
    ) -> (Self, SocketAddr) {
        let receiver = Self { answer: Arc::new(answer), got: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gzip = CompressionEncoding::Gzip;
        let traces = TraceServiceServer::new(receiver.clone()).accept_compressed(gzip).send_compressed(gzip);
        let metrics = MetricsServiceServer::new(receiver.clone()).accept_compressed(gzip);
        let logs = LogsServiceServer::new(receiver.clone()).accept_compressed(gzip);
        let server = server.add_service(traces).add_service(metrics).add_service(logs);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (receiver, address)
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (metadata, _, body) = request.into_parts();
        self.keep(metadata, Sent::Traces(body));
        (self.answer)().map(|partial_success| Response::new(ExportTraceServiceResponse { partial_success }))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (metadata, _, body) = request.into_parts();
        self.keep(metadata, Sent::Metrics(body));
        (self.answer)().map(|_| Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let (metadata, _, body) = request.into_parts();
        self.keep(metadata, Sent::Logs(body));
        (self.answer)().map(|_| Response::new(ExportLogsServiceResponse::default()))
    }
}

struct OverGrpc {
    receiver: Receiver,
    exporter: Arc<OtelExporter>,
}

#[tonic::async_trait]
impl Harness for OverGrpc {
    fn descriptor() -> Descriptor {
        obs_otel::DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        None
    }

    async fn start(_: Setup) -> Self {
        let (receiver, address) = Receiver::start(|| Ok(None)).await;
        Self { receiver, exporter: Arc::new(exporter(address)) }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for (metadata, sent) in &*self.receiver.got.lock().unwrap() {
            observed.writes += 1;
            observed.bytes.extend_from_slice(format!("{sent:?}").as_bytes());
            assert!(metadata.contains_key("authorization"));
            for (signal, count) in sent.counts() {
                observed.records[signal.index()] += count;
            }
        }
        observed
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}

obs_testkit::conformance!(OverGrpc);

fn config(address: SocketAddr) -> OtelConfig {
    let http = HttpConfig::new(format!("http://{address}"))
        .with_auth(Auth::bearer(TOKEN))
        .with_header("X-Tenant", "a");
    crate::support::config("").with_http(http).with_protocol(Protocol::Grpc)
}

fn exporter(address: SocketAddr) -> OtelExporter {
    OtelExporter::new(config(address)).unwrap()
}

fn spans() -> Batch {
    fixtures::trace_batches().remove(0)
}

#[tokio::test]
async fn every_signal_arrives_as_it_does_over_http_with_its_metadata() {
    let (receiver, address) = Receiver::start(|| Ok(None)).await;
    let exporter = exporter(address);
    let http = Bench::start().await;
    for batch in fixtures::all() {
        let batch = obs_testkit::conformance::input(&batch, exporter.descriptor());
        if !exporter.descriptor().signals().contains(batch.signal()) {
            continue;
        }
        let outcome = exporter.export(&batch).await;
        assert_eq!(outcome.unwrap(), http.export(&batch).await.unwrap(), "{}", batch.signal());
        let got = receiver.take();
        let sent: Vec<_> = got.iter().map(|(_, sent)| sent.clone()).collect();
        let over_http: Vec<_> = http.server.take_requests().iter().map(Sent::of).collect();
        assert!(!sent.is_empty());
        assert_eq!(format!("{sent:?}"), format!("{over_http:?}"), "{}", batch.signal());
        for (metadata, _) in got {
            assert_eq!(metadata.get("authorization").unwrap(), format!("Bearer {TOKEN}").as_str());
            assert_eq!(metadata.get("x-tenant").unwrap(), "a");
            assert_eq!(metadata.get("grpc-timeout").unwrap(), "10000000u");
            assert!(metadata.get("user-agent").unwrap().to_str().unwrap().starts_with("obs/"));
        }
    }
    assert_eq!(exporter.check().await, Health::Healthy);
    exporter.shutdown().await.unwrap();
    assert_eq!(exporter.export(&spans()).await.unwrap_err().kind(), ErrorKind::Closed);
}

/// A receiver with TLS that wants to see a certificate of its own authority, and the files of both sides.
async fn start_with_tls(folder: &std::path::Path) -> (Receiver, u16) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let of = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let signed =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        (signed.pem(), key.serialize_pem())
    };
    let (own, client) = (of("localhost"), of("client.example"));
    for (name, pem) in [("ca.pem", &authority.pem()), ("me.pem", &client.0), ("me.key", &client.1)] {
        std::fs::write(folder.join(name), pem).unwrap();
    }
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(own.0, own.1))
        .client_ca_root(Certificate::from_pem(authority.pem()));
    let (receiver, address) =
        Receiver::start_with(Server::builder().tls_config(tls).unwrap(), || Ok(None)).await;
    (receiver, address.port())
}

#[tokio::test]
async fn a_receiver_with_tls_is_trusted_by_the_files_authority_and_shown_the_clients_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, port) = start_with_tls(folder.path()).await;
    let file = |name: &str| folder.path().join(name);
    let http = HttpConfig::new(format!("localhost:{port}")).with_auth(Auth::bearer(TOKEN));
    let trusting = http.clone().with_ca_file(file("ca.pem"));
    let known = trusting.clone().with_client_certificate(file("me.pem"), file("me.key"));
    let export = async |http: HttpConfig| {
        let config = OtelConfig::default().with_http(http).with_protocol(Protocol::Grpc);
        OtelExporter::new(config).unwrap().export(&spans()).await
    };
    assert_eq!(export(known).await.unwrap().delivered, spans().len());
    assert_eq!(receiver.take().len(), 1);
    let error = export(trusting).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, &spans()));
    let error = export(http).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Hold(obs_http::HOLD), "{}", error.message());
    assert!(error.message().contains("name its authority in `ca_file`"), "{}", error.message());
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn compressed_requests_are_marked_and_read() {
    let (receiver, address) = Receiver::start(|| Ok(None)).await;
    let mut config = config(address);
    config.http.compression = Some(Compression::Gzip);
    let receipt = OtelExporter::new(config).unwrap().export(&spans()).await.unwrap();
    assert_eq!(receipt.delivered, spans().len());
    let got = receiver.take();
    assert_eq!(got[0].0.get("grpc-encoding").unwrap(), "gzip");
}

#[tokio::test]
async fn what_a_receiver_refuses_of_a_request_is_counted_and_never_sent_again() {
    let error_message = format!("too old,\n{TOKEN}");
    let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message };
    let (receiver, address) = Receiver::start(move || Ok(Some(partial.clone()))).await;
    let receipt = exporter(address).export(&spans()).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (spans().len() - 2, 2));
    assert!(receipt.rejected[0].records.is_none());
    let reason = &receipt.rejected[0].reason;
    assert!(reason.contains("too old"), "{reason}");
    assert!(!reason.contains(TOKEN) && !reason.contains('\n'), "{reason}");
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn a_status_is_retried_only_where_the_specification_says() {
    let wait = Some(Duration::from_secs(7));
    let after = Retry::After(Duration::from_secs(7));
    for (code, told, kind, retry) in [
        (Code::ResourceExhausted, wait, ErrorKind::RateLimited, after),
        (Code::ResourceExhausted, None, ErrorKind::TooLarge, Retry::Never),
        (Code::Unavailable, wait, ErrorKind::Unavailable, after),
        (Code::Unavailable, None, ErrorKind::Unavailable, Retry::Backoff),
        (Code::DataLoss, None, ErrorKind::Unavailable, Retry::Backoff),
        (Code::InvalidArgument, None, ErrorKind::Rejected, Retry::Never),
        (Code::Internal, None, ErrorKind::Rejected, Retry::Never),
        (Code::Unauthenticated, None, ErrorKind::Auth, Retry::Hold(obs_http::HOLD)),
        (Code::Unimplemented, None, ErrorKind::Config, Retry::Hold(obs_http::HOLD)),
    ] {
        let (_, address) = Receiver::start(move || {
            let details =
                told.map_or_else(ErrorDetails::new, |wait| ErrorDetails::with_retry_info(Some(wait)));
            Err(Status::with_error_details(code, format!("no, {TOKEN}"), details))
        })
        .await;
        let error = exporter(address).export(&spans()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{code:?}: {}", error.message());
        assert_eq!(error.undelivered(), &spans());
        assert!(error.message().contains(&format!("{code:?}")), "{}", error.message());
        assert!(!error.message().contains(TOKEN), "{}", error.message());
    }
}

#[tokio::test]
async fn one_record_that_is_refused_for_its_content_is_a_rejection() {
    let (_, address) = Receiver::start(|| Err(Status::invalid_argument("bad span"))).await;
    let receipt = exporter(address).export(&spans().slice(0..1)).await.unwrap();
    assert_eq!(receipt.rejected[0].kind, ErrorKind::Rejected);
    assert!(receipt.rejected[0].reason.contains("bad span"));
}

#[tokio::test]
async fn nobody_there_is_tried_again_and_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let exporter = exporter(address);
    let error = exporter.export(&spans()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!(error.undelivered(), &spans());
    assert!(matches!(exporter.check().await, Health::Unhealthy(_)));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_silent_is_a_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let exporter = exporter(listener.local_addr().unwrap());
    let error = exporter.export(&spans()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.message());
    assert!(error.message().contains("may have arrived"), "{}", error.message());
    assert_eq!((error.retry(), error.undelivered()), (Retry::Backoff, &spans()));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_silent_is_not_used_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let exporter = exporter(listener.local_addr().unwrap());
    for _ in 0..3 {
        assert_eq!(exporter.export(&spans()).await.unwrap_err().kind(), ErrorKind::Timeout);
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(std::iter::from_fn(|| listener.accept().ok()).count(), 3);
}

#[test]
fn an_exporter_outlives_the_runtime_that_it_connected_on() {
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (receiver, address) = server.block_on(Receiver::start(|| Ok(None)));
    let exporter = exporter(address);
    let mut delivered = 0;
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The first try on a new runtime may find the connection of the old one.
        delivered += runtime.block_on(async {
            let mut outcome = exporter.export(&spans()).await;
            if outcome.is_err() {
                outcome = exporter.export(&spans()).await;
            }
            outcome.unwrap().delivered
        });
    }
    assert_eq!((delivered, receiver.take().len()), (3 * spans().len(), 3));
}

#[test]
fn what_grpc_cannot_do_is_refused_with_the_field() {
    let good = || config(([127, 0, 0, 1], 4317).into());
    for (config, field) in [
        (good().with_endpoint("http://jaeger:14268"), "endpoint"),
        (good().with_endpoint("http://other.example:4317"), "endpoint"),
        (good().with_http(HttpConfig::new("https://h:4317").with_proxy("http://proxy:3128")), "proxy"),
        (good().with_http(good().http.with_compression(Compression::Zstd)), "compression"),
        (good().with_http(good().http.with_ca_file("/no/such")), "ca_file"),
    ] {
        let error = OtelExporter::new(config).unwrap_err();
        assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
    }
    let signals = exporter(([127, 0, 0, 1], 4317).into()).descriptor().signals();
    assert!(signals.contains(Signal::Traces));
}
