//! The way over gRPC: bodies that are encoded already go out as they are.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use obs_core::{Error, Failure, Reply};
use obs_http::{Client, Compression};
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel as Connection, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::grpc_status;
use crate::plan::Line;
use crate::reply::{self, Asked};
use crate::wire::{Items, Service};

const USER_AGENT: &str = concat!("obs/", env!("CARGO_PKG_VERSION"));

/// How long a connection is idle before the system asks whether the other side still is there.
///
/// HTTP/2 has pings of its own, but receivers that are pinged more than every five minutes commonly hang up.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A checked address with its credentials; it connects when something is sent.
pub(crate) struct Channel {
    endpoint: Endpoint,
    /// What checked the config, knows the credentials, and keeps them out of messages.
    client: Client,
    compression: Option<CompressionEncoding>,
    timeout: Duration,
    max_answer: usize,
    /// It lives on the runtime that it was made on, and is made anew where that has ended.
    connection: Mutex<Option<Connection>>,
}

impl Channel {
    pub(crate) fn new(line: &Line, client: Client) -> Result<Self, Error> {
        let http = &line.http;
        if http.proxy.as_ref().is_some_and(|proxy| !proxy.expose().eq_ignore_ascii_case("none")) {
            return Err(Error::config(
                "proxy",
                "gRPC goes through none here; set http/protobuf, or remove it",
            ));
        }
        let refuse = |cause: &dyn fmt::Display| {
            Error::config(line.field, format!("\"{}\" cannot be used for gRPC: {cause}", client.place()))
        };
        let mut endpoint = Endpoint::from_shared(http.endpoint.clone())
            .and_then(|endpoint| {
                endpoint.user_agent(http.user_agent.clone().unwrap_or(USER_AGENT.to_owned()))
            })
            .map_err(|cause| refuse(&cause))?
            .connect_timeout(http.connect_timeout)
            .tcp_keepalive(Some(KEEP_ALIVE))
            .tcp_nodelay(true);
        if http.endpoint.starts_with("https://") {
            endpoint = endpoint.tls_config(tls(line)?).map_err(|cause| refuse(&cause))?;
        }
        Ok(Self {
            endpoint,
            client,
            compression: match http.compression.unwrap_or_default() {
                Compression::None => None,
                Compression::Gzip => Some(CompressionEncoding::Gzip),
                Compression::Zstd | Compression::Deflate => {
                    return Err(Error::config("compression", "gRPC receivers read gzip; set gzip or none"));
                }
            },
            timeout: http.timeout,
            max_answer: usize::try_from(http.max_answer.get()).unwrap_or(usize::MAX),
            connection: Mutex::new(None),
        })
    }

    /// Sends one request, and says what became of its records.
    pub(crate) async fn send(
        &self,
        service: Service,
        body: Vec<u8>,
        items: &Items,
    ) -> Result<Reply, Failure> {
        let place = format!("gRPC {} {}", self.client.place(), name(service));
        let asked = Asked { service, items, place: &place, client: &self.client };
        let status = match tokio::time::timeout(self.timeout, self.call(service, body)).await {
            Ok(Ok(answer)) => return Ok(reply::read(&asked, Some("application/x-protobuf"), &answer)),
            Ok(Err(status)) => Some(status),
            Err(_) => None,
        };
        if status.as_ref().is_none_or(grpc_status::is_local) {
            // A connection that is silent may be dead without anybody having said so: the next call makes one anew.
            *self.connection() = None;
        }
        Err(match status.filter(|status| !grpc_status::is_timeout(status)) {
            Some(status) => grpc_status::failure(&place, &status, |said| self.client.quote(said)),
            None => grpc_status::timed_out(&place, self.timeout),
        })
    }

    async fn call(&self, service: Service, body: Vec<u8>) -> Result<Bytes, Status> {
        let connection = self.connection().get_or_insert_with(|| self.endpoint.connect_lazy()).clone();
        let mut grpc = Grpc::new(connection)
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(self.max_answer);
        if let Some(compression) = self.compression {
            grpc = grpc.send_compressed(compression);
        }
        grpc.ready().await.map_err(|cause| Status::from_error(cause.into()))?;
        let mut request = Request::new(Bytes::from(body));
        *request.metadata_mut() = MetadataMap::from_headers(self.client.headers().clone());
        request.set_timeout(self.timeout);
        let answer = grpc.unary(request, path(service), AsItIs).await?;
        Ok(answer.into_inner())
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("client", &self.client)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// What is trusted and shown: the system's authorities, and the config's files.
fn tls(line: &Line) -> Result<ClientTlsConfig, Error> {
    let mut tls = ClientTlsConfig::new().with_native_roots();
    if let Some(path) = &line.http.ca_file {
        tls = tls.ca_certificate(Certificate::from_pem(pem("ca_file", path)?));
    }
    if let (Some(certificate), Some(key)) = (&line.http.client_certificate, &line.http.client_key) {
        let certificate = pem("client_certificate", certificate)?;
        tls = tls.identity(Identity::from_pem(certificate, pem("client_key", key)?));
    }
    Ok(tls)
}

fn pem(field: &str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|cause| Error::config(field, format!("{}: {cause}; check the path", path.display())))
}

const fn name(service: Service) -> &'static str {
    match service {
        Service::Traces => "TraceService",
        Service::Metrics => "MetricsService",
        Service::Logs => "LogsService",
    }
}

const fn path(service: Service) -> PathAndQuery {
    PathAndQuery::from_static(match service {
        Service::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Service::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Service::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    })
}

/// A codec that passes messages on.
#[derive(Debug, Clone, Copy)]
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
