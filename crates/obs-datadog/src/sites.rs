//! Datadog's sites, and what each of them has.

use obs_core::Error;

/// A site of Datadog's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its name, as `DD_SITE` has it.
    pub(crate) name: &'static str,
    /// Where its pages are.
    pub(crate) app: &'static str,
    /// Whether it has LLM Observability.
    pub(crate) llmobs: bool,
}

const fn site(name: &'static str, app: &'static str) -> Site {
    Site { name, app, llmobs: true }
}

const fn gov(name: &'static str, app: &'static str) -> Site {
    Site { name, app, llmobs: false }
}

/// All sites, the default first.
pub(crate) const SITES: [Site; 9] = [
    site("datadoghq.com", "app.datadoghq.com"),
    site("us3.datadoghq.com", "us3.datadoghq.com"),
    site("us5.datadoghq.com", "us5.datadoghq.com"),
    site("datadoghq.eu", "app.datadoghq.eu"),
    site("ap1.datadoghq.com", "ap1.datadoghq.com"),
    site("ap2.datadoghq.com", "ap2.datadoghq.com"),
    site("uk1.datadoghq.com", "uk1.datadoghq.com"),
    gov("ddog-gov.com", "app.ddog-gov.com"),
    gov("us2.ddog-gov.com", "us2.ddog-gov.com"),
];

/// The site of this name.
pub(crate) fn of(name: &str) -> Result<&'static Site, Error> {
    let name = name.trim();
    SITES
        .iter()
        .find(|site| site.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Error::config("site", "unknown"))
}
