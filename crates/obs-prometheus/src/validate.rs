//! What a config must be to work.

use std::collections::BTreeMap;

use obs_core::Error;
use obs_http::Auth;

use crate::names::{is_safe_label, is_safe_name};
use crate::{Mode, PrometheusConfig, PushMethod};

impl PrometheusConfig {
    /// What is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self.mode() {
            Mode::Pull => self.validate_pull()?,
            Mode::Push => self.validate_push()?,
        }
        self.validate_path()?;
        for name in self.additional_labels.keys() {
            label("additional_labels", name)?;
        }
        for (recorded, mapping) in &self.metrics_mapping {
            let Some(name) = &mapping.name else { continue };
            if !is_safe_name(name) {
                let next = format!(
                    "\"{recorded}\" gets the name \"{name}\", which is none; use letters, digits and underscores"
                );
                return Err(Error::config("metrics_mapping", next));
            }
        }
        if self.max_series == 0 {
            return Err(Error::config("max_series", "0 would show nothing; set at least 1"));
        }
        Ok(())
    }

    fn validate_pull(&self) -> Result<(), Error> {
        let given = [
            ("pushgateway_url", self.pushgateway_url.is_some()),
            ("endpoint", !self.http.endpoint.is_empty()),
            ("job_name", self.job_name.is_some()),
            ("instance_label", self.instance_label.is_some()),
            ("grouping", !self.grouping.is_empty()),
            ("method", self.method != PushMethod::default()),
            ("delete_on_shutdown", self.delete_on_shutdown),
            ("auth", self.http.auth != Auth::None),
            ("headers", !self.http.headers.is_empty()),
        ];
        none_of(given, "push", "change the mode")
    }

    /// The router serves the page in both modes.
    fn validate_path(&self) -> Result<(), Error> {
        let path = &self.metrics_path;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '~');
        if !path.starts_with('/') || path.len() < 2 || !path.chars().all(plain) {
            let next =
                format!("\"{}\" is no path of a page; write one such as \"/metrics\"", path.escape_debug());
            return Err(Error::config("metrics_path", next));
        }
        Ok(())
    }

    fn validate_push(&self) -> Result<(), Error> {
        match (&self.pushgateway_url, self.http.endpoint.is_empty()) {
            (None, true) => {
                let next = "mode = \"push\" needs it; set it, or PROMETHEUS_PUSHGATEWAY_URL, to the Pushgateway's address";
                return Err(Error::config("pushgateway_url", next));
            }
            (Some(_), false) => {
                return Err(Error::config("endpoint", "`pushgateway_url` is set, too; remove one of them"));
            }
            _ => {}
        }
        let given = [
            ("metrics_port", self.metrics_port.is_some()),
            ("metrics_address", self.metrics_address != Self::default().metrics_address),
        ];
        none_of(given, "pull", "make a second exporter")?;
        if self.job_name.as_deref().is_some_and(str::is_empty) {
            return Err(Error::config("job_name", "empty; set it, or leave it out for `obs`"));
        }
        for name in self.grouping.keys() {
            label("grouping", name)?;
            let instead = [("job", "job_name"), ("instance", "instance_label")];
            if let Some((_, option)) = instead.iter().find(|(known, _)| known == name) {
                return Err(Error::config(
                    "grouping",
                    format!("`{name}` has an option of its own; set {option}"),
                ));
            }
        }
        let groups = self.groups();
        if let Some(name) = self.additional_labels.keys().find(|name| groups.contains_key(*name)) {
            let next = format!(
                "`{name}` is a label that the Pushgateway groups by, and would be overwritten; remove it here"
            );
            return Err(Error::config("additional_labels", next));
        }
        Ok(())
    }

    /// The labels that pushed metrics are grouped by, but the job.
    pub(crate) fn groups(&self) -> BTreeMap<String, String> {
        let mut groups = self.grouping.clone();
        if let Some(instance) = &self.instance_label {
            groups.insert("instance".to_owned(), instance.clone());
        }
        groups.insert("job".to_owned(), self.job_name.clone().unwrap_or_else(|| "obs".to_owned()));
        groups
    }
}

