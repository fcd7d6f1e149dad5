//! Words of others that may stand in a message.

use obs_core::Secret;
use obs_redact::Redactor;

/// How much of an answer a message quotes at most, in bytes.
pub(crate) const QUOTE: usize = 2048;
/// How much more is read, so that a secret cut at the end of what was read is never near what is quoted.
const MARGIN: usize = 4096;
/// How much of an error's answer is read.
pub(crate) const READ: usize = QUOTE + MARGIN;
/// From how many bytes on a value is taken for a secret where no name says so: shorter ones, such as a version, would
/// take every `1` out of every message.
pub(crate) const SECRET_FROM: usize = 6;
/// Stands in place of a credential of ours.
const TOKEN: &str = "[REDACTED]";

/// Takes secrets out of text: the client's own wherever they stand, others by name and format.
#[derive(Clone)]
pub(crate) struct Scrubber {
    redactor: Redactor,
    /// The longest first, since one may be a part of another.
    secrets: Vec<Secret>,
}

impl Scrubber {
    /// Knows these credentials in the forms in which a backend may repeat them.
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self { redactor: Redactor::default(), secrets: Vec::new() }.knowing(secrets)
    }

    /// Knows these, too.
    pub(crate) fn knowing(&self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut forms: Vec<String> = self.secrets.iter().map(|known| known.expose().to_owned()).collect();
        for secret in secrets {
            forms.extend(written_forms(secret.expose()).into_iter().filter(|form| !form.is_empty()));
        }
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { redactor: self.redactor.clone(), secrets: forms.into_iter().map(Secret::new).collect() }
    }

    /// The text in one line without control characters and secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean: String = text.chars().filter_map(printable).collect();
        for secret in &self.secrets {
            if clean.contains(secret.expose()) {
                clean = clean.replace(secret.expose(), TOKEN);
            }
        }
        self.redactor.redact_text(&clean).trim().to_owned()
    }

    /// What an answer said, at most [`QUOTE`] bytes of it, or `None` if nothing; `cut` says that it went on.
    pub(crate) fn quote(&self, body: &[u8], cut: bool) -> Option<String> {
        let mut text = self.clean(&String::from_utf8_lossy(body));
        // What stands at the cut may be half a secret, which no format knows.
        let safe = if cut { text.len().saturating_sub(MARGIN) } else { text.len() };
        let end = text.floor_char_boundary(safe.min(QUOTE));
        let shortened = end < text.len();
        text.truncate(end);
        if text.is_empty() {
            return None;
        }
        if shortened {
            text.push('…');
        }
        Some(text)
    }
}

/// Whether a header's or query's value is kept out of messages: it is named like a credential, or long enough for one.
pub(crate) fn is_secret(redactor: &Redactor, name: &str, value: &str) -> bool {
    value.len() >= SECRET_FROM || redactor.name_is_sensitive(name)
}

/// White space of any kind is a space; other control characters, and those that turn the direction of text, go.
fn printable(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// As it is, as in JSON, as in an address; and of a header's value the credential behind its scheme.
fn written_forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    // Short words are no credentials, and would be missed in what a backend says.
    if let Some((_, credential)) =
        secret.split_once(' ').filter(|(_, credential)| credential.len() >= SECRET_FROM)
    {
        forms.push(credential.to_owned());
    }
    for form in forms.clone() {
        if let Ok(json) = serde_json::to_string(&form) {
            forms.push(json.trim_matches('"').to_owned());
        }
        forms.push(url::form_urlencoded::byte_serialize(form.as_bytes()).collect());
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        Scrubber::new(["pa\"ss/w".into(), "Bearer tok-123".into()])
    }

    #[test]
    fn law_6_own_credentials_go_in_every_form_and_others_by_format() {
        for text in [
            "no key pa\"ss/w here",
            r#"{"key":"pa\"ss/w"}"#,
            "/p?key=pa%22ss%2Fw",
            "token tok-123!",
            "to\u{0}k-123",
            "see https://user:tok-123@h/",
        ] {
            let clean = scrubber().clean(text);
            assert!(clean.contains("[REDACTED]"), "{clean}");
            assert!(
                !clean.contains("ss/w") && !clean.contains("k-123") && !clean.contains("ss%2F"),
                "{clean}"
            );
        }
        let foreign = scrubber().clean("Authorization: Bearer abcdefghijkl");
        assert!(!foreign.contains("abcdefghijkl"), "{foreign}");
    }

    #[test]
    fn law_6_what_is_added_goes_beside_what_was_known() {
        let clean = scrubber().knowing(["field-1".into()]).clean("tok-123 and field-1 and pa%22ss%2Fw");
        assert_eq!(clean, "[REDACTED] and [REDACTED] and [REDACTED]");
    }

    #[test]
    fn a_quote_is_one_short_line() {
        let said = scrubber().quote("a\u{1b}[31m\r\nb\u{202e}".as_bytes(), false);
        assert_eq!(said.as_deref(), Some("a[31m  b"));
        assert_eq!(scrubber().quote(b" \n", false), None);
        let long = scrubber().quote("ä".repeat(3000).as_bytes(), false).unwrap();
        assert!(long.len() <= QUOTE + '…'.len_utf8() && long.ends_with('…'));
    }

    #[test]
    fn law_6_half_a_secret_at_the_cut_is_not_quoted() {
        let mut body = vec![b'.'; READ - 20];
        body.extend_from_slice(b"Bearer abcdefghijklm");
        let said = scrubber().quote(&body, true).unwrap();
        assert!(!said.contains("Bearer"));
        assert_eq!(scrubber().quote(b"key sk-ant-api03-half", true), None);
    }
}
