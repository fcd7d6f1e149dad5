//! Signatures over bodies, as senders make them and receivers check them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use obs_core::{Error, Secret, Timestamp, suggest};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

type HmacSha256 = Hmac<Sha256>;

/// What is signed, and how the signature is written; all are HMAC with SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// Hexadecimal over `TIMESTAMP.BODY`, with the timestamp in seconds since 1970 in a header beside.
    #[default]
    Timestamped,
    /// Standard Webhooks: `v1,BASE64` over `ID.TIMESTAMP.BODY`, with the id and the timestamp in headers beside.
    ///
    /// The secret is `whsec_` and 24 to 64 bytes in Base64.
    Standard,
    /// `sha256=` and hexadecimal over the body, as GitHub signs; a copy of the request stays valid for ever.
    Github,
}

/// How requests are signed: over the bytes of the body as they go over the wire, compressed where they are compressed.
///
/// A retry is signed anew, with the time at which it is sent and the id that it had before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct Signing {
    /// The secret that sender and receiver share, at least 16 bytes; required.
    pub secret: Secret,
    /// The form of the signature, `timestamped` by default.
    #[serde(default)]
    pub form: SignatureForm,
    /// The secret before, while receivers change it: `standard` signs with both, and a receiver accepts either.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// The header of the signature; by default `X-Obs-Signature`, `webhook-signature` or `X-Hub-Signature-256`, by the form.
    #[serde(default)]
    pub signature_header: Option<String>,
    /// The header of the timestamp; by default `X-Obs-Timestamp` or `webhook-timestamp`, and none for `github`.
    #[serde(default)]
    pub timestamp_header: Option<String>,
    /// The header of the id; by default `webhook-id` for `standard`, and none for the others.
    #[serde(default)]
    pub id_header: Option<String>,
}

impl<'de> Deserialize<'de> for Signing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

/// The headers of a form, by default: signature, timestamp, id.
const fn headers(form: SignatureForm) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match form {
        SignatureForm::Timestamped => ("X-Obs-Signature", Some("X-Obs-Timestamp"), None),
        SignatureForm::Standard => ("webhook-signature", Some("webhook-timestamp"), Some("webhook-id")),
        SignatureForm::Github => ("X-Hub-Signature-256", None, None),
    }
}

/// The least that a secret may have: less can be tried out.
const LEAST_SECRET: usize = 16;

