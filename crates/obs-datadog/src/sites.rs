//! Datadog's sites, and what each of them has.

use obs_core::Error;
use obs_core::suggest::nearest;

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

const fn government(name: &'static str, app: &'static str) -> Site {
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
    government("ddog-gov.com", "app.ddog-gov.com"),
    government("us2.ddog-gov.com", "us2.ddog-gov.com"),
];

/// The site of this name.
///
/// # Errors
/// A configuration error that names the nearest site, and what to set for hosts of one's own.
pub(crate) fn of(name: &str) -> Result<&'static Site, Error> {
    let name = name.trim();
    if let Some(known) = SITES.iter().find(|site| site.name.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    let names = || SITES.iter().map(|site| site.name);
    // The address of a site's pages or of its API says which site is meant, too.
    let bare = name.rsplit("://").next().unwrap_or(name).trim_end_matches('/');
    let within = names().filter(|known| bare.strip_suffix(known).is_some_and(|before| before.ends_with('.')));
    let near = within.max_by_key(|known| known.len()).or_else(|| nearest(bare, names()));
    let near = near.map(|near| format!(", did you mean \"{near}\"?")).unwrap_or_default();
    let known = names().collect::<Vec<_>>().join(", ");
    Err(Error::config(
        "site",
        format!("\"{name}\" is none of Datadog's{near} Known: {known}; for hosts of your own set endpoint"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_found_by_its_name_alone_and_the_nearest_is_named() {
        assert_eq!(of(" DatadogHQ.eu ").unwrap().name, "datadoghq.eu");
        for (given, meant) in [
            ("datadoghq.con", "\"datadoghq.com\""),
            ("https://app.datadoghq.eu/", "\"datadoghq.eu\""),
            ("api.us3.datadoghq.com", "\"us3.datadoghq.com\""),
            ("app.ddog-gov.com", "\"ddog-gov.com\""),
            ("us5.datadoghq.co", "\"us5.datadoghq.com\""),
        ] {
            let error = of(given).unwrap_err();
            assert!(error.message().starts_with("site: ") && error.message().contains(meant), "{error}");
        }
        assert!(of("example.org").unwrap_err().message().contains("set endpoint"));
    }

    #[test]
    fn government_sites_have_no_llm_observability() {
        let without: Vec<_> = SITES.iter().filter(|site| !site.llmobs).map(|site| site.name).collect();
        assert_eq!(without, ["ddog-gov.com", "us2.ddog-gov.com"]);
    }
}
