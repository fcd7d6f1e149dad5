//! A stable text of a request.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Captured, Part};

/// A body beyond this is shown by its length, its hash and an excerpt.
const WHOLE: usize = 4 << 10;
/// What an excerpt holds at most.
const EXCERPT_LINES: usize = 40;
const EXCERPT_BYTES: usize = 2 << 10;

/// What stands for the boundary of a multipart body, which differs from run to run.
const BOUNDARY: &str = "[boundary]";

/// Headers that say nothing of the exporter.
const VOLATILE: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// What the names of headers hold that carry credentials, or half of a pair of them.
const CREDENTIALS: [&str; 9] = [
    "authorization",
    "api-key",
    "apikey",
    "public-key",
    "token",
    "secret",
    "cookie",
    "license-key",
    "password",
];

impl Captured {
    /// A stable text of the request, for a snapshot.
    ///
    /// Headers that change by machine or version are left out, the others sorted, and values of those that carry
    /// credentials replaced. A JSON body is laid out, other text stands as it is, the parts of a multipart body are laid
    /// out with `[boundary]` for the boundary, and bytes are hexadecimal. A body over 4 KiB is shown as `N bytes, sha256
    /// HEX` over the first lines of its text; the hash is of the body with the same stand-in for the boundary.
    pub fn redacted_snapshot(&self) -> String {
        self.redacted_snapshot_with(|_| None)
    }

    /// The same with a reader of bodies that are no text, such as protobuf; where it returns `None` the body is shown as
    /// [`Captured::redacted_snapshot`] shows it.
    ///
    /// ```
    /// # let request = obs_testkit::Captured { method: "POST".into(), path: "/".into(), query: None, headers: vec![], body: vec![8, 1] };
    /// let text = request.redacted_snapshot_with(|request| Some(format!("a message of {}", request.body.len())));
    /// assert!(text.contains("\n2 bytes, sha256 ") && text.ends_with("\na message of 2"));
    /// ```
    pub fn redacted_snapshot_with(&self, readable: impl Fn(&Self) -> Option<String>) -> String {
        let mut out = format!("{} {}", self.method, self.path);
        if let Some(query) = &self.query {
            let _ = write!(out, "?{query}");
        }
        out.push('\n');
        let parts = self.multipart();
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str())).collect();
        headers.sort();
        for (name, value) in headers {
            let _ = writeln!(out, "{name}: {}", shown(name, value, parts.is_some()));
        }
        out.push('\n');
        out.push_str(&self.body_shown(parts.as_deref(), readable(self)));
        out
    }

    fn body_shown(&self, parts: Option<&[Part]>, readable: Option<String>) -> String {
        let decoded = readable.is_some();
        let text = readable.or_else(|| self.body_text(parts));
        let long = self.body.len() > WHOLE;
        if text.is_some() && !decoded && !long {
            return text.unwrap_or_default();
        }
        let size = format!("{} bytes", self.body.len());
        // Small bytes are shown whole, so a hash of them says nothing more.
        let head = if decoded || long { format!("{size}, sha256 {}", self.hash()) } else { size };
        let text = text.unwrap_or_else(|| hex_lines(&self.body));
        format!("{head}\n{}", if long { excerpt(&text) } else { text })
    }

    fn body_text(&self, parts: Option<&[Part]>) -> Option<String> {
        if let Some(parts) = parts {
            return Some(parts.iter().map(part_text).collect::<Vec<_>>().join("\n"));
        }
        text_of(&self.body)
    }

    fn hash(&self) -> String {
        let boundary = self.header("content-type").and_then(super::multipart::boundary).map(str::as_bytes);
        let mut hash = Sha256::new();
        match boundary {
            Some(boundary) => {
                let mut rest = &*self.body;
                while let Some(at) = super::multipart::find(rest, boundary) {
                    hash.update(&rest[..at]);
                    hash.update(BOUNDARY);
                    rest = &rest[at + boundary.len()..];
                }
                hash.update(rest);
            }
            None => hash.update(&self.body),
        }
        hex(&hash.finalize())
    }
}

fn shown(name: &str, value: &str, multipart: bool) -> String {
    if CREDENTIALS.iter().any(|word| name.contains(word)) {
        return "[redacted]".to_owned();
    }
    match super::multipart::boundary(value) {
        Some(boundary) if multipart && name == "content-type" => value.replace(boundary, BOUNDARY),
        _ => value.to_owned(),
    }
}

/// JSON laid out, other text as it is, or `None` for what is no text.
fn text_of(body: &[u8]) -> Option<String> {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        return Some(format!("{json:#}"));
    }
    std::str::from_utf8(body).ok().filter(|text| !text.contains('\0')).map(ToOwned::to_owned)
}

fn part_text(part: &Part) -> String {
    let mut out = format!("--{BOUNDARY}\n");
    for (name, value) in &part.headers {
        let _ = writeln!(out, "{name}: {value}");
    }
    let text = text_of(&part.body);
    let text = text.unwrap_or_else(|| format!("{} bytes\n{}", part.body.len(), hex_lines(&part.body)));
    out + "\n" + &text
}

fn excerpt(text: &str) -> String {
    let lines: Vec<_> = text.lines().take(EXCERPT_LINES).collect();
    let mut out = lines.join("\n");
    out.truncate(out.floor_char_boundary(EXCERPT_BYTES));
    if out.len() < text.trim_end().len() {
        out.push_str("\n[…]");
    }
    out
}

fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(hex).collect::<Vec<_>>().join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
