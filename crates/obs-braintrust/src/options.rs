//! Choices of a configuration.

use serde::Deserialize;

/// A region of Braintrust's data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// The United States.
    #[default]
    Us,
    /// The European Union.
    Eu,
}

impl Region {
    /// Where its API is.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Us => "https://api.braintrust.dev",
            Self::Eu => "https://api-eu.braintrust.dev",
        }
    }
}

/// What a log becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogRowStyle {
    /// A row of type `log` of the span that it was made under.
    #[default]
    LogRow,
    /// A span of no length below it, for self-hosted data planes that do not know the type.
    ChildSpan,
}

/// Where Braintrust is told that a score comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreSource {
    /// A program with a key.
    #[default]
    Api,
    /// Braintrust's own application.
    App,
    /// Another application.
    External,
}

impl ScoreSource {
    /// Braintrust's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::App => "app",
            Self::External => "external",
        }
    }
}
