//! Services whose API does not tell all that it was sent: what it can tell is held against what was recorded, and the rest is
//! known to be accepted.

use std::collections::BTreeSet;
use std::fmt::Debug;

use anyhow::Result;
use async_trait::async_trait;
use obs_core::Trace;
use obs_pipeline::DestinationSpec;

/// A service that can be asked for some of what it has.
#[async_trait]
pub(crate) trait Sighted: Debug + Send + Sync {
    /// Its exporter, configured by the vendor's own variables.
    fn destination(&self) -> Result<DestinationSpec>;
    /// What it is to show, a line for each record, with its ids.
    fn wanted(&self, sent: &Trace) -> BTreeSet<String>;
    /// What it shows of a trace.
    async fn found(&self, sent: &Trace) -> Result<BTreeSet<String>>;
    /// What it does not show, in words; nothing where it shows all.
    fn unread(&self) -> &'static str;
}

/// What is not there, and what should not be.
pub(super) fn differences(wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = wanted.difference(found).map(|line| format!("{line}: not there"));
    let more = found.difference(wanted).map(|line| format!("{line}: there, and not at the source"));
    missing.chain(more).collect()
}

/// The spans of a trace.
pub(super) fn spans(sent: &Trace) -> impl Iterator<Item = String> {
    sent.spans.iter().map(|span| self::span(&span.span_id.to_string(), &span.name))
}

pub(super) fn span(id: &str, name: &str) -> String {
    format!("span {id} `{name}`")
}

/// The logs of a trace, each under its span.
pub(super) fn logs(sent: &Trace) -> impl Iterator<Item = String> {
    sent.logs.iter().map(|log| {
        let span = log.span.and_then(|span| span.span_id).map(|id| id.to_string());
        self::log(&span.unwrap_or_default(), &log.message)
    })
}

pub(super) fn log(span: &str, message: &str) -> String {
    format!("log `{message}` of {span}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_too_much_is_told() {
        let set = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(differences(&set(&["a", "b"]), &set(&["b", "a"])), Vec::<String>::new());
        assert_eq!(
            differences(&set(&["a", "b"]), &set(&["b", "c"])),
            ["a: not there", "c: there, and not at the source"]
        );
    }
}
