//! What a config must be to work.

use obs_core::Error;
use obs_http::{Auth, Compression};

use crate::GrafanaConfig;
use crate::naming;

/// The most labels of a stream, as Loki's default has it.
const LABELS: usize = 15;

/// What differs from record to record, or nearly: as a label, each value would begin a stream of its own.
const PLENTY: &[&str] = &[
    "trace_id",
    "span_id",
    "user_id",
    "session_id",
    "thread_id",
    "request_id",
    "gen_ai_conversation_id",
    "gen_ai_response_id",
    "message",
    "timestamp",
];

impl GrafanaConfig {
    /// What is wrong with it, but for its addresses.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.validate_cloud()?;
        if matches!(self.http.compression, Some(Compression::Zstd | Compression::Deflate)) {
            return Err(Error::config("compression", "Grafana Cloud and Loki read gzip; set gzip or none"));
        }
        if self.loki_labels.len() > LABELS {
            let next = format!(
                "{} of them, and Loki takes {LABELS}; keep those with few values",
                self.loki_labels.len()
            );
            return Err(Error::config("loki_labels", next));
        }
        for name in &self.loki_labels {
            if name.trim().is_empty() {
                return Err(Error::config("loki_labels", "one of them is empty; remove it"));
            }
            if PLENTY.contains(&&*naming::label(name)) {
                let next = "each value would begin a stream of its own; leave it out: it stands in the structured metadata";
                return Err(Error::config("loki_labels", format!("{name}: {next}")));
            }
        }
        let texts = [
            ("tempo_user_id", &self.tempo_user_id),
            ("mimir_user_id", &self.mimir_user_id),
            ("loki_user_id", &self.loki_user_id),
            ("tenant", &self.tenant),
        ];
        for (field, text) in texts {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return Err(Error::config(field, "empty; set it, or leave it out"));
            }
        }
        Ok(())
    }

    /// What is wrong with what is Grafana Cloud's.
    fn validate_cloud(&self) -> Result<(), Error> {
        let Some(id) = &self.instance_id else { return Ok(()) };
        if id.trim().is_empty() {
            return Err(Error::config(
                "instance_id",
                "empty; set it, or GRAFANA_CLOUD_INSTANCE_ID, to the stack's id",
            ));
        }
        if self.api_key.expose().trim().is_empty() {
            let next = "empty; set it, or GRAFANA_CLOUD_API_KEY, to the token of an access policy, glc_…";
            return Err(Error::config("api_key", next));
        }
        if id.trim_start().starts_with("glc_") {
            return Err(Error::config("instance_id", "this is a token; swap it with the api_key"));
        }
        if self.api_key.expose().trim_start().starts_with("glsa_") {
            let next =
                "a token of a service account is for Grafana's pages; set one of an access policy, glc_…";
            return Err(Error::config("api_key", next));
        }
        if self.http.auth != Auth::None {
            return Err(Error::config(
                "auth",
                "instance_id and api_key are the credential; remove one of the two",
            ));
        }
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let zone = self.zone.trim();
        if zone.is_empty() || !zone.chars().all(fits) {
            let next = format!(
                "{:?} is none; set one such as prod-us-central-0, or endpoint to the whole address",
                self.zone
            );
            return Err(Error::config("zone", next));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;

    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_the_field() {
        let cloud = || GrafanaConfig::new("1", "glc_1");
        let http = |http: HttpConfig| GrafanaConfig { http, ..cloud() };
        for (config, field) in [
            (GrafanaConfig::new(" ", "glc_1"), "instance_id"),
            (GrafanaConfig::new("1", ""), "api_key"),
            (GrafanaConfig::new("glc_1", "1"), "instance_id"),
            (GrafanaConfig::new("1", "glsa_1"), "api_key"),
            (GrafanaConfig::cloud("", "1", "glc_1"), "zone"),
            (GrafanaConfig::cloud("https://otlp-gateway-prod", "1", "glc_1"), "zone"),
            (http(HttpConfig::default().with_auth(Auth::bearer("t"))), "auth"),
            (http(HttpConfig::default().with_compression(Compression::Zstd)), "compression"),
            (cloud().with_loki_labels(["trace.id"]), "loki_labels"),
            (cloud().with_loki_labels([""]), "loki_labels"),
            (cloud().with_loki_labels((0..16).map(|nth| format!("label{nth}"))), "loki_labels"),
            (cloud().with_tenant(" "), "tenant"),
            (cloud().with_loki("http://h", ""), "loki_user_id"),
        ] {
            let message = config.validate().unwrap_err().message().to_owned();
            assert!(message.starts_with(&format!("{field}: ")), "{message}");
        }
        for config in [cloud(), GrafanaConfig::self_hosted().with_loki_labels(["k8s.cluster.name", "level"])]
        {
            assert!(config.validate().is_ok());
        }
    }
}
