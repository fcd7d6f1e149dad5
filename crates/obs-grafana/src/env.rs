//! The variables of Grafana's and Mastra's clients, and a few of our own.

use obs_core::{Env, Error};
use obs_otel::OtelConfig;

use crate::{Address, GrafanaConfig, LogsVia, MetricsVia};

/// A config of these variables.
pub(crate) fn read(env: &Env) -> Result<GrafanaConfig, Error> {
    let mut config = GrafanaConfig::default();
    let otel = OtelConfig::default().with_resource_vars(env);
    (config.service_name, config.resource_attributes) = (otel.service_name, otel.resource_attributes);
    config.instance_id = env.text("GRAFANA_CLOUD_INSTANCE_ID")?;
    if let Some(key) = env.text("GRAFANA_CLOUD_API_KEY")? {
        config.api_key = key.into();
    }
    if let Some(zone) = env.text("GRAFANA_CLOUD_ZONE")? {
        config.zone = zone;
    }
    if let Some(endpoint) = env.text("GRAFANA_OTLP_ENDPOINT")? {
        config.http.endpoint = endpoint;
    }
    let address = |name| env.text(name).map(|text| text.map(Address::from));
    config.tempo_endpoint = address("GRAFANA_TEMPO_ENDPOINT")?;
    config.mimir_endpoint = address("GRAFANA_MIMIR_ENDPOINT")?;
    config.loki_endpoint = address("GRAFANA_LOKI_ENDPOINT")?;
    config.grafana_url = address("GRAFANA_URL")?;
    config.tempo_user_id = env.text("GRAFANA_TEMPO_USER_ID")?;
    config.mimir_user_id = env.text("GRAFANA_MIMIR_USER_ID")?;
    config.loki_user_id = env.text("GRAFANA_LOKI_USER_ID")?;
    config.tenant = env.text("GRAFANA_TENANT_ID")?;
    let ways = [("otlp", LogsVia::Otlp), ("loki", LogsVia::Loki)];
    config.logs = way(env, "GRAFANA_LOGS", ways)?.unwrap_or_default();
    let ways = [("otlp", MetricsVia::Otlp), ("remote_write", MetricsVia::RemoteWrite)];
    config.metrics = way(env, "GRAFANA_METRICS", ways)?.unwrap_or_default();
    let addresses = [&config.tempo_endpoint, &config.mimir_endpoint, &config.loki_endpoint];
    let any = !config.http.endpoint.is_empty() || addresses.into_iter().any(Option::is_some);
    if config.instance_id.is_none() && !any {
        let own = env.name("GRAFANA_TEMPO_ENDPOINT");
        env.required(
            &["GRAFANA_CLOUD_INSTANCE_ID"],
            &format!("the stack's id, or for servers of your own {own} and its like to their addresses"),
        )?;
    }
    if config.instance_id.is_some() {
        env.required(&["GRAFANA_CLOUD_API_KEY"], "the token of an access policy, glc_…")?;
    }
    Ok(config)
}

