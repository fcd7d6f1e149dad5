//! What New Relic demands of names and texts.

use std::borrow::Cow;

/// The most characters of a name.
pub(crate) const NAME: usize = 255;
/// The most characters of a text.
pub(crate) const TEXT: usize = 4_096;

/// Words of NRQL, which are no names of events.
const WORDS: &[&str] = &[
    "ago",
    "and",
    "as",
    "auto",
    "begin",
    "begintime",
    "compare",
    "day",
    "days",
    "end",
    "endtime",
    "explain",
    "facet",
    "from",
    "hour",
    "hours",
    "in",
    "is",
    "like",
    "limit",
    "minute",
    "minutes",
    "month",
    "months",
    "not",
    "null",
    "offset",
    "or",
    "raw",
    "second",
    "seconds",
    "select",
    "since",
    "timeseries",
    "until",
    "week",
    "weeks",
    "where",
    "with",
];

/// The name of an attribute: letters, digits, colons, dots and underscores.
pub(crate) fn attribute(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_');
    if !name.is_empty() && name.len() <= NAME && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let clean: String = name.chars().take(NAME).map(|c| if fits(c) { c } else { '_' }).collect();
    Cow::Owned(if clean.is_empty() { "_".to_owned() } else { clean })
}

/// A text of so many characters at most; one that was cut says so at its end.
pub(crate) fn text(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most || text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let mark = format!("… [truncated by obs: {} bytes were too large]", text.len());
    let kept = most.saturating_sub(mark.chars().count());
    let end = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}{mark}", &text[..end]))
}

/// What is wrong with the name of an event, if anything.
pub(crate) fn event_fault(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_');
    if name.is_empty() {
        return Some("it is empty; name the events");
    }
    if name.len() > NAME || !name.chars().all(fits) {
        return Some(
            "names of events are at most 255 letters, digits, colons and underscores; choose another",
        );
    }
    let of_metrics = name == "Metric"
        || name == "MetricRaw"
        || name.strip_prefix("Metric").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if of_metrics || name.starts_with("Public_") {
        return Some("New Relic keeps this name for itself, and drops such events; choose another");
    }
    let is_word = WORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
    is_word.then_some("it is a word of NRQL; choose another")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_letters_digits_colons_dots_and_underscores() {
        for (name, clean) in
            [("a.b:c_1", "a.b:c_1"), ("a-b/c d", "a_b_c_d"), ("größe", "gr__e"), ("", "_"), ("🦀", "_")]
        {
            assert_eq!(attribute(name), clean);
        }
        assert_eq!(attribute(&"x".repeat(300)).len(), NAME);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_with_a_mark() {
        for long in ["x".repeat(5_000), "é🦀".repeat(3_000)] {
            let cut = text(&long, TEXT);
            assert_eq!(cut.chars().count(), TEXT);
            assert!(cut.ends_with(&format!("[truncated by obs: {} bytes were too large]", long.len())));
        }
        let just = "é".repeat(TEXT);
        assert_eq!(text(&just, TEXT), just);
    }

    #[test]
    fn what_new_relic_drops_is_no_name_of_an_event() {
        for name in ["", "a.b", "a b", "Metric", "MetricRaw", "Metric1Minute", "Public_x", "SELECT", "größe"]
        {
            assert!(event_fault(name).is_some(), "{name}");
        }
        for name in ["LlmEvaluation", "Metrics", "ProfileMetrics", "a:b_1", "0_hello"] {
            assert_eq!(event_fault(name), None, "{name}");
        }
    }
}
