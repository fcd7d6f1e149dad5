//! How a request says who sends it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use obs_core::Secret;
use serde::Deserialize;

/// The credential that every request carries, as one header.
///
/// In a file: `auth = "none"`, `auth = { bearer = "…" }`, `auth = { basic = { user = "…", password = "…" } }` or
/// `auth = { header = { name = "X-Api-Key", value = "…" } }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// None; the default, since backends on the own machine want none.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …` of a user and a password; the user is a secret too, as some backends put a key there.
    Basic {
        /// The user, without a colon.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A header of the backend's own.
    Header {
        /// The header's name.
        name: String,
        /// The key.
        value: Secret,
    },
}

impl Auth {
    /// A bearer token.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::Bearer(token.into())
    }

    /// A user and a password.
    pub fn basic(user: impl Into<Secret>, password: impl Into<Secret>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// A key under a header of the backend's own.
    pub fn header(name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self::Header { name: name.into(), value: value.into() }
    }

    /// The header as name and value.
    pub(crate) fn as_header(&self) -> Option<(&str, Secret)> {
        match self {
            Self::None => None,
            Self::Bearer(token) => Some(("authorization", Secret::new(format!("Bearer {}", token.expose())))),
            Self::Basic { user, password } => {
                let pair = Secret::new(format!("{}:{}", user.expose(), password.expose()));
                Some(("authorization", Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))))
            }
            Self::Header { name, value } => Some((name, value.clone())),
        }
    }

    /// What must appear nowhere: the secrets, and the form a pair takes on the wire.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::None => Vec::new(),
            Self::Bearer(secret) | Self::Header { value: secret, .. } => vec![secret.clone()],
            Self::Basic { user, password } => {
                let pair = Secret::new(format!("{}:{}", user.expose(), password.expose()));
                vec![user.clone(), password.clone(), Secret::new(STANDARD.encode(pair.expose()))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_becomes_its_header() {
        for (json, header) in [
            (r#""none""#, None),
            (r#"{"bearer":"t"}"#, Some(("authorization", "Bearer t"))),
            (
                r#"{"basic":{"user":"Aladdin","password":"open sesame"}}"#,
                Some(("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            ),
            (r#"{"header":{"name":"X-Api-Key","value":"k"}}"#, Some(("X-Api-Key", "k"))),
        ] {
            let auth: Auth = serde_json::from_str(json).unwrap();
            let got = auth.as_header();
            assert_eq!(got.as_ref().map(|(name, value)| (*name, value.expose())), header, "{json}");
        }
    }
}