impl Signing {
    /// Signs with this secret, in the form `timestamped`.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self {
            secret: secret.into(),
            form: SignatureForm::default(),
            previous_secret: None,
            signature_header: None,
            timestamp_header: None,
            id_header: None,
        }
    }

    /// Signs as Standard Webhooks has it; the secret is `whsec_` and 24 to 64 bytes in Base64.
    pub fn standard(secret: impl Into<Secret>) -> Self {
        Self { form: SignatureForm::Standard, ..Self::new(secret) }
    }

    /// Signs as GitHub does.
    pub fn github(secret: impl Into<Secret>) -> Self {
        Self { form: SignatureForm::Github, ..Self::new(secret) }
    }

    /// Sets the secret before.
    #[must_use]
    pub fn with_previous_secret(self, secret: impl Into<Secret>) -> Self {
        Self { previous_secret: Some(secret.into()), ..self }
    }

    /// Sets the header of the signature.
    #[must_use]
    pub fn with_signature_header(self, name: impl Into<String>) -> Self {
        Self { signature_header: Some(name.into()), ..self }
    }

    /// Sets the header of the timestamp.
    #[must_use]
    pub fn with_timestamp_header(self, name: impl Into<String>) -> Self {
        Self { timestamp_header: Some(name.into()), ..self }
    }

    /// Sets the header of the id.
    #[must_use]
    pub fn with_id_header(self, name: impl Into<String>) -> Self {
        Self { id_header: Some(name.into()), ..self }
    }

    pub(crate) fn signature_header(&self) -> &str {
        self.signature_header.as_deref().unwrap_or(headers(self.form).0)
    }

    pub(crate) fn timestamp_header(&self) -> Option<&str> {
        self.timestamp_header.as_deref().or(headers(self.form).1)
    }

    pub(crate) fn id_header(&self) -> Option<&str> {
        self.id_header.as_deref().or(headers(self.form).2)
    }

    /// All headers that it sets.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &str> {
        let others = [self.timestamp_header(), self.id_header()];
        std::iter::once(self.signature_header()).chain(others.into_iter().flatten())
    }

    /// What is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let previous = self.previous_secret.as_ref().map(|secret| ("signing.previous_secret", secret));
        for (field, secret) in std::iter::once(("signing.secret", &self.secret)).chain(previous) {
            self.key(secret).map_err(|cause| Error::config(field, cause))?;
        }
        if self.previous_secret.is_some() && self.form != SignatureForm::Standard {
            let message =
                "only the form `standard` has room for two signatures; remove it here, receivers may keep it";
            return Err(Error::config("signing.previous_secret", message));
        }
        if self.timestamp_header.is_some() && self.form == SignatureForm::Github {
            let message = "the form `github` signs no timestamp; remove it, or take the form `timestamped`";
            return Err(Error::config("signing.timestamp_header", message));
        }
        let mut names: Vec<String> = self.own_headers().map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::config("signing", format!("the header `{twice}` has two uses; give it one")));
        }
        Ok(())
    }

    /// The bytes of a secret.
    fn key(&self, secret: &Secret) -> Result<Vec<u8>, String> {
        let text = secret.expose().trim();
        if self.form != SignatureForm::Standard {
            return if text.len() < LEAST_SECRET {
                Err(format!(
                    "shorter than {LEAST_SECRET} bytes; make a longer one, such as with `openssl rand -hex 32`"
                ))
            } else {
                Ok(text.as_bytes().to_vec())
            };
        }
        let refuse = || {
            "it is not `whsec_` and 24 to 64 bytes in Base64; take the receiver's, or make one so".to_owned()
        };
        let encoded = text.strip_prefix("whsec_").ok_or_else(refuse)?;
        let key = STANDARD.decode(encoded).map_err(|_| refuse())?;
        if (24..=64).contains(&key.len()) { Ok(key) } else { Err(refuse()) }
    }

    /// The headers of a request that is sent now, in the order signature, timestamp, id.
    pub(crate) fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> Vec<(&str, String)> {
        let seconds = (now.as_nanos() / 1_000_000_000).to_string();
        let secrets = std::iter::once(&self.secret).chain(&self.previous_secret);
        let signatures = secrets.filter_map(|secret| {
            let mac = self.mac(secret, id, &seconds, body)?.finalize().into_bytes();
            Some(match self.form {
                SignatureForm::Timestamped => hex(&mac),
                SignatureForm::Standard => format!("v1,{}", STANDARD.encode(mac)),
                SignatureForm::Github => format!("sha256={}", hex(&mac)),
            })
        });
        let signature = signatures.collect::<Vec<_>>().join(" ");
        let mut headers = vec![(self.signature_header(), signature)];
        headers.extend(self.timestamp_header().map(|name| (name, seconds)));
        headers.extend(self.id_header().map(|name| (name, id.to_owned())));
        headers
    }

    /// The code over what the form signs; `None` where the secret is none.
    pub(crate) fn mac(&self, secret: &Secret, id: &str, seconds: &str, body: &[u8]) -> Option<HmacSha256> {
        let mut mac = HmacSha256::new_from_slice(&self.key(secret).ok()?).ok()?;
        let before = match self.form {
            SignatureForm::Timestamped => format!("{seconds}."),
            SignatureForm::Standard => format!("{id}.{seconds}."),
            SignatureForm::Github => String::new(),
        };
        mac.update(before.as_bytes());
        mac.update(body);
        Some(mac)
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_the_next_step() {
        let said = |signing: &Signing| signing.validate().unwrap_err().to_string();
        let secret = "0123456789abcdef";
        assert!(Signing::new(secret).validate().is_ok());
        assert!(said(&Signing::new("short")).starts_with("signing.secret: shorter than 16 bytes"));
        for none in [secret, "whsec_", "whsec_???", "whsec_AAAA"] {
            let said = said(&Signing::standard(none));
            assert!(said.starts_with("signing.secret: ") && said.contains("whsec_"), "{said}");
        }
        assert!(said(&Signing::new(secret).with_previous_secret(secret)).contains("`standard`"));
        assert!(said(&Signing::github(secret).with_timestamp_header("x")).contains("`timestamped`"));
        let twice = Signing::new(secret).with_signature_header("x-a").with_timestamp_header("X-A");
        assert!(said(&twice).contains("`x-a` has two uses"));
        let unknown = serde_json::from_str::<Signing>(r#"{"secret": "s", "frm": "github"}"#).unwrap_err();
        assert!(unknown.to_string().contains("did you mean `form`?"));
    }
}
