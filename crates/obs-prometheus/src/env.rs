//! The variables of the environment.

use obs_core::{Env, Error};
use obs_http::Auth;

use crate::{MetricNames, PrometheusConfig};

const USER: &str = "PROMETHEUS_PUSHGATEWAY_USER";
const PASSWORD: &str = "PROMETHEUS_PUSHGATEWAY_PASSWORD";
const TOKEN: &str = "PROMETHEUS_PUSHGATEWAY_TOKEN";
const NAMES: &str = "PROMETHEUS_METRIC_NAMES";

/// A config of these variables.
pub(crate) fn read(env: &Env) -> Result<PrometheusConfig, Error> {
    let mut config = PrometheusConfig {
        pushgateway_url: env.text("PROMETHEUS_PUSHGATEWAY_URL")?,
        job_name: env.text("PROMETHEUS_JOB_NAME")?,
        instance_label: env.text("PROMETHEUS_INSTANCE_LABEL")?,
        ..PrometheusConfig::default()
    };
    config.http.auth = auth(env)?;
    // OpenTelemetry's are for the listeners of other exporters, too: they say nothing of one that pushes.
    let listens = config.pushgateway_url.is_none();
    for name in of_listener(["PROMETHEUS_METRICS_PORT", "OTEL_EXPORTER_PROMETHEUS_PORT"], listens) {
        if config.metrics_port.is_none() {
            config.metrics_port = env.parsed(name, "a port, such as 9464")?;
        }
    }
    if let Some(address) = address(env, listens)? {
        config.metrics_address = address;
    }
    if let Some(path) = env.text("PROMETHEUS_METRICS_PATH")? {
        config.metrics_path = path;
    }
    config.metric_names = match env.text(NAMES)?.as_deref() {
        None | Some("idiomatic") => MetricNames::Idiomatic,
        Some("recorded") => MetricNames::Recorded,
        Some(_) => return Err(Error::config(&env.name(NAMES), "set it to idiomatic or recorded")),
    };
    Ok(config)
}

/// Our own variable, and OpenTelemetry's where there is a listener to be.
fn of_listener(names: [&str; 2], listens: bool) -> impl Iterator<Item = &str> {
    names.into_iter().take(if listens { 2 } else { 1 })
}

