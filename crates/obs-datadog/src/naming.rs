//! Names and tags by Datadog's rules, since it rewrites what breaks them and others would then not find it.

/// The most characters of a name and of a tag.
const MOST: usize = 200;

/// The name of a metric: ASCII letters, digits, underscores and dots, beginning with a letter, 200 at most.
///
/// What stands before the first letter falls away and what is not allowed becomes an underscore, as with Datadog's own
/// clients; `None` where there is no letter.
pub(crate) fn metric(name: &str) -> Option<String> {
    let start = name.find(|c: char| c.is_ascii_alphabetic())?;
    let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') { c } else { '_' };
    Some(name[start..].chars().take(MOST).map(allowed).collect())
}

/// A tag: lower case, beginning with a letter, of letters, digits, underscores, minuses, colons, dots and slashes, 200 at
/// most.
///
/// What stands before the first letter falls away, and what is not allowed becomes one underscore, none at the end; `None`
/// where there is no letter.
pub(crate) fn tag(text: &str) -> Option<String> {
    let start = text.find(char::is_alphabetic)?;
    let mut tag = String::new();
    let mut len = 0;
    for c in text[start..].chars().flat_map(char::to_lowercase) {
        if len == MOST {
            break;
        }
        let allowed = c.is_alphanumeric() || matches!(c, '-' | ':' | '.' | '/');
        if !allowed && tag.ends_with('_') {
            continue;
        }
        tag.push(if allowed { c } else { '_' });
        len += 1;
    }
    tag.truncate(tag.trim_end_matches('_').len());
    Some(tag)
}

/// A key and its value as a tag; the key alone where there is no value.
pub(crate) fn pair(key: &str, value: &str) -> Option<String> {
    if value.trim().is_empty() { tag(key) } else { tag(&format!("{key}:{value}")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_that_datadog_would_make_of_them() {
        for (given, name) in [
            ("gen_ai.client.token.usage", Some("gen_ai.client.token.usage")),
            ("Requests", Some("Requests")),
            ("queue size/max", Some("queue_size_max")),
            ("5xx.count", Some("xx.count")),
            ("größe", Some("gr__e")),
            ("日本", None),
            ("", None),
        ] {
            assert_eq!(metric(given).as_deref(), name, "{given}");
        }
    }

    #[test]
    fn tags_are_those_that_datadog_would_make_of_them() {
        for (key, value, expected) in [
            ("model", "claude-sonnet-4-5", Some("model:claude-sonnet-4-5")),
            ("Region", "EU West!!", Some("region:eu_west")),
            ("path", "/v1/chat", Some("path:/v1/chat")),
            ("stadt", "Zürich", Some("stadt:zürich")),
            ("1st", "x", Some("st:x")),
            ("a,b", "c  d", Some("a_b:c_d")),
            ("empty", " ", Some("empty")),
            ("", "", None),
            ("1", "2", None),
        ] {
            assert_eq!(pair(key, value).as_deref(), expected, "{key}:{value}");
        }
        assert_eq!(pair("k", &"v".repeat(500)).map(|tag| tag.len()), Some(MOST));
    }

    proptest! {
        #[test]
        fn what_is_made_of_any_text_stays_as_it_is_when_made_again(text in any::<String>()) {
            if let Some(name) = metric(&text) {
                prop_assert!(name.len() <= MOST && name.starts_with(|c: char| c.is_ascii_alphabetic()));
                prop_assert_eq!(metric(&name), Some(name));
            }
            if let Some(made) = tag(&text) {
                prop_assert!(made.chars().count() <= MOST);
                prop_assert_eq!(tag(&made), Some(made));
            }
        }
    }
}
