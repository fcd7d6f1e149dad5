//! What docs/options.md says.

use std::collections::BTreeSet;

/// The options of the page, each with its crate and its struct.
#[derive(Debug)]
pub(super) struct Page<'a>(BTreeSet<(&'a str, &'a str, &'a str)>);

impl<'a> Page<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let (mut krate, mut of, mut found) = ("", "", BTreeSet::new());
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("### ") {
                of = name;
            } else if let Some(name) = line.strip_prefix("## ") {
                (krate, of) = (name, "");
            } else if let Some((name, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) {
                found.insert((krate, of, name));
            }
        }
        Self(found)
    }

    pub(super) fn has(&self, krate: &str, of: &str, name: &str) -> bool {
        self.0.contains(&(krate, of, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_below_its_struct_and_its_crate() {
        let page =
            Page::read("## a\n\n### B\n\n| option | v |\n|---|---|\n| `c` | `d` |\n\n## e\n\n| `f` | g |\n");
        assert!(page.has("a", "B", "c") && page.has("e", "", "f"));
        assert!(!page.has("a", "B", "d") && !page.has("e", "B", "f") && !page.has("a", "", "c"));
    }
}
