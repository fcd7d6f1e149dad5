//! How a secret is replaced.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What the mark in place of a secret says of it.
///
/// The mark is made of the token, with something before its last character for all but the first style. Every redactor
/// with the same token leaves the marks of every style as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Style {
    /// `[REDACTED]`: nothing. The default.
    #[default]
    Full,
    /// `[REDACTED_sk-…x7Q]`: its first and last three characters. Secrets of fewer than 16 characters, arrays and objects,
    /// and secrets whose ends are not all letters, digits, `-`, `_` or `.` are marked in full.
    Partial,
    /// `[REDACTED_7]`: a number, the same for the same secret.
    ///
    /// The numbers are kept by the redactor and its clones, by a hash, for the last 32,768 secrets at least; a secret that
    /// was forgotten gets a new number, and no number is used twice.
    Indexed,
    /// `[REDACTED_5f0c3a9be2d41788]`: the first 64 bits of HMAC-SHA256 under the configured key: the same for the same
    /// secret in all processes that have the key, and nothing without it.
    KeyedHash,
}

/// The key of [`Style::KeyedHash`]; neither `Debug` nor serialisation shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey(String);

/// What a key is serialised as; too short to be taken for a key.
const HIDDEN: &str = "[REDACTED]";

impl HashKey {
    /// The fewest bytes of a key.
    pub(crate) const SHORTEST: usize = 16;

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for HashKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl From<&str> for HashKey {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for HashKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for HashKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}