fn way<T>(env: &Env, name: &str, ways: [(&str, T); 2]) -> Result<Option<T>, Error> {
    let Some(text) = env.text(name)? else { return Ok(None) };
    let known = format!("set it to {} or {}", ways[0].0, ways[1].0);
    let found = ways.into_iter().find(|(way, _)| text.eq_ignore_ascii_case(way));
    let (_, way) = found.ok_or_else(|| Error::config(&env.name(name), format!("no such way; {known}")))?;
    Ok(Some(way))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_variable_has_its_place() {
        let config = read(&Env::of([
            ("GRAFANA_CLOUD_INSTANCE_ID", "123"),
            ("GRAFANA_CLOUD_API_KEY", "glc_1"),
            ("GRAFANA_CLOUD_ZONE", "prod-eu-west-2"),
            ("GRAFANA_OTLP_ENDPOINT", "https://gateway"),
            ("GRAFANA_TEMPO_ENDPOINT", "http://tempo:4318"),
            ("GRAFANA_MIMIR_ENDPOINT", "http://mimir:9009"),
            ("GRAFANA_LOKI_ENDPOINT", "http://loki:3100"),
            ("GRAFANA_TEMPO_USER_ID", "1"),
            ("GRAFANA_MIMIR_USER_ID", "2"),
            ("GRAFANA_LOKI_USER_ID", "3"),
            ("GRAFANA_TENANT_ID", "team"),
            ("GRAFANA_LOGS", "Loki"),
            ("GRAFANA_METRICS", "remote_write"),
            ("GRAFANA_URL", "https://stack.grafana.net"),
            ("OTEL_SERVICE_NAME", "chat"),
            ("OTEL_RESOURCE_ATTRIBUTES", "host.name=h"),
        ]))
        .unwrap();
        let expected = GrafanaConfig::cloud("prod-eu-west-2", "123", "glc_1")
            .with_endpoint("https://gateway")
            .with_tempo("http://tempo:4318", "1")
            .with_mimir("http://mimir:9009", "2")
            .with_loki("http://loki:3100", "3")
            .with_tenant("team")
            .with_logs(LogsVia::Loki)
            .with_metrics(MetricsVia::RemoteWrite)
            .with_grafana_url("https://stack.grafana.net")
            .with_service_name("chat")
            .with_resource_attribute("host.name", "h");
        assert_eq!(config, expected);
    }

    /// Counts what is told in the log.
    #[derive(Default)]
    struct Told(AtomicUsize);

    impl tracing::Subscriber for &'static Told {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn variables_of_other_exporters_are_neither_read_nor_complained_of() {
        let told: &'static Told = Box::leak(Box::default());
        let read_with = |name, value| {
            let env = Env::of([("GRAFANA_LOKI_ENDPOINT", "http://loki:3100"), (name, value)]);
            tracing::subscriber::with_default(told, || read(&env).unwrap())
        };
        let expected = GrafanaConfig::self_hosted().with_loki_endpoint("http://loki:3100");
        for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] {
            assert_eq!(read_with(name, "nonsense"), expected);
        }
        assert_eq!(told.0.load(Ordering::Relaxed), 0);
        // What is read is complained of.
        assert_eq!(read_with("OTEL_RESOURCE_ATTRIBUTES", "nonsense"), expected);
        assert_eq!(told.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_zone_has_a_default_and_servers_of_ones_own_need_no_key() {
        let cloud =
            read(&Env::of([("GRAFANA_CLOUD_INSTANCE_ID", "1"), ("GRAFANA_CLOUD_API_KEY", "k")])).unwrap();
        assert_eq!(cloud.zone, "prod-us-central-0");
        let own = read(&Env::of([("GRAFANA_LOKI_ENDPOINT", "http://loki:3100")])).unwrap();
        assert_eq!(own, GrafanaConfig::self_hosted().with_loki_endpoint("http://loki:3100"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let none: [(&str, &str); 0] = [];
        let told = |variables: &[(&str, &str)]| {
            read(&Env::of(variables.iter().copied()).prefixed("P")).unwrap_err().message().to_owned()
        };
        assert!(told(&none).starts_with("P_GRAFANA_CLOUD_INSTANCE_ID: not set; set it to the stack's id"));
        assert!(told(&none).contains("P_GRAFANA_TEMPO_ENDPOINT"));
        assert!(
            told(&[("P_GRAFANA_CLOUD_INSTANCE_ID", "1")]).starts_with("P_GRAFANA_CLOUD_API_KEY: not set")
        );
        let wrong = told(&[("P_GRAFANA_LOKI_ENDPOINT", "h"), ("P_GRAFANA_LOGS", "syslog")]);
        assert_eq!(wrong, "P_GRAFANA_LOGS: no such way; set it to otlp or loki");
    }
}
