//! The receiver's side of a signature.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use obs_core::Timestamp;

use crate::{SignatureForm, Signing};

/// Why a request is not what its sender signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// A header is missing, or no text; its name.
    Missing(String),
    /// The timestamp is no number of seconds.
    Timestamp,
    /// The request was signed too long ago, or too far in the future, as when it is played again.
    Stale {
        /// How far the timestamp is from now.
        by: Duration,
    },
    /// No signature fits the body and any of the secrets.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the header `{name}` is missing"),
            Self::Timestamp => f.write_str("the timestamp is no number of seconds since 1970"),
            Self::Stale { by } => write!(f, "it was signed {} s from now; check the clocks", by.as_secs()),
            Self::Mismatch => {
                f.write_str("the signature does not fit; check the secret and that the body is as it came")
            }
        }
    }
}

impl std::error::Error for SignatureError {}

/// Checks a request that was signed as `signing` says, for receivers.
///
/// `header` gives a header's value by its name, whose case does not count; `body` is the body as it came over the wire,
/// before it is decompressed or parsed. The timestamp may differ from `now` by `tolerance`, five minutes being usual; the
/// form `github` has none, so that `tolerance` does not count there. Signatures are compared in constant time.
///
/// # Errors
/// Why it is not to be trusted.
///
/// ```
/// use std::time::Duration;
///
/// use obs_core::Timestamp;
/// use obs_webhook::{Signing, verify};
///
/// let signing = Signing::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// let headers = [
///     ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
///     ("webhook-timestamp", "1614265330"),
///     ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
/// ];
/// let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
/// let now = Timestamp::from_nanos(1_614_265_400_000_000_000);
/// verify(&signing, header, br#"{"test": 2432232314}"#, now, Duration::from_mins(5))?;
/// # Ok::<(), obs_webhook::SignatureError>(())
/// ```
pub fn verify<'h>(
    signing: &Signing,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let required = |name: &str| header(name).ok_or_else(|| SignatureError::Missing(name.to_owned()));
    let signatures = required(signing.signature_header())?;
    let (mut id, mut seconds) = ("", "");
    if signing.form == SignatureForm::Standard {
        id = signing.id_header().map(required).transpose()?.unwrap_or_default();
    }
    if signing.form != SignatureForm::Github {
        seconds = signing.timestamp_header().map(required).transpose()?.unwrap_or_default();
        let signed = seconds.parse::<u64>().map_err(|_| SignatureError::Timestamp)?;
        let by = Duration::from_secs((now.as_nanos() / 1_000_000_000).abs_diff(signed));
        if by > tolerance {
            return Err(SignatureError::Stale { by });
        }
    }
    let mut fits = false;
    for secret in std::iter::once(&signing.secret).chain(&signing.previous_secret) {
        let Some(mac) = signing.mac(secret, id, seconds, body) else { continue };
        for signature in signatures.split(' ') {
            let Some(given) = decoded(signing.form, signature) else { continue };
            fits |= mac.clone().verify_slice(&given).is_ok();
        }
    }
    if fits { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The bytes of a signature as its form writes them.
fn decoded(form: SignatureForm, signature: &str) -> Option<Vec<u8>> {
    match form {
        SignatureForm::Timestamped => unhex(signature),
        SignatureForm::Standard => STANDARD.decode(signature.strip_prefix("v1,")?).ok(),
        SignatureForm::Github => unhex(signature.strip_prefix("sha256=")?),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn header<'h>(headers: &'h [(&'h str, String)]) -> impl Fn(&str) -> Option<&'h str> {
        |name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The codes were made with Python's `hmac`, `hashlib` and `base64`, and stand in the documents of the two schemes.
    #[test]
    fn signatures_are_those_of_other_programs() {
        let standard = Signing::standard(SECRET);
        let signed =
            standard.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), br#"{"test": 2432232314}"#);
        assert_eq!(signed[0].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let github = Signing::github("It's a Secret to Everybody");
        let signed = github.sign("", at(0), b"Hello, World!");
        let wanted = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signed, [("X-Hub-Signature-256", wanted.to_owned())]);
        let timestamped = Signing::new("timestamped-secret-1");
        let signed = timestamped.sign("", at(1_768_471_200), b"{}");
        let wanted = "a7ed942550b1402f4ab366731877e319e41afa89b9fc373ee6e1951c69bc3f90";
        assert_eq!(
            signed,
            [("X-Obs-Signature", wanted.to_owned()), ("X-Obs-Timestamp", "1768471200".to_owned())]
        );
    }

    #[test]
    fn what_was_changed_or_is_old_or_lacks_a_header_is_refused() {
        let signing = Signing::standard(SECRET);
        let headers = signing.sign("msg_1", at(1_000), b"body");
        let check = |headers: &[(&str, String)], body: &[u8], now| {
            verify(&signing, header(headers), body, at(now), Duration::from_mins(5))
        };
        assert_eq!(check(&headers, b"body", 1_300), Ok(()));
        assert_eq!(check(&headers, b"body", 700), Ok(()));
        let stale = SignatureError::Stale { by: Duration::from_secs(301) };
        assert_eq!(check(&headers, b"body", 1_301), Err(stale.clone()));
        assert_eq!(check(&headers, b"body", 699), Err(stale));
        assert_eq!(check(&headers, b"bodz", 1_000), Err(SignatureError::Mismatch));
        for at in 0..3 {
            let mut without = headers.clone();
            let (name, _) = without.remove(at);
            assert_eq!(check(&without, b"body", 1_000), Err(SignatureError::Missing(name.to_owned())));
            let mut changed = headers.clone();
            changed[at].1 = "1001".to_owned();
            assert_eq!(check(&changed, b"body", 1_000), Err(SignatureError::Mismatch));
        }
        let mut words = headers.clone();
        words[1].1 = "now".to_owned();
        assert_eq!(check(&words, b"body", 1_000), Err(SignatureError::Timestamp));
    }

    #[test]
    fn while_the_secret_changes_both_are_good() {
        let both = Signing::standard(OTHER).with_previous_secret(SECRET);
        let headers = both.sign("msg_1", at(5), b"body");
        assert_eq!(headers[0].1.split(' ').count(), 2);
        let now = (at(5), Duration::from_secs(1));
        for receiver in [Signing::standard(SECRET), Signing::standard(OTHER), both.clone()] {
            assert_eq!(verify(&receiver, header(&headers), b"body", now.0, now.1), Ok(()));
        }
        let stranger = Signing::standard(format!("whsec_{}", STANDARD.encode([7; 24])));
        assert_eq!(verify(&stranger, header(&headers), b"body", now.0, now.1), Err(SignatureError::Mismatch));
        let old = Signing::new("0123456789abcdef");
        let receiver = Signing::new("fedcba9876543210").with_previous_secret("0123456789abcdef");
        assert_eq!(verify(&receiver, header(&old.sign("", at(5), b"b")), b"b", now.0, now.1), Ok(()));
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified_and_any_other_body_is_not(
            form in prop_oneof![Just(SignatureForm::Timestamped), Just(SignatureForm::Standard), Just(SignatureForm::Github)],
            body in proptest::collection::vec(any::<u8>(), 0..64),
            other in proptest::collection::vec(any::<u8>(), 0..64),
            garbage in "(?s).{0,80}",
        ) {
            let signing = Signing { form, ..Signing::new(SECRET) };
            let mut headers = signing.sign("msg_1", at(9), &body);
            let now = (at(9), Duration::from_secs(1));
            prop_assert_eq!(verify(&signing, header(&headers), &body, now.0, now.1), Ok(()));
            if other != body {
                prop_assert!(verify(&signing, header(&headers), &other, now.0, now.1).is_err());
            }
            headers[0].1 = garbage;
            prop_assert!(verify(&signing, header(&headers), &body, now.0, now.1).is_err());
        }
    }
}
