//! What a user gives to every exporter that speaks HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{Secret, suggest};
use serde::{Deserialize, Deserializer};

use crate::flat::{KnownFields, RENAMED};
use crate::given;
use crate::place::shown;
use crate::{Auth, Compression};

/// Where requests go and how; both the shape in a file and the builder.
///
/// Every exporter over HTTP flattens it into its own struct, so that its options stand beside the exporter's.
/// serde's `deny_unknown_fields` does not go together with `flatten`; [`HttpConfig::beside`] stands in for it.
/// All values are checked by [`Client::new`](crate::Client::new).
/// What stands in `endpoint`, `headers`, `auth` and `proxy` is repeated by no error of reading.
///
/// ```
/// use obs_http::{Auth, HttpConfig};
///
/// let config = HttpConfig::new("https://api.example.com").with_auth(Auth::bearer("token"));
/// let error = serde_json::from_str::<HttpConfig>(r#"{"timeout_seconds": 30}"#).unwrap_err();
/// assert!(error.to_string().contains("did you mean `timeout`?"));
/// # drop(config);
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The backend's address: `http` or `https`, a host, perhaps a port and a path. Requests go below it and nowhere
    /// else. A user or password in it is refused.
    #[serde(deserialize_with = "given::endpoint")]
    pub endpoint: String,
    /// Headers of every request; their values count as credentials.
    #[serde(deserialize_with = "given::headers")]
    pub headers: BTreeMap<String, Secret>,
    /// The names of those headers whose values are no credentials, which an exporter knows and no file says: they may go
    /// over plain `http`, and messages may show them.
    #[serde(skip)]
    pub plain_headers: BTreeSet<String>,
    /// The credential.
    pub auth: Auth,
    /// How long a request may take as a whole, from connecting to the last byte of the answer; 10 s by default, as
    /// in OpenTelemetry.
    #[serde(deserialize_with = "field::timeout")]
    pub timeout: Duration,
    /// How long connecting may take of it; 5 s by default, so that an address that answers nothing is known for it.
    #[serde(deserialize_with = "field::connect_timeout")]
    pub connect_timeout: Duration,
    /// How bodies are compressed; by default as the exporter knows its backend to take it, and not at all where it
    /// knows nothing, since a server that cannot read gzip refuses everything.
    pub compression: Option<Compression>,
    /// A file of certificates in PEM that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate in PEM that this client shows, and those that lead to its authority; none by default.
    pub client_certificate: Option<PathBuf>,
    /// A file with the key of that certificate in PEM.
    pub client_key: Option<PathBuf>,
    /// The proxy's address, with user and password if it wants them; `none` for no proxy. By default what the
    /// environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), which never concerns this machine's
    /// own addresses.
    #[serde(deserialize_with = "given::proxy")]
    pub proxy: Option<Secret>,
    /// Whether credentials may go over plain `http` to another machine; off by default.
    pub allow_http: bool,
    /// Whether the endpoint may be a link-local address, where clouds serve the machine's credentials; off by default.
    pub allow_link_local: bool,
    /// What requests say they come from; `obs/VERSION` by default.
    pub user_agent: Option<String>,
    /// How much of an answer is read; `4MiB` by default, OTLP's limit. What is longer is cut.
    #[serde(deserialize_with = "field::max_answer")]
    pub max_answer: Bytes,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            headers: BTreeMap::new(),
            plain_headers: BTreeSet::new(),
            auth: Auth::None,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            compression: None,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            proxy: None,
            allow_http: false,
            allow_link_local: false,
            user_agent: None,
            max_answer: Bytes::new(4 << 20),
        }
    }
}

impl<'de> Deserialize<'de> for HttpConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(|error| suggest::error_renamed(error, RENAMED))
    }
}

impl HttpConfig {
    /// The names of all fields, as they stand in a file.
    pub const FIELDS: &[&str] = &[
        "endpoint",
        "headers",
        "auth",
        "timeout",
        "connect_timeout",
        "compression",
        "ca_file",
        "client_certificate",
        "client_key",
        "proxy",
        "allow_http",
        "allow_link_local",
        "user_agent",
        "max_answer",
    ];

