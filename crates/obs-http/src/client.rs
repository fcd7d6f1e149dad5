//! A checked config, ready to send.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use obs_core::{Error, Secret, Timestamp};
use obs_redact::Redactor;

use crate::endpoint::Endpoint;
use crate::proxy::Proxy;
use crate::quote::{SECRET_FROM, Scrubber, is_secret};
use crate::{Auth, Body, Compression, HttpConfig, connector};

/// What requests say they come from.
const USER_AGENT: &str = concat!("obs/", env!("CARGO_PKG_VERSION"));

/// Headers that the client sets itself.
const OWN_HEADERS: [HeaderName; 4] = [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING];

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Sends requests to one endpoint.
///
/// Cloning is cheap and shares the connections.
/// It can be made anywhere, also outside of a runtime, and sends on whatever tokio runtime polls it.
/// It keeps connections for 30 s, follows no redirect and repeats nothing: repeating is the delivery's matter.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) endpoint: Endpoint,
    /// The config's headers and credential.
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) max_answer: usize,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) credential: Arc<str>,
    pub(crate) clock: Option<Clock>,
}

impl Client {
    /// Checks the config and makes a client of it; nothing is sent.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step: an endpoint that is none, has a user or password,
    /// or is link-local without `allow_link_local`; credentials that go over plain `http` to another machine, be it the
    /// backend or the proxy, without `allow_http`; a header that none can be; a file of certificates that cannot be
    /// read; a proxy that is none; a timeout of zero.
    pub fn new(config: &HttpConfig) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(&config.endpoint)?;
        if endpoint.is_link_local() && !config.allow_link_local {
            return Err(Error::config(
                "endpoint",
                format!(
                    "\"{}\" is a link-local address, where clouds serve the machine's credentials; set \
                     another, or allow_link_local = true",
                    endpoint.place()
                ),
            ));
        }
        for (field, timeout) in [("timeout", config.timeout), ("connect_timeout", config.connect_timeout)] {
            if timeout.is_zero() {
                return Err(Error::config(field, "0 leaves no time at all; set one such as \"10s\""));
            }
        }
        let headers = headers(config)?;
        let proxy = Proxy::of(config, &endpoint)?;
        guard_credentials(config, &endpoint, &proxy)?;
        let http = connector::build(config, &proxy, USER_AGENT)?;
        Ok(Self {
            http,
            headers,
            timeout: config.timeout,
            compression: config.compression.unwrap_or_default(),
            max_answer: usize::try_from(config.max_answer.get()).unwrap_or(usize::MAX),
            scrubber: Arc::new(Scrubber::new(secrets(config, &endpoint, &proxy))),
            credential: if matches!(config.auth, Auth::None) { "`auth` or `headers`" } else { "`auth`" }
                .into(),
            clock: None,
            endpoint,
        })
    }

    /// Says where the user sets the credential, for messages: `public_key and secret_key (LANGFUSE_SECRET_KEY)`.
    #[must_use]
    pub fn with_credential_name(self, name: &str) -> Self {
        Self { credential: name.into(), ..self }
    }

    /// Keeps these out of messages, too: credentials that the caller puts into bodies, and that an answer may repeat.
    ///
    /// Those of less than six bytes are taken for none: each `1` of a message would go.
    #[must_use]
    pub fn with_secrets(self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.expose().len() >= SECRET_FROM);
        Self { scrubber: Arc::new(self.scrubber.knowing(secrets)), ..self }
    }

    /// Gives the wall clock that a date in `Retry-After` is compared with where the answer has no `Date`.
    ///
    /// Without one such a date is not read.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// A body compressed as configured.
    pub fn body(&self, bytes: impl Into<bytes::Bytes>) -> Body {
        Body::compressed(bytes, self.compression)
    }

    /// The headers of every request, the credential among them: for a transport beside HTTP/1 that the caller brings, such
    /// as gRPC.
    ///
    /// Their values are marked sensitive; whoever takes them keeps them out of everything, too.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What a backend said, as a message may quote it: one line of at most 2 KiB without credentials; `None` if nothing is left.
    pub fn quote(&self, said: &str) -> Option<String> {
        self.scrubber.quote(said.as_bytes(), false)
    }

    /// The endpoint as it may be shown: without a query, and with `/…` for a path that holds what looks like a key.
    pub fn place(&self) -> String {
        self.scrubber.clean(&self.endpoint.place())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.place())
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// The config's headers and credential, marked sensitive.
fn headers(config: &HttpConfig) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let refuse = |cause: &str| Error::config("headers", format!("`{}` {cause}", name.escape_debug()));
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| refuse("is no name of a header; use letters, digits and hyphens"))?;
        if OWN_HEADERS.contains(&name) {
            return Err(refuse("is set by the client itself; remove it"));
        }
        if headers.insert(name, header_value(value).map_err(refuse)?).is_some() {
            return Err(refuse("is there twice, in upper and lower case; remove one"));
        }
    }
    let Some((name, value)) = config.auth.as_header() else { return Ok(headers) };
    let refuse = |cause: &str| Error::config("auth", cause);
    if let Auth::Basic { user, password } = &config.auth {
        if user.expose().contains(':') {
            return Err(refuse("the user has a colon, which would end it; check the user"));
        }
        if [user, password].iter().any(|part| part.expose().chars().any(char::is_control)) {
            return Err(refuse(
                "the user or password has a control character, such as a line break; remove it",
            ));
        }
    } else if config.auth.secrets().iter().any(|secret| secret.expose().trim().is_empty()) {
        return Err(refuse("the credential is empty; set it, or auth = \"none\""));
    }
    let name = HeaderName::try_from(name)
        .map_err(|_| refuse("the header's name is none; use letters, digits and hyphens"))?;
    if OWN_HEADERS.contains(&name) {
        return Err(refuse("the header is set by the client itself; use the backend's own"));
    }
    let value = header_value(&value).map_err(|cause| refuse(&format!("the credential {cause}")))?;
    if headers.contains_key(&name) {
        return Err(refuse(&format!("`{name}` stands in `headers`, too; remove one of them")));
    }
    headers.insert(name, value);
    Ok(headers)
}

