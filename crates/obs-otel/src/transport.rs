//! The way that the requests of one service take.

use obs_core::{Error, Failure, Reply};
use obs_http::{Client, HttpConfig, Policy};
use obs_otlp::encode::Encoding;

use crate::Protocol;
use crate::plan::Line;
use crate::reply::{self, Asked};
use crate::wire::{Items, Request, Service};

/// What OTLP has retried over HTTP.
pub(crate) const EXPORT: Policy = Policy::OTLP;

/// One service's way.
#[derive(Debug)]
pub(crate) enum Transport {
    Http(Box<Http>),
    #[cfg(feature = "grpc")]
    Grpc(Box<crate::grpc::Channel>),
}

/// OTLP over HTTP.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    target: &'static str,
    encoding: Encoding,
}

impl Transport {
    /// The three of them; those that differ in nothing but the path share their connections.
    pub(crate) fn all(lines: &[Line; 3]) -> Result<[Self; 3], Error> {
        let mut clients: Vec<(&HttpConfig, Client)> = Vec::new();
        let mut of = |line| Self::of(line, &mut clients);
        let [traces, metrics, logs] = lines;
        Ok([of(traces)?, of(metrics)?, of(logs)?])
    }

    fn of<'a>(line: &'a Line, clients: &mut Vec<(&'a HttpConfig, Client)>) -> Result<Self, Error> {
        let client = match clients.iter().find(|(http, _)| **http == line.http) {
            Some((_, client)) => client.clone(),
            None => Client::new(&line.http).map_err(|error| named(line, error))?,
        };
        clients.push((&line.http, client.clone()));
        let encoding = match line.protocol {
            Protocol::HttpJson => Encoding::Json,
            Protocol::HttpProtobuf => Encoding::Protobuf,
            #[cfg(feature = "grpc")]
            Protocol::Grpc => {
                return crate::grpc::Channel::new(line, client).map(|channel| Self::Grpc(Box::new(channel)));
            }
            #[cfg(not(feature = "grpc"))]
            Protocol::Grpc => Encoding::Protobuf,
        };
        Ok(Self::Http(Box::new(Http { client, target: line.target, encoding })))
    }

    /// How requests are written.
    pub(crate) fn encoding(&self) -> Encoding {
        match self {
            Self::Http(http) => http.encoding,
            #[cfg(feature = "grpc")]
            Self::Grpc(_) => Encoding::Protobuf,
        }
    }

    /// Sends one request, and says what became of its records.
    pub(crate) async fn send(&self, Request { service, body, items }: Request) -> Result<Reply, Failure> {
        match self {
            Self::Http(http) => {
                let Http { client, target, encoding } = &**http;
                let request = obs_http::Request::post(*target)
                    .with_content_type(encoding.content_type())
                    .with_body(client.body(body));
                let answer = client.send(&request, &EXPORT).await?;
                let asked = Asked { service, items: &items, place: &client.place(), client };
                Ok(reply::read(&asked, answer.header("content-type"), answer.body()))
            }
            #[cfg(feature = "grpc")]
            Self::Grpc(channel) => channel.send(service, body, &items).await,
        }
    }

    /// Sends a request without records, which every receiver answers as it would one with them.
    pub(crate) async fn ask(&self, service: Service) -> Result<(), Failure> {
        let body = match self.encoding() {
            Encoding::Protobuf => Vec::new(),
            Encoding::Json => b"{}".to_vec(),
        };
        self.send(Request { service, body, items: Items::Records }).await.map(|_| ())
    }
}

/// An error that names the option that the address stands in.
fn named(line: &Line, error: Error) -> Error {
    match error.message().strip_prefix("endpoint: ") {
        Some(cause) if line.field != "endpoint" => Error::config(line.field, cause),
        _ => error,
    }
}
