//! What a server says it can do.

use obs_http::Compression;
use serde::Deserialize;

/// The most of a request: what LangSmith states, narrowed by what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Runs or feedback.
    pub(crate) items: usize,
    /// Bytes before compression.
    pub(crate) bytes: usize,
}

/// LangSmith's own: 100 runs and 20 MB.
const LIMITS: Limits = Limits { items: 100, bytes: 20 << 20 };

/// The first version that takes feedback as parts.
const FEEDBACK_PARTS: [u32; 3] = [0, 8, 10];

/// The first three numbers of a version, of which those that are not there are 0.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.trim_start_matches('v').split('.').map(|part| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    });
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// What a server can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Bodies of several parts.
    pub(crate) multipart: bool,
    /// Feedback among the parts.
    pub(crate) feedback_parts: bool,
    /// How bodies may be compressed.
    pub(crate) compression: Compression,
    pub(crate) limits: Limits,
}

impl Capabilities {
    /// Of a server that does not say.
    pub(crate) const DEFAULT: Self =
        Self { multipart: true, feedback_parts: true, compression: Compression::None, limits: LIMITS };

    /// What the body of its answer says, as far as it can be read.
    pub(crate) fn read(body: &[u8]) -> Self {
        Self::of(serde_json::from_slice(body).unwrap_or_default())
    }

    fn of(info: Info) -> Self {
        let Info { version, batch_ingest_config: batch, instance_flags: flags } = info;
        let compression = match flags {
            Flags { gzip_body_enabled: true, .. } => Compression::Gzip,
            Flags { zstd_compression_enabled: true, .. } => Compression::Zstd,
            Flags { .. } => Compression::None,
        };
        let narrowed = |said: Option<usize>, known: usize| {
            said.filter(|said| *said > 0).map_or(known, |said| said.min(known))
        };
        let limits = Limits {
            items: narrowed(batch.size_limit, LIMITS.items),
            bytes: narrowed(batch.size_limit_bytes, LIMITS.bytes),
        };
        Self {
            multipart: batch.use_multipart_endpoint.unwrap_or(true),
            feedback_parts: version.is_none_or(|version| numbers(&version) >= FEEDBACK_PARTS),
            compression,
            limits,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    version: Option<String>,
    batch_ingest_config: BatchConfig,
    instance_flags: Flags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BatchConfig {
    use_multipart_endpoint: Option<bool>,
    size_limit: Option<usize>,
    size_limit_bytes: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Flags {
    gzip_body_enabled: bool,
    zstd_compression_enabled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_below_the_first_with_parts_of_feedback_has_none() {
        let takes = |version: &str| {
            let info = Info { version: Some(version.to_owned()), ..Info::default() };
            Capabilities::of(info).feedback_parts
        };
        for (version, wanted) in [
            ("0.8.9", false),
            ("0.8", false),
            ("0.7.99", false),
            ("0.8.10", true),
            ("v0.8.10rc1", true),
            ("0.12.0", true),
            ("1", true),
        ] {
            assert_eq!(takes(version), wanted, "{version}");
        }
    }

    #[test]
    fn what_the_server_says_narrows_and_never_widens() {
        let info = |json: &str| Capabilities::of(serde_json::from_str(json).unwrap());
        assert_eq!(info("{}"), Capabilities::DEFAULT);
        let narrow = info(
            r#"{"batch_ingest_config":{"use_multipart_endpoint":false,"size_limit":7,"size_limit_bytes":900},
                "instance_flags":{"gzip_body_enabled":true,"zstd_compression_enabled":true}}"#,
        );
        let limits = Limits { items: 7, bytes: 900 };
        assert_eq!(
            narrow,
            Capabilities {
                multipart: false,
                compression: Compression::Gzip,
                limits,
                ..Capabilities::DEFAULT
            }
        );
        let wide = info(
            r#"{"batch_ingest_config":{"size_limit":1000,"size_limit_bytes":0},"instance_flags":{"zstd_compression_enabled":true}}"#,
        );
        assert_eq!(wide, Capabilities { compression: Compression::Zstd, ..Capabilities::DEFAULT });
    }
}
