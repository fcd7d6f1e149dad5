//! The vendor's variables.

use obs_core::{Env, Error};

use crate::{DatadogConfig, Mode};

/// Reads what is set; a key must be, or an Agent.
pub(crate) fn read(env: &Env) -> Result<DatadogConfig, Error> {
    let agent = agent(env)?;
    let keys = ["DD_API_KEY", "DATADOG_API_KEY"];
    let apm = env.switch("DD_LLMOBS_ENABLED")? == Some(false);
    let key = match &agent {
        Some(_) => env.first(&keys)?.unwrap_or_default(),
        None if apm => env.first(&keys)?.unwrap_or_default(),
        None => env.required(&keys, "an API key of your organisation (Organization Settings, API Keys)")?,
    };
    let mut config = DatadogConfig::new(key);
    config.agent_url = agent.map(Into::into);
    if apm {
        config.mode = Mode::OtlpAgent;
    }
    config.app_key = env.first(&["DD_APP_KEY", "DATADOG_APP_KEY"])?.map(Into::into);
    if let Some(site) = env.text("DD_SITE")? {
        config.site = site;
    }
    config.ml_app = env.text("DD_LLMOBS_ML_APP")?;
    config.service = env.text("DD_SERVICE")?.map(Into::into);
    config.env = env.text("DD_ENV")?.map(Into::into);
    config.version = env.text("DD_VERSION")?.map(Into::into);
    config.hostname = env.text("DD_HOSTNAME")?.map(Into::into);
    config.tags = env.text("DD_TAGS")?.map(|tags| split(&tags)).unwrap_or_default();
    Ok(config)
}

/// Tags as `DD_TAGS` has them: with commas, or with spaces where there is no comma.
fn split(tags: &str) -> Vec<String> {
    let by_space = !tags.contains(',');
    let parts = tags.split(|c: char| c == ',' || (by_space && c.is_whitespace()));
    parts.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// The Agent's address, where one is to be used.
fn agent(env: &Env) -> Result<Option<String>, Error> {
    let (host, port) =
        (env.text("DD_AGENT_HOST")?, env.parsed::<u16>("DD_TRACE_AGENT_PORT", "a port, such as 8126")?);
    let known = match env.text("DD_TRACE_AGENT_URL")? {
        Some(url) => Some(url),
        None if host.is_some() || port.is_some() => Some(address(host.as_deref(), port)),
        None => None,
    };
    Ok(match env.switch("DD_LLMOBS_AGENTLESS_ENABLED")? {
        Some(true) => None,
        Some(false) => Some(known.unwrap_or_else(|| address(None, None))),
        None => known,
    })
}

fn address(host: Option<&str>, port: Option<u16>) -> String {
    let (host, port) = (host.unwrap_or("localhost"), port.unwrap_or(8126));
    // An address of IPv6 stands in brackets before a port.
    if host.contains(':') && !host.starts_with('[') {
        format!("http://[{host}]:{port}")
    } else {
        format!("http://{host}:{port}")
    }
}
