//! Finding text in any case.

/// A text that is looked for in others, in any case.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    lower: String,
}

impl Needle {
    /// Looks for this text.
    pub(crate) fn new(text: &str) -> Self {
        Self { lower: text.to_lowercase() }
    }

    /// Whether `text` holds it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        if self.lower.is_empty() {
            return true;
        }
        if !self.lower.is_ascii() || !text.is_ascii() {
            return text.to_lowercase().contains(&self.lower);
        }
        let (needle, text) = (self.lower.as_bytes(), text.as_bytes());
        let ends = (needle[0], needle[needle.len() - 1]);
        text.windows(needle.len()).any(|window| {
            window[0].to_ascii_lowercase() == ends.0
                && window[window.len() - 1].to_ascii_lowercase() == ends.1
                && window.eq_ignore_ascii_case(needle)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_of_looking_agree(text in "[aAbBéÉ ]{0,12}", needle in "[aAbBéÉ ]{0,3}") {
            let expected = text.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_in(&text), expected);
        }
    }
}
