//! What becomes of spans and events, by choice.

use obs_core::{Str, Value};
use tracing::Metadata;

use crate::Limits;

/// What an event of `tracing` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Events {
    /// A log record that names its span; the default, since a log outlives the choice of traces and goes wherever logs go.
    #[default]
    Logs,
    /// An event of its span; outside of spans it is lost.
    Inline,
    /// Both.
    Both,
    /// Neither; an error still marks its span.
    Neither,
}

impl Events {
    pub(crate) fn logs(self) -> bool {
        matches!(self, Self::Logs | Self::Both)
    }

    pub(crate) fn span_events(self) -> bool {
        matches!(self, Self::Inline | Self::Both)
    }
}

/// Which attributes tell where in the code a span or an event is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodeAttributes {
    /// None.
    None,
    /// `target`, which is the module unless said otherwise.
    #[default]
    Target,
    /// `target` and `level`, and OpenTelemetry's `code.module.name`, `code.file.path` and `code.line.number`.
    All,
}

impl CodeAttributes {
    /// Tells of a callsite that is compiled in.
    pub(crate) fn tell(self, of: &'static Metadata<'static>, mut to: impl FnMut(&'static str, Value)) {
        if self != Self::None {
            to("target", of.target().into());
        }
        if self == Self::All {
            to("level", of.level().as_str().into());
            let (module, file) = (of.module_path().map(Value::from), of.file().map(Value::from));
            place(module, file, of.line(), to);
        }
    }

    /// Tells of a callsite whose names are only borrowed.
    #[cfg(feature = "log")]
    pub(crate) fn tell_borrowed(self, of: &Metadata<'_>, mut to: impl FnMut(&'static str, Value)) {
        let text = |text: &str| Value::Str(obs_instrument::intern(text));
        if self != Self::None {
            to("target", text(of.target()));
        }
        if self == Self::All {
            to("level", of.level().as_str().into());
            place(of.module_path().map(text), of.file().map(text), of.line(), to);
        }
    }
}

fn place(
    module: Option<Value>,
    file: Option<Value>,
    line: Option<u32>,
    mut to: impl FnMut(&'static str, Value),
) {
    let told =
        [("code.module.name", module), ("code.file.path", file), ("code.line.number", line.map(Value::from))];
    for (key, value) in told {
        if let Some(value) = value {
            to(key, value);
        }
    }
}

/// What a layer does with what it is told.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) events: Events,
    pub(crate) errors_mark_spans: bool,
    pub(crate) span_code: CodeAttributes,
    pub(crate) event_code: CodeAttributes,
    pub(crate) ignored: Vec<Str>,
    pub(crate) limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            events: Events::default(),
            errors_mark_spans: true,
            span_code: CodeAttributes::None,
            event_code: CodeAttributes::Target,
            ignored: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// Whether nothing of this target is recorded: obs's own messages never are.
    pub(crate) fn ignores(&self, target: &str) -> bool {
        is_within(target, "obs") || self.ignored.iter().any(|prefix| is_within(target, prefix))
    }
}

/// Whether a target is this module or one below it.
fn is_within(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_ignored_with_all_below_it_and_no_other() {
        let options = Options { ignored: vec!["hyper".into()], ..Options::default() };
        for target in ["obs", "obs::http", "hyper", "hyper::proto::h1"] {
            assert!(options.ignores(target), "{target}");
        }
        for target in ["obs_tracing", "observer", "hyper_util", "app::hyper", ""] {
            assert!(!options.ignores(target), "{target}");
        }
    }
}