fn header_value(secret: &Secret) -> Result<HeaderValue, &'static str> {
    let value = HeaderValue::from_bytes(secret.expose().as_bytes());
    let mut value =
        value.map_err(|_| "has a character that no header may have, such as a line break; remove it")?;
    value.set_sensitive(true);
    Ok(value)
}

/// What must appear nowhere.
fn secrets(config: &HttpConfig, endpoint: &Endpoint, proxy: &Proxy) -> Vec<Secret> {
    let redactor = Redactor::default();
    let headers = credentials(config).filter(|(name, value)| is_secret(&redactor, name, value.expose()));
    let mut secrets = config.auth.secrets();
    secrets.extend(headers.map(|(_, value)| value.clone()));
    secrets.extend(proxy.secrets());
    secrets.extend(endpoint.secrets());
    secrets
}

/// Refuses credentials over plain `http` to another machine, and names plain `http` once in the log.
fn guard_credentials(config: &HttpConfig, endpoint: &Endpoint, proxy: &Proxy) -> Result<(), Error> {
    let place = endpoint.place();
    let plain = !(endpoint.is_https() || endpoint.is_loopback() && proxy.is_local());
    let to_backend = if plain { credential(config, endpoint) } else { None };
    if let Some(carried) = to_backend
        && !config.allow_http
    {
        return Err(Error::config(
            "endpoint",
            format!(
                "\"{place}\" is plain http, over which anyone on the way can read the credential in {carried}; use \
                 https, or set allow_http = true"
            ),
        ));
    }
    if !config.allow_http {
        proxy.refuse_plain_credentials()?;
    }
    let carried: Vec<&str> =
        to_backend.into_iter().chain(proxy.shows_credentials().then_some("`proxy`")).collect();
    if !carried.is_empty() {
        tracing::warn!(
            target: "obs::http",
            endpoint = %place,
            "plain http by allow_http: anyone on the way can read the credential in {}",
            carried.join(" and ")
        );
    } else if plain {
        tracing::info!(target: "obs::http", endpoint = %place, "plain http: anyone on the way can read what is sent");
    }
    Ok(())
}

/// The headers whose values count as credentials.
fn credentials(config: &HttpConfig) -> impl Iterator<Item = (&String, &Secret)> {
    config.headers.iter().filter(|(name, _)| !config.plain_headers.contains(*name))
}

/// Where the config has a credential for the backend.
fn credential(config: &HttpConfig, endpoint: &Endpoint) -> Option<&'static str> {
    if !matches!(config.auth, Auth::None) {
        Some("`auth`")
    } else if credentials(config).next().is_some() {
        Some("`headers`")
    } else {
        endpoint.has_secret_query().then_some("the query of `endpoint`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_6_what_the_config_gives_is_marked_sensitive() {
        for auth in [Auth::bearer("t"), Auth::basic("u", "p"), Auth::header("x-key", "k")] {
            let config = HttpConfig::new("https://h").with_header("x-any", "v").with_auth(auth);
            let client = Client::new(&config).unwrap();
            assert_eq!(client.headers.len(), 2);
            assert!(client.headers.values().all(HeaderValue::is_sensitive));
        }
    }
}
