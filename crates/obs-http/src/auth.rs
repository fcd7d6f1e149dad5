//! How a request says who sends it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use obs_core::{Secret, suggest};
use serde::de::{Deserialize, Deserializer};

use crate::given::{Given, refuse};

/// How each form stands in a file.
const FORMS: &str = r#"{"bearer": "…"}, {"basic": {"user": "…", "password": "…"}}, {"header": {"name": "…", "value": "…"}} or "none""#;

/// The credential that every request carries, as one header.
///
/// In a file: `auth = "none"`, `auth = { bearer = "…" }`, `auth = { basic = { user = "…", password = "…" } }` or
/// `auth = { header = { name = "X-Api-Key", value = "…" } }`; the error about anything else names these forms and
/// repeats nothing of what it found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Given::deserialize(deserializer)?).map_err(|cause| refuse("auth", cause, FORMS))
    }
}

/// The form that is meant, or why none is.
fn read(given: Given) -> Result<Auth, String> {
    let entries = match given {
        Given::Text(text) if text.expose() == "none" => return Ok(Auth::None),
        Given::Map(entries) => entries,
        other => return Err(format!("it is {}", other.kind())),
    };
    let [(form, value)] =
        <[_; 1]>::try_from(entries).map_err(|entries| format!("it has {} entries", entries.len()))?;
    let form = form.into_text().map_err(|kind| format!("a name in it is {kind}"))?;
    match form.expose() {
        "none" if matches!(value, Given::Empty) => Ok(Auth::None),
        "bearer" => Ok(Auth::Bearer(text("bearer", value)?)),
        "basic" => {
            pair("basic", ["user", "password"], value).map(|[user, password]| Auth::Basic { user, password })
        }
        "header" => pair("header", ["name", "value"], value)
            .map(|[name, value]| Auth::Header { name: name.expose().to_owned(), value }),
        unknown => Err(match suggest::nearest(unknown, ["bearer", "basic", "header"]) {
            Some(form) => format!("it has none of the forms (did you mean `{form}`?)"),
            None => "it has none of the forms".to_owned(),
        }),
    }
}

fn text(name: &str, value: Given) -> Result<Secret, String> {
    value.into_text().map_err(|kind| format!("`{name}` is {kind}"))
}

/// The two texts of a form that has just these.
fn pair(form: &str, names: [&str; 2], value: Given) -> Result<[Secret; 2], String> {
    let Given::Map(entries) = value else { return Err(format!("`{form}` is {}", value.kind())) };
    let [first, second] = names;
    let others = || format!("`{form}` takes `{first}` and `{second}`, no more and no less");
    let [one, two] = <[_; 2]>::try_from(entries).map_err(|_| others())?;
    match (one.0.as_text(), two.0.as_text()) {
        (Some(a), Some(b)) if [a, b] == names => Ok([text(first, one.1)?, text(second, two.1)?]),
        (Some(a), Some(b)) if [b, a] == names => Ok([text(first, two.1)?, text(second, one.1)?]),
        _ => Err(others()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_becomes_its_header() {
        for (json, header) in [
            (r#""none""#, None),
            (r#"{"none":null}"#, None),
            (r#"{"bearer":"t"}"#, Some(("authorization", "Bearer t"))),
            (
                r#"{"basic":{"user":"Aladdin","password":"open sesame"}}"#,
                Some(("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            ),
            (r#"{"header":{"name":"X-Api-Key","value":"k"}}"#, Some(("X-Api-Key", "k"))),
            (r#"{"header":{"value":"k","name":"X-Api-Key"}}"#, Some(("X-Api-Key", "k"))),
        ] {
            let auth: Auth = serde_json::from_str(json).unwrap();
            let got = auth.as_header();
            assert_eq!(got.as_ref().map(|(name, value)| (*name, value.expose())), header, "{json}");
        }
    }
}
