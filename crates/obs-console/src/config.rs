//! What a user gives.

use std::str::FromStr;

use obs_core::Error;
use serde::{Deserialize, Serialize};

use crate::Color;
use crate::render::LEAST_WIDTH;

/// What is printed, and where; both the shape in a file and the builder. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConsoleConfig {
    /// Where to print: `stderr` by default, so that the program's own output stays clean, or `stdout`.
    pub output: Output,
    /// Whether to colour: `auto` by default, `always` or `never`.
    pub color: Color,
    /// The most columns of a line, at least 40. Those of the terminal by default, and 120 where there is none.
    pub width: Option<usize>,
    /// Whether to print previews of inputs, outputs and instructions; they are by default.
    pub payloads: bool,
    /// Whether to print the id of every span; not by default.
    pub ids: bool,
    /// The most spans that wait for their root to end; 10,000 by default. Beyond, the trace that waits longest is
    /// printed as it stands.
    pub max_open_spans: usize,
}

/// Where to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Standard error.
    #[default]
    Stderr,
    /// Standard output.
    Stdout,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stderr" => Ok(Self::Stderr),
            "stdout" => Ok(Self::Stdout),
            _ => Err(format!("\"{text}\" is no output: use one of stderr, stdout")),
        }
    }
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            output: Output::Stderr,
            color: Color::Auto,
            width: None,
            payloads: true,
            ids: false,
            max_open_spans: 10_000,
        }
    }
}

impl ConsoleConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `OBS_CONSOLE_OUTPUT`, `OBS_CONSOLE_COLOR` and `OBS_CONSOLE_WIDTH`; what is not set keeps its default.
    ///
    /// # Errors
    /// A configuration error that names the variable whose value cannot be read.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_lookup("", |name| std::env::var(name).ok())
    }

    /// As [`ConsoleConfig::from_env`], with a prefix: `from_env_prefixed("DEBUG")` reads `DEBUG_OBS_CONSOLE_COLOR`.
    ///
    /// # Errors
    /// As [`ConsoleConfig::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_lookup(&format!("{prefix}_"), |name| std::env::var(name).ok())
    }

    fn from_lookup(prefix: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let name = |option: &str| format!("{prefix}OBS_CONSOLE_{option}");
        let defaults = Self::default();
        Ok(Self {
            output: read(&name("OUTPUT"), &lookup)?.unwrap_or_default(),
            color: read(&name("COLOR"), &lookup)?.unwrap_or_default(),
            width: read(&name("WIDTH"), &lookup)?,
            ..defaults
        })
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self.width {
            Some(width) if width < LEAST_WIDTH => Err(Error::config(
                "width",
                format!("{width} columns cannot hold a tree; give {LEAST_WIDTH} or more"),
            )),
            _ => Ok(()),
        }
    }

    /// Where to print.
    #[must_use]
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Whether to colour.
    #[must_use]
    pub fn with_color(mut self, color: Color) -> Self {
        self.color = color;
        self
    }

    /// The most columns of a line.
    #[must_use]
    pub fn with_width(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// Whether to print previews of inputs, outputs and instructions.
    #[must_use]
    pub fn with_payloads(mut self, payloads: bool) -> Self {
        self.payloads = payloads;
        self
    }

    /// Whether to print the id of every span.
    #[must_use]
    pub fn with_ids(mut self, ids: bool) -> Self {
        self.ids = ids;
        self
    }

    /// The most spans that wait for their root to end.
    #[must_use]
    pub fn with_max_open_spans(mut self, max: usize) -> Self {
        self.max_open_spans = max;
        self
    }
}

fn read<T>(name: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Option<T>, Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    match lookup(name).filter(|value| !value.is_empty()) {
        Some(value) => value.parse().map(Some).map_err(|cause| Error::config(name, cause)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_a_bad_value_is_named() {
        let env = |asked: &str| match asked {
            "X_OBS_CONSOLE_COLOR" => Some("never".to_owned()),
            "X_OBS_CONSOLE_WIDTH" => Some("80".to_owned()),
            "OBS_CONSOLE_OUTPUT" => Some("paper".to_owned()),
            _ => None,
        };
        let config = ConsoleConfig::from_lookup("X_", env).unwrap();
        assert_eq!(config, ConsoleConfig::new().with_color(Color::Never).with_width(80));
        let error = ConsoleConfig::from_lookup("", env).unwrap_err();
        assert_eq!(error.message(), "OBS_CONSOLE_OUTPUT: \"paper\" is no output: use one of stderr, stdout");
    }

    #[test]
    fn a_width_that_holds_no_tree_is_refused() {
        assert!(ConsoleConfig::new().with_width(LEAST_WIDTH).validate().is_ok());
        let error = ConsoleConfig::new().with_width(12).validate().unwrap_err();
        assert_eq!(error.message(), "width: 12 columns cannot hold a tree; give 40 or more");
    }

    #[test]
    fn a_file_may_name_any_option_and_no_other() {
        let config: ConsoleConfig = serde_json::from_str(r#"{"color":"always","output":"stdout"}"#).unwrap();
        assert_eq!(config, ConsoleConfig::new().with_color(Color::Always).with_output(Output::Stdout));
        let error = serde_json::from_str::<ConsoleConfig>(r#"{"colour":"always"}"#).unwrap_err();
        assert!(error.to_string().contains("`colour`"), "{error}");
    }
}
