//! The variables of New Relic's agents, and a few of our own.

use obs_core::{Env, Error, Str, Value};
use obs_otel::OtelConfig;

use crate::{Address, NewRelicConfig, Region};

/// What agents and New Relic's Kubernetes integration are told of where they run, and what OpenTelemetry calls it.
const RESOURCE: &[(&str, &str)] = &[
    ("NEW_RELIC_METADATA_SERVICE_VERSION", "service.version"),
    ("NEW_RELIC_METADATA_RELEASE_TAG", "tags.releaseTag"),
    ("NEW_RELIC_METADATA_COMMIT", "tags.commit"),
    ("NEW_RELIC_METADATA_KUBERNETES_CLUSTER_NAME", "k8s.cluster.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_NODE_NAME", "k8s.node.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_NAMESPACE_NAME", "k8s.namespace.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_DEPLOYMENT_NAME", "k8s.deployment.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_POD_NAME", "k8s.pod.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_CONTAINER_NAME", "k8s.container.name"),
    ("NEW_RELIC_METADATA_KUBERNETES_CONTAINER_IMAGE_NAME", "container.image.name"),
];

/// A config of these variables.
pub(crate) fn read(env: &Env) -> Result<NewRelicConfig, Error> {
    let key = env.required(&["NEW_RELIC_LICENSE_KEY"], "the license key of your account, …NRAL")?;
    let mut config = NewRelicConfig::new(key);
    config.account_id = env.text("NEW_RELIC_ACCOUNT_ID")?;
    config.region = region(env, config.license_key.expose())?;
    if let Some(endpoint) = env.text("NEW_RELIC_ENDPOINT")? {
        config.http.endpoint = endpoint;
    }
    config.metrics_api_url = env.text("NEW_RELIC_METRICS_API_URL")?.map(Address::from);
    config.events_api_url = env.text("NEW_RELIC_EVENTS_API_URL")?.map(Address::from);
    let otel = OtelConfig::default().with_resource_vars(env);
    config.service_name = app_name(env)?.or(otel.service_name);
    config.common_attributes = otel.resource_attributes;
    if let Some(version) = otel.service_version {
        config.common_attributes.insert("service.version", version);
    }
    if let Some(namespace) = otel.service_namespace {
        config.common_attributes.insert("service.namespace", namespace);
    }
    if let Some(instance) = otel.service_instance_id {
        config.service_instance_id = Some(instance);
    }
    for (variable, name) in RESOURCE {
        if let Some(text) = env.text(variable)? {
            config.common_attributes.insert(*name, Value::Str(text.into()));
        }
    }
    Ok(config)
}

/// The region, or what the key says, or that of the collector which agents are to send to: the data of an account under
/// FedRAMP goes nowhere else.
fn region(env: &Env, key: &str) -> Result<Option<Region>, Error> {
    if let Some(region) = env.parsed::<Region>("NEW_RELIC_REGION", "US, EU or GOV")? {
        return Ok(Some(region));
    }
    if Region::of_key(key).is_some() {
        return Ok(None);
    }
    Ok(env.text("NEW_RELIC_HOST")?.as_deref().and_then(Region::of_collector))
}

/// The first name of the list that agents take.
fn app_name(env: &Env) -> Result<Option<Str>, Error> {
    let names = env.text("NEW_RELIC_APP_NAME")?;
    let first =
        names.as_deref().and_then(|names| names.split(';').map(str::trim).find(|name| !name.is_empty()));
    Ok(first.map(Str::copied))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef0123NRAL";

    #[test]
    fn every_variable_has_its_place() {
        let config = read(&Env::of([
            ("NEW_RELIC_LICENSE_KEY", KEY),
            ("NEW_RELIC_ACCOUNT_ID", "123"),
            ("NEW_RELIC_REGION", "eu"),
            ("NEW_RELIC_HOST", "gov-collector.newrelic.com"),
            ("NEW_RELIC_ENDPOINT", "https://proxy"),
            ("NEW_RELIC_METRICS_API_URL", "https://metrics"),
            ("NEW_RELIC_EVENTS_API_URL", "https://events"),
            ("NEW_RELIC_APP_NAME", "shop; all"),
            ("OTEL_SERVICE_NAME", "other"),
            ("OTEL_RESOURCE_ATTRIBUTES", "host.name=h,service.version=0"),
            ("NEW_RELIC_METADATA_SERVICE_VERSION", "1.2"),
            ("NEW_RELIC_METADATA_COMMIT", "734713b"),
            ("NEW_RELIC_METADATA_KUBERNETES_POD_NAME", "pod-1"),
        ]))
        .unwrap();
        assert_eq!((config.account_id.as_deref(), config.region), (Some("123"), Some(Region::Eu)));
        assert_eq!(config.http.endpoint, "https://proxy");
        assert_eq!(config.metrics_api_url, Some("https://metrics".into()));
        assert_eq!(config.events_api_url, Some("https://events".into()));
        assert_eq!(config.service_name.as_deref(), Some("shop"));
        let attribute = |name: &str| config.common_attributes.get(name).and_then(Value::as_str);
        for (name, value) in [
            ("host.name", "h"),
            ("service.version", "1.2"),
            ("tags.commit", "734713b"),
            ("k8s.pod.name", "pod-1"),
        ] {
            assert_eq!(attribute(name), Some(value), "{name}");
        }
    }

    #[test]
    fn the_host_of_agents_tells_the_region_where_nothing_else_does() {
        let of = |host: &str| read(&Env::of([("NEW_RELIC_LICENSE_KEY", KEY), ("NEW_RELIC_HOST", host)]));
        assert_eq!(of("gov-collector.newrelic.com").unwrap().region, Some(Region::Gov));
        assert_eq!(of("collector.example.com").unwrap().region, None);
        let european = [
            ("NEW_RELIC_LICENSE_KEY", "eu01xx6789abcdef0123456789abcdef0123NRAL"),
            ("NEW_RELIC_HOST", "collector.newrelic.com"),
        ];
        let config = read(&Env::of(european)).unwrap();
        assert_eq!(config.region, None, "the key tells it");
        assert!(config.validate().is_ok());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let told = |variables: &[(&str, &str)]| {
            read(&Env::of(variables.iter().copied()).prefixed("P")).unwrap_err().message().to_owned()
        };
        assert!(told(&[]).starts_with("P_NEW_RELIC_LICENSE_KEY: not set; set it to the license key"));
        let wrong = told(&[("P_NEW_RELIC_LICENSE_KEY", KEY), ("P_NEW_RELIC_REGION", "mars")]);
        assert_eq!(wrong, "P_NEW_RELIC_REGION: it cannot be read; set it to US, EU or GOV");
    }
}
