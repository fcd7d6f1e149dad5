//! One signal's way: a client, and how a request looks there.

use obs_core::{Error, ErrorKind, Failure, Reply, Retry};
use obs_http::{Body, Client, Policy};
use obs_otlp::encode::Encoding;

use crate::policies::{CHECK, LOKI, REMOTE_WRITE};
use crate::reply;
use crate::route::{Form, Route};
use crate::wire::Place;

/// What OTLP has retried.
const OTLP: Policy = Policy::OTLP;

const TENANT: &str = "x-scope-orgid";

/// One signal's way.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) form: Form,
    client: Client,
    tenant: Option<String>,
}

impl Way {
    pub(crate) fn new(route: &Route, tenant: Option<&String>) -> Result<Self, Error> {
        let client = Client::new(&route.http).map_err(|error| named(route.field, error))?;
        let client = client.with_credential_name(route.credential);
        Ok(Self { form: route.form, client, tenant: tenant.cloned() })
    }

    /// Sends one request, and says what became of its records.
    pub(crate) async fn send(&self, place: Place, body: Vec<u8>) -> Result<Reply, Failure> {
        let request = self.request(body)?;
        match self.form {
            Form::Otlp => {
                let answer = self.client.send(&request, &OTLP).await?;
                Ok(reply::read(place, &self.client, &answer))
            }
            Form::Loki => self.client.send(&request, &LOKI).await.map(|_| Reply::default()),
            Form::RemoteWrite => self.client.send(&request, &REMOTE_WRITE).await.map(|_| Reply::default()),
        }
    }

    /// Sends a request without records, which shows whether the credential is good.
    pub(crate) async fn ask(&self) -> Result<(), Failure> {
        let body = match self.form {
            Form::Otlp | Form::RemoteWrite => Vec::new(),
            Form::Loki => b"{\"streams\":[]}".to_vec(),
        };
        self.client.send(&self.request(body)?, &CHECK).await.map(|_| ())
    }

    fn request(&self, body: Vec<u8>) -> Result<obs_http::Request, Failure> {
        let post = obs_http::Request::post("");
        let request = match self.form {
            Form::Otlp => {
                post.with_content_type(Encoding::Protobuf.content_type()).with_body(self.client.body(body))
            }
            Form::Loki => post.with_content_type("application/json").with_body(self.client.body(body)),
            Form::RemoteWrite => post
                .with_content_type("application/x-protobuf")
                .with_header("content-encoding", "snappy")
                .with_header("x-prometheus-remote-write-version", "0.1.0")
                .with_body(Body::plain(compressed(&body)?)),
        };
        Ok(match &self.tenant {
            Some(tenant) => request.with_header(TENANT, tenant),
            None => request,
        })
    }
}

/// One block of Snappy, as remote write has it.
fn compressed(body: &[u8]) -> Result<Vec<u8>, Failure> {
    snap::raw::Encoder::new().compress_vec(body).map_err(|cause| Failure {
        kind: ErrorKind::Encode,
        retry: Retry::Never,
        status: None,
        message: format!("remote write: {cause}").into(),
    })
}

/// An error that names the option that the address stands in.
fn named(field: &str, error: Error) -> Error {
    match error.message().strip_prefix("endpoint: ") {
        Some(cause) if field != "endpoint" => Error::config(field, cause),
        _ => error,
    }
}