/// The variables that set options of one mode alone.
const VARIABLES: &[(&str, &str)] = &[
    ("job_name", "PROMETHEUS_JOB_NAME"),
    ("instance_label", "PROMETHEUS_INSTANCE_LABEL"),
    ("auth", "PROMETHEUS_PUSHGATEWAY_PASSWORD, PROMETHEUS_PUSHGATEWAY_TOKEN"),
    ("metrics_port", "PROMETHEUS_METRICS_PORT"),
    ("metrics_address", "PROMETHEUS_METRICS_ADDRESS"),
];

/// Refuses the first option that is given and belongs to the other mode.
fn none_of<const N: usize>(given: [(&str, bool); N], mode: &str, instead: &str) -> Result<(), Error> {
    let Some((field, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let variable = VARIABLES.iter().find(|(known, _)| *known == field);
    let variable = variable.map(|(_, name)| format!(" ({name} in the environment)")).unwrap_or_default();
    Err(Error::config(field, format!("it belongs to mode = \"{mode}\"; remove it{variable}, or {instead}")))
}

/// Refuses what is no name of a label, or one of Prometheus's own.
fn label(field: &str, name: &str) -> Result<(), Error> {
    if !is_safe_label(name) || name.starts_with("__") || matches!(name, "le" | "quantile") {
        let next = format!(
            "\"{}\" is no name of a label that can be given; use others of letters, digits and underscores",
            name.escape_debug()
        );
        return Err(Error::config(field, next));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use obs_http::HttpConfig;

    use super::*;
    use crate::MetricMapping;

    #[test]
    fn what_cannot_work_is_refused_with_the_field() {
        let pull = PrometheusConfig::pull;
        let push = || PrometheusConfig::push("http://127.0.0.1:9091", "j");
        for (config, field) in [
            (pull().with_metrics_path("metrics"), "metrics_path"),
            (pull().with_metrics_path("/"), "metrics_path"),
            (pull().with_metrics_path("/{x}"), "metrics_path"),
            (PrometheusConfig { job_name: Some("j".into()), ..pull() }, "job_name"),
            (pull().with_instance_label("i"), "instance_label"),
            (pull().with_grouping("a", "b"), "grouping"),
            (pull().with_delete_on_shutdown(true), "delete_on_shutdown"),
            (PrometheusConfig { mode: Some(Mode::Pull), ..push() }, "pushgateway_url"),
            (PrometheusConfig { mode: Some(Mode::Push), ..pull() }, "pushgateway_url"),
            (pull().with_method(PushMethod::Post), "method"),
            (pull().with_http(HttpConfig::default().with_auth(Auth::bearer("t"))), "auth"),
            (pull().with_http(HttpConfig::default().with_header("x", "y")), "headers"),
            (push().with_metrics_port(1), "metrics_port"),
            (push().with_metrics_address(Ipv4Addr::UNSPECIFIED), "metrics_address"),
            (push().with_metrics_path("metrics"), "metrics_path"),
            (push().with_grouping("job", "b"), "grouping"),
            (push().with_grouping("instance", "b"), "grouping"),
            (push().with_grouping("a-b", "b"), "grouping"),
            (push().with_grouping("zone", "b").with_label("zone", "c"), "additional_labels"),
            (push().with_label("job", "c"), "additional_labels"),
            (PrometheusConfig::push("http://127.0.0.1:9091", ""), "job_name"),
            (pull().with_label("le", "c"), "additional_labels"),
            (pull().with_label("__x", "c"), "additional_labels"),
            (pull().with_mapping("a", MetricMapping::new("a.b")), "metrics_mapping"),
            (pull().with_max_series(0), "max_series"),
        ] {
            let message = config.validate().unwrap_err().message().to_owned();
            assert!(message.starts_with(&format!("{field}: ")), "{field}: {message}");
        }
        for config in [
            pull(),
            push(),
            push().with_metrics_path("/m"),
            push().with_instance_label("i").with_label("zone", "c"),
        ] {
            assert!(config.validate().is_ok());
        }
    }
}
