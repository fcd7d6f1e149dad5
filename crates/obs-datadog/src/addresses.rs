//! Where everything is.

use obs_otel::OtelConfig;

use crate::sites::Site;
use crate::{Address, DatadogConfig, Mode};

/// Where an Agent takes OTLP.
const OTLP_PORT: u16 = 4318;

/// The addresses that a configuration comes to.
pub(crate) struct Addresses {
    pub(crate) api: String,
    pub(crate) logs: String,
    pub(crate) otlp: String,
}

impl Addresses {
    pub(crate) fn of(config: &DatadogConfig, site: &Site) -> Self {
        let on_site = |host: &str| match config.http.endpoint.as_str() {
            "" => format!("https://{host}.{}", site.name),
            given => given.to_owned(),
        };
        let logs = config.logs_endpoint.as_ref().map(|given| given.as_str().to_owned());
        Self {
            api: on_site("api"),
            logs: logs.unwrap_or_else(|| on_site("http-intake.logs")),
            otlp: otlp(config),
        }
    }
}

/// Where spans go by OTLP.
fn otlp(config: &DatadogConfig) -> String {
    let base = match (&config.otlp_endpoint, &config.agent_url) {
        (Some(given), _) => given.as_str().trim_end_matches('/').to_owned(),
        (None, Some(agent)) => on_otlp_port(agent),
        (None, None) => format!("http://localhost:{OTLP_PORT}"),
    };
    if base.ends_with("/v1/traces") { base } else { format!("{base}/v1/traces") }
}

/// The Agent's own address with its port for OTLP.
fn on_otlp_port(agent: &Address) -> String {
    let moved = url::Url::parse(agent.as_str()).ok().and_then(|mut url| {
        url.set_port(Some(OTLP_PORT)).ok()?;
        url.set_path("");
        Some(url.to_string().trim_end_matches('/').to_owned())
    });
    moved.unwrap_or_else(|| agent.as_str().to_owned())
}

impl DatadogConfig {
    /// In the OTLP modes, what makes their requests: the resource of a record says what it is of, the configuration the
    /// rest.
    pub(crate) fn otel(&self) -> Option<OtelConfig> {
        if self.mode == Mode::Llmobs {
            return None;
        }
        let mut otel = OtelConfig::new(otlp(self).trim_end_matches("/v1/traces"));
        otel.service_name = self.unified_service().map(|service| service.to_owned().into());
        otel.service_version = self.unified_version().map(|version| version.to_owned().into());
        if let Some(env) = self.unified_env() {
            otel.resource_attributes.insert("deployment.environment.name", env.to_owned());
        }
        if let Some(host) = &self.hostname {
            otel.resource_attributes.insert("host.name", host.clone());
        }
        for tag in &self.tags {
            if let Some((key, value)) = tag.split_once(':') {
                otel.resource_attributes.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        Some(otel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites;

    fn addresses(config: &DatadogConfig) -> [String; 3] {
        let Addresses { api, logs, otlp } = Addresses::of(config, sites::of(&config.site).unwrap());
        [api, logs, otlp]
    }

    #[test]
    fn every_site_has_its_hosts() {
        let eu = DatadogConfig::new("k").with_site("datadoghq.eu");
        let [api, logs, _] = addresses(&eu);
        assert_eq!((&*api, &*logs), ("https://api.datadoghq.eu", "https://http-intake.logs.datadoghq.eu"));
        let proxied = eu.clone().with_endpoint("https://proxy.example.com");
        let [api, logs, _] = addresses(&proxied);
        assert_eq!((&*api, &*logs), ("https://proxy.example.com", "https://proxy.example.com"));
        let [_, logs, _] = addresses(&proxied.with_logs_endpoint("https://logs.example.com"));
        assert_eq!(logs, "https://logs.example.com");
    }

    #[test]
    fn otlp_goes_to_the_agent_unless_another_address_is_given() {
        let otlp = |config: DatadogConfig| otlp(&config.with_mode(Mode::OtlpAgent));
        let none = DatadogConfig::default;
        assert_eq!(otlp(none()), "http://localhost:4318/v1/traces");
        assert_eq!(otlp(none().with_agent_url("http://agent:8126/")), "http://agent:4318/v1/traces");
        assert_eq!(otlp(none().with_otlp_endpoint("http://c:14318/")), "http://c:14318/v1/traces");
        assert_eq!(otlp(none().with_otlp_endpoint("https://h/x/v1/traces")), "https://h/x/v1/traces");
    }
}
