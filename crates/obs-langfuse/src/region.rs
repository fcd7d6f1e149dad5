//! Where Langfuse Cloud runs.

use serde::Deserialize;

/// A region of Langfuse Cloud; each has its own projects and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// The European Union.
    #[default]
    Eu,
    /// The United States.
    Us,
    /// Japan.
    Jp,
    /// The United States, under HIPAA.
    Hipaa,
}

impl Region {
    /// The address that requests go to.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Eu => "https://cloud.langfuse.com",
            Self::Us => "https://us.cloud.langfuse.com",
            Self::Jp => "https://jp.cloud.langfuse.com",
            Self::Hipaa => "https://hipaa.cloud.langfuse.com",
        }
    }
}
