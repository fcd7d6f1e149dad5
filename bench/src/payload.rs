//! What a span of a model call carries, the same for every contender.

use std::sync::Arc;

pub(crate) const NAME: &str = "chat";
pub(crate) const OPERATION: &str = "chat";
pub(crate) const TEMPERATURE: f64 = 0.7;
pub(crate) const INPUT_TOKENS: u64 = 1_204;
pub(crate) const OUTPUT_TOKENS: u64 = 356;

/// The application's own strings, of type `S`.
#[derive(Debug, Clone)]
pub(crate) struct Texts<S> {
    /// 9 bytes.
    pub(crate) provider: S,
    /// 26 bytes.
    pub(crate) model: S,
    /// 200 bytes.
    pub(crate) input: S,
    /// 400 bytes.
    pub(crate) output: S,
}

/// Strings that the application owns, so that a library copies what it keeps; messages as GenAI's conventions have them.
pub(crate) fn owned() -> Texts<String> {
    let input =
        r#"[{"role":"user","parts":[{"type":"text","content":"What does the ledger of a destination count, "#;
    let output =
        r#"[{"role":"assistant","parts":[{"type":"text","content":"Everything that was offered: what was "#;
    Texts {
        provider: "anthropic".to_owned(),
        model: "claude-sonnet-4-5-20250929".to_owned(),
        input: filled(input, r#""}]}]"#, 200),
        output: filled(output, r#""}]}]"#, 400),
    }
}

/// Strings that the application shares by count.
pub(crate) fn shared() -> Texts<Arc<str>> {
    let Texts { provider, model, input, output } = owned();
    Texts { provider: provider.into(), model: model.into(), input: input.into(), output: output.into() }
}

/// Messages of exactly this many bytes, between this start and this end.
pub(crate) fn filled(start: &str, end: &str, bytes: usize) -> String {
    let words = "records are counted once and in one place only ".chars().cycle();
    let middle: String = words.take(bytes - start.len() - end.len()).collect();
    format!("{start}{middle}{end}")
}
