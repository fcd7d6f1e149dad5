//! Texts of the program itself that were found to hold no secret, so that they are not searched in every record.

use std::collections::HashMap;

use obs_core::Str;

/// How many texts are remembered; a program has a few names, units and descriptions of metrics.
const REMEMBERED: usize = 1_024;

/// Static texts without a secret, by where they stand in memory, each with the field that it was found in.
///
/// Only static ones, which stay where they are: a place that is given back could hold another text later.
#[derive(Debug, Default)]
pub(crate) struct CleanTexts(HashMap<(usize, usize), Box<str>>);

impl CleanTexts {
    /// Whether this text was found clean in this field.
    pub(crate) fn knows(&self, field: &str, text: &Str) -> bool {
        place(text).and_then(|place| self.0.get(&place)).is_some_and(|known| **known == *field)
    }

    /// Remembers that `text` is clean in this field, if it is one that stays where it is.
    pub(crate) fn remember(&mut self, field: &str, text: &Str) {
        if let Some(place) = place(text).filter(|_| self.0.len() < REMEMBERED) {
            self.0.insert(place, field.into());
        }
    }
}

fn place(text: &Str) -> Option<(usize, usize)> {
    let is_static = text.heap_bytes() == 0 && !text.is_empty();
    is_static.then(|| (text.as_ptr().addr(), text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_texts_are_known_in_their_field_and_others_never() {
        let mut clean = CleanTexts::default();
        let (fixed, shared) = (Str::from_static("a name"), Str::from("a name".to_owned()));
        for text in [&fixed, &shared, &Str::EMPTY] {
            clean.remember("name", text);
        }
        assert!(clean.knows("name", &fixed));
        assert!(!clean.knows("password", &fixed), "another field may be a sensitive one");
        assert!(!clean.knows("name", &shared) && !clean.knows("name", &Str::EMPTY));
    }
}
