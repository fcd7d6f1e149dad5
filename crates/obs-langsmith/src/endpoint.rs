//! Where LangSmith is, for programs and for people.

use serde::Deserialize;

/// One of LangSmith's own installations; data stays where it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The United States, on Google's cloud; the default, as LangSmith has it.
    #[default]
    Us,
    /// Europe.
    Eu,
    /// Asia and the Pacific.
    Apac,
    /// The United States, on Amazon's cloud.
    AwsUs,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Us, Self::Eu, Self::Apac, Self::AwsUs];

    /// The address of the API.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Us => "https://api.smith.langchain.com",
            Self::Eu => "https://eu.api.smith.langchain.com",
            Self::Apac => "https://apac.api.smith.langchain.com",
            Self::AwsUs => "https://aws.api.smith.langchain.com",
        }
    }

    /// Whether this address is the region's.
    pub(crate) fn is_at(self, endpoint: &str) -> bool {
        let base = endpoint.trim_end_matches('/');
        ["", "/api", "/api/v1"].into_iter().any(|path| base.strip_suffix(path) == Some(self.endpoint()))
    }

    /// The address of the pages.
    pub const fn app_url(self) -> &'static str {
        match self {
            Self::Us => "https://smith.langchain.com",
            Self::Eu => "https://eu.smith.langchain.com",
            Self::Apac => "https://apac.smith.langchain.com",
            Self::AwsUs => "https://aws.smith.langchain.com",
        }
    }
}

/// Where the pages of an API are: LangSmith's own, else what stands before `/api` or `/api/v1`.
///
/// `None` for an API of another form, whose pages may be anywhere.
pub(crate) fn app_of(endpoint: &str) -> Option<String> {
    let endpoint = endpoint.split('?').next().unwrap_or_default().trim_end_matches('/');
    let base = endpoint.strip_suffix("/v1").unwrap_or(endpoint);
    let before = base.strip_suffix("/api");
    let host = before.unwrap_or(endpoint);
    match Region::ALL.into_iter().find(|region| region.endpoint() == host) {
        Some(region) => Some(region.app_url().to_owned()),
        None => before.map(ToOwned::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_beside_the_api() {
        for (endpoint, app) in [
            ("https://api.smith.langchain.com", Some("https://smith.langchain.com")),
            ("https://eu.api.smith.langchain.com/", Some("https://eu.smith.langchain.com")),
            ("https://api.smith.langchain.com/api/v1", Some("https://smith.langchain.com")),
            ("https://langsmith.acme.dev/api/v1", Some("https://langsmith.acme.dev")),
            ("https://acme.dev/langsmith/api", Some("https://acme.dev/langsmith")),
            ("http://127.0.0.1:1984", None),
        ] {
            assert_eq!(app_of(endpoint).as_deref(), app, "{endpoint}");
        }
    }
}
