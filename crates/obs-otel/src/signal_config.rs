//! What may differ from signal to signal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use obs_core::{Secret, suggest};
use obs_http::{Auth, Compression};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::{Address, Protocol};

/// Where and how one signal goes, in place of what goes for all of them; nothing set changes nothing.
///
/// Scores and feedback go the way of logs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SignalConfig {
    /// The whole address, to which nothing is added but for gRPC: `http://localhost:4318/v1/traces`.
    pub endpoint: Option<Address>,
    /// How requests are written and carried.
    pub protocol: Option<Protocol>,
    /// Headers in place of those for all signals; their values count as credentials.
    #[serde(deserialize_with = "headers")]
    pub headers: Option<BTreeMap<String, Secret>>,
    /// The credential in place of that for all signals; `none` for no credential.
    pub auth: Option<Auth>,
    /// How long a request may take as a whole.
    #[serde(with = "obs_core::units::duration::option")]
    pub timeout: Option<Duration>,
    /// How bodies are compressed.
    pub compression: Option<Compression>,
    /// A file of certificates in PEM that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate in PEM that this client shows.
    pub client_certificate: Option<PathBuf>,
    /// A file with the key of that certificate in PEM.
    pub client_key: Option<PathBuf>,
    /// For gRPC, whether an endpoint without a scheme is one without TLS.
    pub insecure: Option<bool>,
}

impl SignalConfig {
    /// Sends the signal to this whole address.
    pub fn new(endpoint: impl Into<Address>) -> Self {
        Self { endpoint: Some(endpoint.into()), ..Self::default() }
    }

    /// Sets how requests are written and carried.
    #[must_use]
    pub fn with_protocol(self, protocol: Protocol) -> Self {
        Self { protocol: Some(protocol), ..self }
    }

    /// Adds a header to those of this signal.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// Sets the credential of this signal; [`Auth::None`] for no credential.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth: Some(auth), ..self }
    }

    /// Sets how long a request may take as a whole.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Sets how bodies are compressed.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self { compression: Some(compression), ..self }
    }
}

/// Headers; what is none is refused without being repeated, since it holds a credential all the same.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeMap<String, Secret>>, D::Error> {
    Option::deserialize(deserializer).map_err(|_| {
        D::Error::custom(r#"headers: they are no map; write {"NAME": "VALUE"}, each value a text"#)
    })
}

impl<'de> Deserialize<'de> for SignalConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}
