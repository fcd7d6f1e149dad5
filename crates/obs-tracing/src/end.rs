//! The end of a span of `tracing`: what is settled once all is told.

use obs_core::{ErrorInfo, SpanType, Timestamp, Value};
use obs_otlp::conventions::tokens;

use crate::limits::Limits;
use crate::look::Look;
use crate::open::{Conversation, Open};
use crate::read;
use crate::trouble::Verdict;

impl Open {
    /// Ends it: when it was last left, else now.
    pub(crate) fn end(mut self, limits: &Limits) {
        if self.span_type.is_none() {
            let mut look = Look::default();
            for (at, value) in &self.pending {
                if let Some(slot) = self.plan.slots.get(*at) {
                    look.hear_value(slot.goes, value);
                }
            }
            self.settle_type(look.guessed());
        }
        for (at, value) in std::mem::take(&mut self.pending) {
            match self.slot(at) {
                Some((key, _, Some(better))) if self.was_told(better) => {
                    self.span.attribute(key, value);
                }
                _ => self.set(at, value),
            }
        }
        self.end_conversation();
        self.end_counts();
        match self.trouble.take().and_then(|trouble| trouble.verdict()) {
            Some(Verdict::Fine) => {
                self.span.ok();
            }
            Some(Verdict::Failed(info)) => {
                self.span.fail_with(|| *info);
            }
            None if std::thread::panicking() => {
                self.span.fail_with(panicked);
            }
            None => {}
        }
        self.span.left_out(
            self.attributes.saturating_sub(limits.attributes),
            self.events.saturating_sub(limits.events),
            self.links.saturating_sub(limits.links),
        );
        let left = Some(self.left.into_inner()).filter(|nanos| *nanos > 0).map(Timestamp::from_nanos);
        self.span.end_typed(left);
    }

    fn end_conversation(&mut self) {
        let Conversation { instructions, input } = std::mem::take(&mut self.conversation);
        let joined = match (&instructions, &input) {
            (Some((_, said)), input) => with_instructions(said, input.as_ref()),
            (None, _) => None,
        };
        if let (Some((at, said)), None) = (&instructions, &joined)
            && let Some((key, ..)) = self.slot(*at)
        {
            self.span.attribute(key, said.clone());
        }
        let input = joined.map(|text| Value::Str(text.into())).or(input);
        if let Some(document) = input.as_ref().and_then(read::document) {
            self.span.input(document);
        }
    }

    /// Settles what the counts mean, now that all are there.
    fn end_counts(&mut self) {
        let (api_names, total) = (self.api_names, self.total);
        let mut said = false;
        self.span.typed(|span_type| {
            let (provider, usage) = match span_type {
                SpanType::LlmGeneration(call) => (&call.provider, &mut call.usage),
                SpanType::Embedding(embedding) => (&embedding.provider, &mut embedding.usage),
                _ => return,
            };
            let total = total.map(|(_, total)| total);
            let provider = provider.as_deref();
            *usage = tokens::settled(*usage, tokens::Told { total, api_names, scope: "", provider });
            said = total == usage.total();
        });
        if let (Some((at, total)), false) = (total, said)
            && let Some((key, ..)) = self.slot(at)
        {
            self.span.attribute(key, total);
        }
    }
}

fn panicked() -> ErrorInfo {
    ErrorInfo {
        error_type: Some("panic".into()),
        ..ErrorInfo::message("the thread panicked while the span was open")
    }
}

/// The messages with a model's instructions as the first of them, without reading them through.
///
/// `None` if the input is no list of messages, or begins with a system message already.
fn with_instructions(said: &Value, input: Option<&Value>) -> Option<String> {
    let rest = match input {
        None => "]",
        Some(Value::Str(text)) => text.trim_start().strip_prefix('[')?.trim_start(),
        Some(_) => return None,
    };
    let first = rest.split_once("\"role\"").map_or("", |(_, after)| after);
    if first.trim_start_matches([' ', ':']).starts_with("\"system\"") {
        return None;
    }
    let said = said.as_str()?;
    let comma = if rest.starts_with(']') { "" } else { "," };
    // Parts are told as a JSON list, words as they are.
    Some(if said.starts_with('[') && serde_json::from_str::<serde::de::IgnoredAny>(said).is_ok() {
        format!("[{{\"role\":\"system\",\"parts\":{said}}}{comma}{rest}")
    } else {
        let said = serde_json::to_string(said).ok()?;
        format!("[{{\"role\":\"system\",\"content\":{said}}}{comma}{rest}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_stand_before_the_messages_once() {
        let joined = |said: &'static str, input: Option<&'static str>| {
            with_instructions(&said.into(), input.map(Value::from).as_ref())
        };
        let said = r#"[{"role":"system","content":"be \"kind\""},{"role":"user"}]"#;
        assert_eq!(joined("be \"kind\"", Some(r#"[{"role":"user"}]"#)).as_deref(), Some(said));
        let said = r#"[{"role":"system","parts":[{"type":"text"}]}]"#;
        assert_eq!(joined(r#"[{"type":"text"}]"#, Some("[]")).as_deref(), Some(said));
        assert_eq!(joined(r#"[{"type":"text"}]"#, None).as_deref(), Some(said));
        assert_eq!(joined("kind", Some(r#"[{"role": "system"}]"#)), None);
        assert_eq!(joined("kind", Some("plain")), None);
    }
}
