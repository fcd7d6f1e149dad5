//! How a trace is rendered.

use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};

use crate::Output;

/// The columns of a line where no terminal says how many it has.
const DEFAULT_WIDTH: usize = 120;

/// The least columns of a line; what is narrower could not hold a span's name.
pub(crate) const LEAST_WIDTH: usize = 40;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Whatever the output is.
    Always,
    /// Not.
    Never,
}

impl Color {
    /// The name in options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Whether to colour an output, by whether it is a terminal and what the environment says.
    ///
    /// `NO_COLOR` counts where it is set and not empty, as <https://no-color.org> has it.
    pub fn is_on(self, terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let wanted = env("NO_COLOR").is_none_or(|value| value.is_empty());
                terminal && wanted && env("TERM").as_deref() != Some("dumb")
            }
        }
    }
}

impl std::str::FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Auto, Self::Always, Self::Never]
            .into_iter()
            .find(|color| color.as_str() == text)
            .ok_or_else(|| format!("\"{text}\" is no choice of colours: use one of auto, always, never"))
    }
}

/// How a trace is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderOptions {
    /// Whether to print colours; not by default.
    pub color: bool,
    /// The most columns of a line, at least 40; 120 by default, unbounded with `None`.
    pub width: Option<usize>,
    /// Whether to print previews of inputs, outputs and instructions; they are by default.
    pub payloads: bool,
    /// Whether to print the id of every span; not by default.
    pub ids: bool,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { color: false, width: Some(DEFAULT_WIDTH), payloads: true, ids: false }
    }
}

impl RenderOptions {
    /// The defaults with colours and width as this output and the environment have them.
    ///
    /// The width is that of the terminal; where there is none it is the default.
    pub fn detect(color: Color, output: Output) -> Self {
        let (terminal, size) = match output {
            Output::Stderr => (io::stderr().is_terminal(), terminal_size::terminal_size_of(io::stderr())),
            Output::Stdout => (io::stdout().is_terminal(), terminal_size::terminal_size_of(io::stdout())),
        };
        let width = size.filter(|_| terminal).map_or(DEFAULT_WIDTH, |(width, _)| width.0.into());
        let color = color.is_on(terminal, |name| std::env::var(name).ok());
        Self { color, width: Some(width), ..Self::default() }
    }

    /// Colours or none.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// The most columns of a line; unbounded with `None`.
    #[must_use]
    pub fn with_width(mut self, width: impl Into<Option<usize>>) -> Self {
        self.width = width.into();
        self
    }

    /// Previews of inputs, outputs and instructions, or none.
    #[must_use]
    pub fn with_payloads(mut self, payloads: bool) -> Self {
        self.payloads = payloads;
        self
    }

    /// The id of every span, or none.
    #[must_use]
    pub fn with_ids(mut self, ids: bool) -> Self {
        self.ids = ids;
        self
    }

    pub(crate) fn columns(&self) -> usize {
        self.width.map_or(usize::MAX, |width| width.max(LEAST_WIDTH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let env = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| value.to_owned())
        };
        for (color, terminal, name, value, on) in [
            (Color::Auto, true, "", "", true),
            (Color::Auto, false, "", "", false),
            (Color::Auto, true, "NO_COLOR", "1", false),
            (Color::Auto, true, "NO_COLOR", "", true),
            (Color::Auto, true, "TERM", "dumb", false),
            (Color::Always, false, "NO_COLOR", "1", true),
            (Color::Never, true, "", "", false),
        ] {
            assert_eq!(color.is_on(terminal, env(name, value)), on, "{color:?} {terminal} {name}={value}");
            assert_eq!(color.as_str().parse(), Ok(color));
        }
        assert!("loud".parse::<Color>().unwrap_err().contains("auto, always, never"));
    }
}
