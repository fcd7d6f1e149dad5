//! One API's way: a client, and how a request looks there.

use obs_core::{Error, Failure, Reply};
use obs_http::{Client, Request};

use crate::policies::{CHECK, EVENTS, METRICS, OTLP};
use crate::reply;
use crate::route::Route;
use crate::wire::{Place, Post};

/// Where a user finds the key, and what it goes together with.
const KEY: &str = "`license_key` (NEW_RELIC_LICENSE_KEY)";
const KEY_AND_ACCOUNT: &str = "`license_key` and `account_id` (NEW_RELIC_LICENSE_KEY, NEW_RELIC_ACCOUNT_ID)";

/// The way to one API.
#[derive(Debug)]
pub(crate) struct Way {
    client: Client,
}

impl Way {
    pub(crate) fn new(route: &Route) -> Result<Self, Error> {
        let client = Client::new(&route.http).map_err(|error| named(route.field, error))?;
        let key = if route.field == "events_api_url" { KEY_AND_ACCOUNT } else { KEY };
        Ok(Self { client: client.with_credential_name(key) })
    }

    /// Sends a body, and says what became of its records.
    pub(crate) async fn send(&self, Post { place, body }: Post) -> Result<Reply, Failure> {
        let policy = match place {
            Place::Traces | Place::Metrics | Place::Logs => &OTLP,
            Place::MetricApi => &METRICS,
            Place::Events => &EVENTS,
        };
        let answer = self.client.send(&self.request(place, body), policy).await?;
        reply::read(place, &self.client, &answer)
    }

    /// Sends a request without content, which leaves nothing there and shows whether the key is good.
    pub(crate) async fn ask(&self, place: Place) -> Result<(), Failure> {
        let answer = self.client.send(&self.request(place, Vec::new()), &CHECK).await?;
        // A status that refuses the empty content is what a good key gets.
        if answer.status() < 300 { reply::taken(&self.client, &answer) } else { Ok(()) }
    }

    fn request(&self, place: Place, body: Vec<u8>) -> Request {
        let (path, content_type) = match place {
            Place::Traces => ("/v1/traces", "application/x-protobuf"),
            Place::Metrics => ("/v1/metrics", "application/x-protobuf"),
            Place::Logs => ("/v1/logs", "application/x-protobuf"),
            Place::MetricApi | Place::Events => ("", "application/json"),
        };
        Request::post(path).with_content_type(content_type).with_body(self.client.body(body))
    }
}

/// An error that names the option that the address stands in, or the one that the credential is.
fn named(field: &str, error: Error) -> Error {
    let option = [("endpoint: ", field), ("auth: ", "license_key")];
    let renamed = option.iter().find_map(|(prefix, own)| Some((own, error.message().strip_prefix(prefix)?)));
    match renamed {
        Some((own, cause)) if *own != "endpoint" => Error::config(own, cause),
        _ => error,
    }
}