    /// Requests to this address, and the defaults.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..Self::default() }
    }

    /// A deserializer for an exporter's config that flattens this one: it refuses every field but the exporter's own,
    /// which are given, and [`FIELDS`](Self::FIELDS), with the nearest name.
    ///
    /// ```
    /// use obs_http::HttpConfig;
    /// use serde::{Deserialize, Deserializer};
    ///
    /// #[derive(Debug, Default, Deserialize)]
    /// #[serde(remote = "Self", default)]
    /// struct HookConfig {
    ///     batch: bool,
    ///     #[serde(flatten)]
    ///     http: HttpConfig,
    /// }
    ///
    /// impl<'de> Deserialize<'de> for HookConfig {
    ///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
    ///         Self::deserialize(HttpConfig::beside(&["batch"], deserializer))
    ///     }
    /// }
    ///
    /// let config: HookConfig = serde_json::from_str(r#"{"batch": true, "timeout": "3s"}"#)?;
    /// assert!(config.batch && config.http.timeout.as_secs() == 3);
    /// let error = serde_json::from_str::<HookConfig>(r#"{"timeout_seconds": 3}"#).unwrap_err();
    /// assert!(error.to_string().contains("did you mean `timeout`?"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn beside<'de, D: Deserializer<'de>>(
        own: &'static [&'static str],
        deserializer: D,
    ) -> KnownFields<D> {
        KnownFields::new(deserializer, own)
    }

    /// Sets the endpoint if the user gave none: for an exporter that knows its backend's.
    #[must_use]
    pub fn with_default_endpoint(mut self, endpoint: &str) -> Self {
        if self.endpoint.is_empty() {
            endpoint.clone_into(&mut self.endpoint);
        }
        self
    }

    /// Sets the compression if the user gave none: for an exporter that knows what its backend takes.
    #[must_use]
    pub fn with_default_compression(mut self, compression: Compression) -> Self {
        self.compression.get_or_insert(compression);
        self
    }

    /// Sets the address.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let name = name.into();
        self.plain_headers.remove(&name);
        self.headers.insert(name, value.into());
        self
    }

    /// Adds a header whose value is no credential to every request: for an exporter that knows it, such as of a dataset's
    /// name.
    #[must_use]
    pub fn with_plain_header(self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let name = name.into();
        let mut with = self.with_header(name.clone(), value);
        with.plain_headers.insert(name);
        with
    }

    /// Sets the credential.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Sets how long a request may take as a whole.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets how long connecting may take.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets how bodies are compressed.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self { compression: Some(compression), ..self }
    }

    /// Trusts the certificates of this file, too.
    #[must_use]
    pub fn with_ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(path.into()), ..self }
    }

    /// Shows the certificate of this file, whose key is in the other.
    #[must_use]
    pub fn with_client_certificate(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { client_certificate: Some(certificate.into()), client_key: Some(key.into()), ..self }
    }

    /// Sets the proxy, or `none`.
    #[must_use]
    pub fn with_proxy(self, proxy: impl Into<Secret>) -> Self {
        Self { proxy: Some(proxy.into()), ..self }
    }

    /// Sets whether credentials may go over plain `http`.
    #[must_use]
    pub fn with_allow_http(self, allow_http: bool) -> Self {
        Self { allow_http, ..self }
    }

    /// Sets whether the endpoint may be a link-local address.
    #[must_use]
    pub fn with_allow_link_local(self, allow_link_local: bool) -> Self {
        Self { allow_link_local, ..self }
    }

    /// Sets what requests say they come from.
    #[must_use]
    pub fn with_user_agent(self, user_agent: impl Into<String>) -> Self {
        Self { user_agent: Some(user_agent.into()), ..self }
    }

    /// Sets how much of an answer is read.
    #[must_use]
    pub fn with_max_answer(self, max_answer: Bytes) -> Self {
        Self { max_answer, ..self }
    }
}

/// Shows the endpoint without a user, password, key and query, and of the secrets nothing.
impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("endpoint", &shown(&self.endpoint))
            .field("headers", &self.headers)
            .field("plain_headers", &self.plain_headers)
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("compression", &self.compression)
            .field("ca_file", &self.ca_file)
            .field("client_certificate", &self.client_certificate)
            .field("client_key", &self.client_key)
            .field("proxy", &self.proxy)
            .field("allow_http", &self.allow_http)
            .field("allow_link_local", &self.allow_link_local)
            .field("user_agent", &self.user_agent)
            .field("max_answer", &self.max_answer)
            .finish()
    }
}

/// Values with a unit whose errors name their field, since a flattened struct has no line and column to tell.
mod field {
    use super::{Bytes, Deserialize, Deserializer, Duration};
    use obs_core::units::duration;
    use serde::de::Error;

    pub(super) fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        duration::deserialize(deserializer).map_err(|cause| D::Error::custom(format!("timeout: {cause}")))
    }

    pub(super) fn connect_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        duration::deserialize(deserializer)
            .map_err(|cause| D::Error::custom(format!("connect_timeout: {cause}")))
    }

    pub(super) fn max_answer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        Bytes::deserialize(deserializer).map_err(|cause| D::Error::custom(format!("max_answer: {cause}")))
    }
}
