//! An address that a user gives, which may hold a credential.

use std::fmt;

use obs_core::Secret;
use serde::{Deserialize, Deserializer};

/// An address, such as `https://collector.example/v1/traces`.
///
/// It prints without a user, a password, a query and a fragment, since some put a key there, and without a path that
/// holds what looks like one.
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
        let shown = obs_http::shown(&self.0);
        // An address without a path is read as one with the path `/`.
        if self.0.ends_with('/') { shown } else { shown.trim_end_matches('/').to_owned() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_6_a_password_that_ends_nobody_knows_where_is_not_shown() {
        for address in [
            "https://123:hunter2/abc+d==@otlp-gateway.example.net/otlp",
            "https://user:pa/hunter2@h/v1/traces",
            "https://user:pa?hunter2@h",
            "https://hunter2?x@h",
            "https://user:12/hunter2@h/v1/traces",
            "https://user:12?hunter2@h/v1/traces",
            "user:pa#hunter2@h:4317",
            "https://h/hooks/T0hunter2x9/in",
        ] {
            let shown = format!("{:?}", Address::from(address));
            assert!(!shown.contains("hunter2") && !shown.contains("pa"), "{address}: {shown}");
        }
        for address in ["https://h/v1/traces", "collector:4317", "http://localhost:4318/otlp"] {
            assert_eq!(format!("{:?}", Address::from(address)), format!("{address:?}"));
        }
    }
}
