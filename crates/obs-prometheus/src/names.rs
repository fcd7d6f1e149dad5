//! Names and labels as Prometheus takes them.

/// A name in the two forms that readers ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    /// Letters, digits, underscores and colons alone.
    pub(crate) safe: String,
    /// As it was recorded, for readers that take any characters.
    pub(crate) utf8: String,
}

impl Name {
    pub(crate) fn new(utf8: String) -> Self {
        Self { safe: safe_name(&utf8), utf8 }
    }
}

/// Whether every reader takes this name of a metric.
pub(crate) fn is_safe_name(name: &str) -> bool {
    begins_well(name) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

/// Whether every reader takes this name of a label.
pub(crate) fn is_safe_label(name: &str) -> bool {
    begins_well(name) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn begins_well(name: &str) -> bool {
    name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The name with an underscore for each run of other characters, and one before a digit that it begins with.
pub(crate) fn safe_name(name: &str) -> String {
    let safe = replaced(name, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    if begins_well(&safe) { safe } else { format!("_{safe}") }
}

/// The same for a label; `key_` stands before a digit, and before two underscores, which are Prometheus's own.
pub(crate) fn safe_label(name: &str) -> String {
    let safe = replaced(name, |c| c.is_ascii_alphanumeric() || c == '_');
    if begins_well(&safe) && !safe.starts_with("__") { safe } else { format!("key_{safe}") }
}

fn replaced(name: &str, takes: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(name.len());
    let mut in_run = false;
    for c in name.chars() {
        match takes(c) {
            true => out.push(c),
            false if in_run => {}
            false => out.push('_'),
        }
        in_run = !takes(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_characters_become_underscores() {
        for (name, metric, label) in [
            ("gen_ai.client.token.usage", "gen_ai_client_token_usage", "gen_ai_client_token_usage"),
            ("a b/é👩x", "a_b_x", "a_b_x"),
            ("5xx", "_5xx", "key_5xx"),
            ("a:b", "a:b", "a_b"),
            ("__name__", "__name__", "key___name__"),
            ("", "_", "key_"),
            (" ", "_", "_"),
        ] {
            assert_eq!((&*safe_name(name), &*safe_label(name)), (metric, label), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_safe_stays_and_all_else_becomes_safe(name in ".*") {
            prop_assert!(is_safe_name(&safe_name(&name)));
            prop_assert!(is_safe_label(&safe_label(&name)));
            let safe = safe_name(&name);
            prop_assert_eq!(&safe_name(&safe), &safe);
            let safe = safe_label(&name);
            prop_assert_eq!(&safe_label(&safe), &safe);
        }
    }
}