/// The address that the listener takes.
fn address(env: &Env, listens: bool) -> Result<Option<std::net::IpAddr>, Error> {
    for name in of_listener(["PROMETHEUS_METRICS_ADDRESS", "OTEL_EXPORTER_PROMETHEUS_HOST"], listens) {
        if env.text(name)?.as_deref() == Some("localhost") {
            return Ok(Some(std::net::Ipv4Addr::LOCALHOST.into()));
        }
        if let Some(address) = env.parsed(name, "an address, such as 127.0.0.1 or 0.0.0.0")? {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// The credential of the Pushgateway.
fn auth(env: &Env) -> Result<Auth, Error> {
    match (env.text(USER)?, env.text(PASSWORD)?, env.text(TOKEN)?) {
        (None, None, None) => Ok(Auth::None),
        (Some(user), Some(password), None) => Ok(Auth::basic(user, password)),
        (None, None, Some(token)) => Ok(Auth::bearer(token)),
        (_, _, Some(_)) => {
            let others = format!("{} is set, too; remove it or {}", env.name(TOKEN), env.name(USER));
            Err(Error::config(&env.name(USER), others))
        }
        (Some(_), None, None) => {
            Err(Error::config(&env.name(PASSWORD), format!("not set; it goes with {}", env.name(USER))))
        }
        (None, Some(_), None) => {
            Err(Error::config(&env.name(USER), format!("not set; it goes with {}", env.name(PASSWORD))))
        }
    }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<PrometheusConfig, Error> {
        read(&Env::of(variables.iter().copied()).prefixed("PROFILING"))
    }

    #[test]
    fn every_variable_has_its_place() {
        let config = of(&[
            ("PROFILING_PROMETHEUS_PUSHGATEWAY_URL", "http://127.0.0.1:9091"),
            ("PROFILING_PROMETHEUS_JOB_NAME", "shop"),
            ("PROFILING_PROMETHEUS_INSTANCE_LABEL", "web-1"),
            ("PROFILING_PROMETHEUS_PUSHGATEWAY_USER", "u"),
            ("PROFILING_PROMETHEUS_PUSHGATEWAY_PASSWORD", "p"),
            ("PROFILING_PROMETHEUS_METRIC_NAMES", "recorded"),
        ])
        .unwrap();
        let mut expected = PrometheusConfig::push("http://127.0.0.1:9091", "shop")
            .with_instance_label("web-1")
            .with_metric_names(MetricNames::Recorded)
            .with_http(HttpConfig::default().with_auth(Auth::basic("u", "p")));
        expected.mode = None;
        assert_eq!(config, expected);

        let config = of(&[
            ("PROFILING_OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
            ("PROFILING_PROMETHEUS_METRICS_PORT", "8080"),
            ("PROFILING_OTEL_EXPORTER_PROMETHEUS_HOST", "localhost"),
            ("PROFILING_PROMETHEUS_METRICS_PATH", "/m"),
        ])
        .unwrap();
        let expected = PrometheusConfig::default().with_metrics_port(8080).with_metrics_path("/m");
        assert_eq!((config, of(&[]).unwrap()), (expected, PrometheusConfig::default()));
    }

    #[test]
    fn what_is_for_the_listeners_of_others_is_read_where_there_is_one() {
        let config = of(&[
            ("PROFILING_PROMETHEUS_PUSHGATEWAY_URL", "http://127.0.0.1:9091"),
            ("PROFILING_OTEL_EXPORTER_PROMETHEUS_PORT", "9464"),
            ("PROFILING_OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0"),
        ])
        .unwrap();
        assert_eq!(config.metrics_port, None);
        assert!(config.validate().is_ok());
    }

    #[test]
    fn what_belongs_to_the_other_mode_is_refused_with_its_variable() {
        let url = ("PROFILING_PROMETHEUS_PUSHGATEWAY_URL", "http://127.0.0.1:9091");
        for (variables, field) in [
            (&[("PROFILING_PROMETHEUS_PUSHGATEWAY_TOKEN", "x")][..], "auth"),
            (&[("PROFILING_PROMETHEUS_JOB_NAME", "x")], "job_name"),
            (&[("PROFILING_PROMETHEUS_INSTANCE_LABEL", "x")], "instance_label"),
            (&[("PROFILING_PROMETHEUS_METRICS_PORT", "1"), url], "metrics_port"),
            (&[("PROFILING_PROMETHEUS_METRICS_ADDRESS", "::1"), url], "metrics_address"),
        ] {
            let error = of(variables).unwrap().validate().unwrap_err();
            let variable = variables[0].0.trim_start_matches("PROFILING_");
            assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
            assert!(error.message().contains(variable), "{}", error.message());
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (variables, named) in [
            (&[("PROFILING_PROMETHEUS_METRICS_PORT", "x")][..], "PROFILING_PROMETHEUS_METRICS_PORT"),
            (&[("PROFILING_PROMETHEUS_METRICS_ADDRESS", "x")], "PROFILING_PROMETHEUS_METRICS_ADDRESS"),
            (&[("PROFILING_PROMETHEUS_METRIC_NAMES", "x")], "PROFILING_PROMETHEUS_METRIC_NAMES"),
            (&[("PROFILING_PROMETHEUS_PUSHGATEWAY_USER", "x")], "PROFILING_PROMETHEUS_PUSHGATEWAY_PASSWORD"),
            (&[("PROFILING_PROMETHEUS_PUSHGATEWAY_PASSWORD", "x")], "PROFILING_PROMETHEUS_PUSHGATEWAY_USER"),
        ] {
            let error = of(variables).unwrap_err();
            assert!(error.message().starts_with(&format!("{named}: ")), "{}", error.message());
        }
    }
}
