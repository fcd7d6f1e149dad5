//! What of an address may be shown.

use obs_redact::Redactor;
use url::Url;

/// Stands in place of a path that may hold a key.
const HIDDEN: &str = "/…";

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Scheme, host, port and path of an address that a user wrote; the path only where it holds no key.
pub(crate) fn place(url: &Url) -> String {
    redacted(&format!("{}{}", origin(url), path(url.path())))
}

/// The place of a request: the endpoint's own path only where it holds no key, and what the request adds to it.
pub(crate) fn place_below(own: &Url, url: &Url) -> String {
    let own = own.path().trim_end_matches('/');
    let added = url.path().strip_prefix(own).filter(|added| added.is_empty() || added.starts_with('/'));
    redacted(&match added {
        Some("/") if !own.is_empty() => format!("{}{}", origin(url), path(own)),
        Some(added) => format!("{}{}{added}", origin(url), path(own)),
        None => format!("{}{}", origin(url), url.path()),
    })
}

/// Any text that should be an address as a message may show it: without a user, password, query and fragment, and with
/// `/…` for a path that holds what looks like a key.
///
/// Of a text in which a password may go on behind the host nothing but the scheme is left.
///
/// ```
/// assert_eq!(obs_http::shown("https://user:key@h/v1/traces?token=key"), "https://h/v1/traces");
/// assert_eq!(obs_http::shown("https://user:12/key@h/v1/traces"), "https://…");
/// ```
pub fn shown(text: &str) -> String {
    if let Ok(url) = Url::parse(text)
        && url.has_host()
        && !goes_on_behind_host(text)
    {
        return place(&url);
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let end = |text: &str| text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
    // A password may have any of these too, and then nobody knows where it ends.
    let after = rest.rfind('@').map_or(0, |at| at + 1);
    let (host, below) = rest[after..].split_at(end(&rest[after..]));
    if end(rest) < after || host.split(['.', ':']).any(looks_like_key) {
        return redacted(&format!("{scheme}{separator}…"));
    }
    let below = below.split(['?', '#']).next().unwrap_or_default();
    let text = format!("{scheme}{separator}{host}{}", path(below));
    redacted(&text.chars().filter(|c| !c.is_control()).collect::<String>())
}

/// Whether an `@` stands behind what reads as the host, so that all before it may be a user and a password.
fn goes_on_behind_host(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.find(['/', '?', '#', '\\']).is_some_and(|end| rest[end..].contains('@'))
}

/// An address whose scheme was left out, under `http` and without its user and password; `None` where it is something
/// else, or may not be shown.
///
/// Without a scheme `a:1` is a host and a port as well as a user and a password: what has an `@` must end in its host,
/// and what looks like a key is no host.
pub(crate) fn with_scheme(text: &str) -> Option<Url> {
    let text = text.trim();
    if text.contains("://") || (text.contains('@') && text.contains(['/', '?', '#'])) {
        return None;
    }
    let address = text.rsplit('@').next()?;
    let host = address.split(['/', '?', '#']).next()?;
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if !(has_port || host.contains('.')) || host.split(['.', ':']).any(looks_like_key) {
        return None;
    }
    Url::parse(&format!("http://{address}")).ok().filter(|_| redacted(host) == host)
}

/// The segments of a path that look like a key: the addresses of many webhooks are their own credential.
pub(crate) fn keys(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| looks_like_key(segment))
}

/// A path as it may be shown; what stands before an `@` may be the end of a password.
fn path(path: &str) -> &str {
    if path.contains('@') || keys(path).next().is_some() { HIDDEN } else { path }
}

/// Whether a segment of a path is no word: long, letters and digits together, or both cases in no short one.
///
/// It errs towards hiding: a user who reads a message knows the path of the endpoint.
fn looks_like_key(segment: &str) -> bool {
    let any = |is: fn(&u8) -> bool| segment.bytes().any(|byte| is(&byte));
    let mixed = any(u8::is_ascii_digit) && any(u8::is_ascii_alphabetic);
    let cased = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    match segment.len() {
        0..6 => false,
        6..10 => mixed,
        10..20 => mixed || cased,
        _ => true,
    }
}

fn redacted(text: &str) -> String {
    Redactor::default().redact_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_6_segments_that_are_no_words_look_like_keys() {
        for key in [
            "o2abc12",
            "T0ABC1234",
            "abcdEFGHij",
            "abcdefghijklmnopqrst",
            "12345678901234567890",
            "7b1fd9a0-51b0-4d5c-8a39-6f1c2d3e4f50",
            "bot123456:ABC-DEF1234ghIkl",
        ] {
            assert!(looks_like_key(key), "{key}");
            assert_eq!(path(&format!("/in/{key}/x")), HIDDEN);
        }
        for word in
            ["", "v1", "v1.0", "traces", "otel", "Ingest", "opentelemetry", "job_name", "123456", "us1"]
        {
            assert!(!looks_like_key(word), "{word}");
        }
        assert_eq!(path("/api/v2/traces"), "/api/v2/traces");
        assert_eq!(path("/ss@h/v1/traces"), HIDDEN);
    }

    #[test]
    fn law_6_of_what_is_no_address_only_a_host_and_a_harmless_path_are_shown() {
        for (text, said) in [
            ("api.example.com/v1?key=hunter2", "api.example.com/v1"),
            ("user:hunter2@h:99", "h:99"),
            ("user:12345#x@h", "…"),
            ("h/p?mail=a@hunter2", "…"),
            ("sk-live-9f8e7d6c5b4a", "…"),
            ("://sk-live-9f8e7d6c5b4a", "…"),
            ("https://user:12/hunter2@h/v1/traces", "https://…"),
            ("https://user:12?hunter2@h", "https://…"),
            ("https://user:12\\hunter2@h", "https://…"),
            ("https://hunter2#x@h", "https://…"),
        ] {
            assert_eq!(shown(text), said);
        }
    }
}
