//! An address that a user gives, which may hold a credential.

use std::fmt;

use obs_core::Secret;
use serde::{Deserialize, Deserializer};

/// An address, such as `https://collector.example/v1/traces`.
///
/// It prints without a user, a password, a query and a fragment, since some put a key there.
///
/// ```
/// let address = obs_otel::Address::from("https://user:key@h/v1/traces?token=key");
/// assert_eq!(format!("{address:?}"), "\"https://h/v1/traces\"");
/// assert_eq!(address.as_str(), "https://user:key@h/v1/traces?token=key");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address(String);

impl Address {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it may be shown.
    pub(crate) fn shown(&self) -> String {
        let address = self.0.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let between = if scheme.is_empty() { "" } else { "://" };
        format!("{scheme}{between}{host}{path}")
    }
}

impl From<&str> for Address {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl From<String> for Address {
    fn from(address: String) -> Self {
        Self(address)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl<'de> Deserialize<'de> for Address {
    /// What is no text is refused without being repeated.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(|text| Self(text.expose().to_owned()))
    }
}
