//! What a user gives.

use std::str::FromStr;

use obs_core::{Env, Error};
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
        Self::from_vars(&Env::process())
    }

    /// As [`ConsoleConfig::from_env`], with a prefix: `from_env_prefixed("DEBUG")` reads `DEBUG_OBS_CONSOLE_COLOR`.
    ///
    /// # Errors
    /// As [`ConsoleConfig::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`ConsoleConfig::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`ConsoleConfig::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        Ok(Self {
            output: read(env, "OBS_CONSOLE_OUTPUT")?.unwrap_or_default(),
            color: read(env, "OBS_CONSOLE_COLOR")?.unwrap_or_default(),
            width: read(env, "OBS_CONSOLE_WIDTH")?,
            ..Self::default()
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

/// A variable of a type whose own errors say what is meant.
fn read<T: FromStr<Err: std::fmt::Display>>(env: &Env, name: &str) -> Result<Option<T>, Error> {
    let Some(text) = env.text(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|cause| Error::config(&env.name(name), cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_a_bad_value_is_named() {
        let env = Env::of([
            ("X_OBS_CONSOLE_COLOR", "never"),
            ("X_OBS_CONSOLE_WIDTH", "80"),
            ("OBS_CONSOLE_OUTPUT", "paper"),
        ]);
        let config = ConsoleConfig::from_vars(&env.clone().prefixed("X")).unwrap();
        assert_eq!(config, ConsoleConfig::new().with_color(Color::Never).with_width(80));
        let error = ConsoleConfig::from_vars(&env).unwrap_err();
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
