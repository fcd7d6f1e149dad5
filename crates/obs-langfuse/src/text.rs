//! Texts as Langfuse takes them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use obs_core::{Rfc3339, Timestamp};

/// The most of a user's or session's id and a trace's name, in UTF-16 units, as Langfuse's own clients have it.
pub(crate) const LONGEST_NAME: usize = 200;

/// What stands at the end of a text that was cut.
const MARK: &str = "…";

/// The most of an environment's name.
const LONGEST_ENVIRONMENT: usize = 40;

/// A time in UTC with microseconds, the most that Langfuse keeps.
pub(crate) fn time(time: Timestamp) -> Rfc3339 {
    time.rfc3339().micros()
}

/// A user's or session's id, or a trace's name, cut with a mark where it is too long.
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let cut = cut(text, LONGEST_NAME);
    if matches!(cut, Cow::Owned(_)) && !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "obs::langfuse",
            "a user id, session id or trace name is longer than {LONGEST_NAME} characters and was cut; others will be, too"
        );
    }
    cut
}

/// At most so many UTF-16 units, in which JavaScript counts, the mark included.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most || text.encode_utf16().count() <= most {
        return Cow::Borrowed(text);
    }
    let mut room = most - MARK.encode_utf16().count();
    let fits = |c: &char| {
        let left = room.checked_sub(c.len_utf16());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    Cow::Owned(kept + MARK)
}

/// An environment's name as the server would make it, so that what is sent is what is stored.
///
/// In lower case, without `langfuse` before it, at most 40 of `a-z`, `0-9`, `-` and `_`; anything else is `default`.
pub(crate) fn environment(name: &str) -> Cow<'_, str> {
    if is_environment(name) {
        return Cow::Borrowed(name);
    }
    let lower = name.to_lowercase();
    let mut rest = lower.as_str();
    // Once more for as long as it helps: the server takes one away, and would take the next.
    while let Some(after) = rest.strip_prefix("langfuse") {
        rest = after.strip_prefix(['-', '_']).unwrap_or(after);
    }
    let end = rest.char_indices().nth(LONGEST_ENVIRONMENT).map_or(rest.len(), |(at, _)| at);
    let rest = &rest[..end];
    Cow::Owned(if is_environment(rest) { rest } else { "default" }.to_owned())
}

fn is_environment(name: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=LONGEST_ENVIRONMENT).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with("langfuse")
}

/// A key of the metadata that the server keeps: one that has a segment of JavaScript's own gets an underscore behind it, and an
/// empty one a name.
pub(crate) fn key(key: &str) -> Cow<'_, str> {
    const OWN: [&str; 3] = ["__proto__", "constructor", "prototype"];
    if key.is_empty() {
        return Cow::Borrowed("(empty)");
    }
    if !key.split('.').any(|segment| OWN.contains(&segment)) {
        return Cow::Borrowed(key);
    }
    let segment = |segment: &str| {
        if OWN.contains(&segment) { format!("{segment}_") } else { segment.to_owned() }
    };
    Cow::Owned(key.split('.').map(segment).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cut_text_fits_and_begins_as_the_whole(text in ".{0,300}", most in 1usize..250) {
            let cut = cut(&text, most);
            prop_assert!(cut.encode_utf16().count() <= most);
            match &cut {
                Cow::Borrowed(same) => prop_assert_eq!(*same, text.as_str()),
                Cow::Owned(cut) => prop_assert!(text.starts_with(cut.strip_suffix(MARK).unwrap())),
            }
        }

        #[test]
        fn an_environment_is_made_once(name in "(?i)(langfuse[-_]?){0,3}[a-zA-Z0-9_. -]{0,50}|.{0,20}") {
            let made = environment(&name);
            prop_assert!(is_environment(&made), "{}", made);
            prop_assert_eq!(environment(&made), made.clone());
        }
    }

    #[test]
    fn environments_are_those_of_the_server() {
        for (given, made) in [
            ("production", "production"),
            ("Staging", "staging"),
            ("langfuse-eval", "eval"),
            ("langfuse", "default"),
            ("LANGFUSE_x", "x"),
            ("eu west", "default"),
            ("", "default"),
            ("default", "default"),
        ] {
            assert_eq!(environment(given), made, "{given}");
        }
        assert_eq!(environment(&"a".repeat(60)), "a".repeat(40));
    }

    #[test]
    fn keys_of_javascript_are_renamed_and_not_lost() {
        for (given, kept) in [
            ("http.route", "http.route"),
            ("a.__proto__.b", "a.__proto___.b"),
            ("constructor", "constructor_"),
            ("constructors", "constructors"),
            ("x.prototype", "x.prototype_"),
            ("", "(empty)"),
        ] {
            assert_eq!(key(given), kept, "{given}");
        }
    }
}
