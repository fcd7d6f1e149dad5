//! What scores and feedback have in common: both are evaluations.

use std::borrow::Cow;

use obs_core::{Attributes, Mapped, Records, Refused, ScoreValue, Str, VisitText};

use crate::pack::{Packer, push};
use crate::wire::{Evaluation, Id, Place, Request, Verdict};
use crate::{DatadogExporter, Mode, tags};

/// The most characters of a label.
const MAX_LABEL: usize = 200;

/// A record that becomes an evaluation.
pub(crate) trait Judgement: VisitText + Clone {
    /// Checks what no evaluation can be made of.
    fn check(&self) -> Result<(), Trouble>;

    /// The evaluation of one that was checked.
    fn evaluation<'a>(&'a self, exporter: &'a DatadogExporter) -> Option<Evaluation<'a>>;
}

/// Why no evaluation can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Datadog has nothing of the kind that it is about.
    Target(&'static str),
    /// Datadog has no such value.
    Value(&'static str),
}

/// Requests of judgements.
pub(crate) fn map<T: Judgement>(exporter: &DatadogExporter, records: &Records<T>) -> Mapped<Request> {
    let start = br#"{"data":{"type":"evaluation_metric","attributes":{"metrics":["#.to_vec();
    let mut packer = Packer::new(Place::Evaluations, start, b"]}}}");
    for (at, record) in records.iter().enumerate() {
        match record.check() {
            Err(Trouble::Target(why)) => packer.refuse(Refused::unresolvable_target(at, why)),
            Err(Trouble::Value(why)) => packer.refuse(Refused::encode(at, why)),
            Ok(()) => packer.add(at, record, |record, out| {
                let evaluation =
                    record.evaluation(exporter).ok_or("its target cannot be told in Datadog's words")?;
                push(out, &evaluation)
            }),
        }
    }
    packer.finish()
}

/// An id as spans of this mode have it: OTLP's are known by their numbers.
pub(crate) fn id<T>(exporter: &DatadogExporter, id: T) -> Id<T> {
    match exporter.config().mode {
        Mode::Llmobs => Id::Hex(id),
        Mode::OtlpAgent | Mode::OtlpIntake => Id::Decimal(id),
    }
}

/// The tags of an evaluation; one that says so where spans come by OTLP, so that Datadog waits for them.
pub(crate) fn tags<'a>(
    exporter: &'a DatadogExporter,
    context: &'a obs_core::TraceContext,
    resource: &'a obs_core::Resource,
) -> Vec<Cow<'a, str>> {
    let mut tags = tags::of(exporter, context, resource, false);
    if exporter.config().mode != Mode::Llmobs {
        tags.push(Cow::Borrowed("source:otel"));
    }
    tags
}

/// Checks what no number can be.
pub(crate) fn check_value(value: &ScoreValue) -> Result<(), Trouble> {
    match value {
        ScoreValue::Numeric { value, .. } if !value.is_finite() => {
            Err(Trouble::Value("a number that is not finite, which JSON has no form for"))
        }
        _ => Ok(()),
    }
}

/// A value as Datadog has it; free words are a category where `texts` are not taken.
pub(crate) fn verdict(value: &ScoreValue, texts: bool) -> Verdict<'_> {
    match value {
        ScoreValue::Numeric { value, .. } => Verdict::Score { score_value: *value },
        ScoreValue::Boolean(value) => Verdict::Boolean { boolean_value: *value },
        ScoreValue::Text(words) if texts => Verdict::Text { text_value: words },
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => {
            Verdict::Categorical { categorical_value: words }
        }
    }
}

/// Whether it passed, where the metadata says so under `assessment`.
pub(crate) fn assessment(metadata: &Attributes) -> Option<&'static str> {
    match metadata.get("assessment")?.as_str()? {
        "pass" => Some("pass"),
        "fail" => Some("fail"),
        _ => None,
    }
}

/// A name as a label: letters and digits of ASCII and underscores, a letter first, at most 200 characters.
///
/// Other characters become underscores, which is what Datadog makes of them, too.
pub(crate) fn label<'a>(name: &'a Str, before: &str) -> Cow<'a, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && name.len() <= MAX_LABEL && name.chars().all(fits) {
        return Cow::Borrowed(name.as_str());
    }
    let plain = name.chars().map(|c| if fits(c) { c } else { '_' });
    let before = if begins { "" } else { before };
    before.chars().chain(plain).take(MAX_LABEL).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_label_is_always_one_that_datadog_takes(name in ".{0,300}") {
            let name = Str::from(name);
            let label = label(&name, "score_");
            prop_assert!(label.starts_with(|c: char| c.is_ascii_alphabetic()));
            prop_assert!(label.len() <= 200 && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        }
    }

    #[test]
    fn a_label_stays_as_it_is_where_it_can() {
        for (name, expected) in [
            ("relevance", "relevance"),
            ("answer relevance", "answer_relevance"),
            ("ragas.faithfulness", "ragas_faithfulness"),
            ("5_stars", "score_5_stars"),
            ("", "score_"),
        ] {
            assert_eq!(label(&name.into(), "score_"), expected);
        }
    }

    #[test]
    fn what_is_no_number_is_refused_and_words_keep_their_kind() {
        assert!(check_value(&ScoreValue::numeric(f64::NAN)).is_err());
        assert!(check_value(&ScoreValue::numeric(f64::INFINITY)).is_err());
        assert_eq!(check_value(&ScoreValue::numeric(7.0)), Ok(()));
        let words = ScoreValue::text("too long");
        assert_eq!(verdict(&words, true), Verdict::Text { text_value: "too long" });
        assert_eq!(verdict(&words, false), Verdict::Categorical { categorical_value: "too long" });
    }
}
