//! What a config must be to work.

use obs_core::Error;
use obs_http::{Auth, Compression};

use crate::{LangfuseConfig, Region};

/// The names of the keys in messages.
pub(crate) const KEYS: &str = "`public_key` and `secret_key` (LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY)";

/// The least that a request may hold: less would cut every span to its bones.
const LEAST_BODY: u64 = 64 << 10;

impl LangfuseConfig {
    /// What is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        for (field, variable, key) in [
            ("public_key", "LANGFUSE_PUBLIC_KEY", &self.public_key),
            ("secret_key", "LANGFUSE_SECRET_KEY", &self.secret_key),
        ] {
            if key.expose().trim().is_empty() {
                let next = format!("empty; set it, or {variable}, to the key of your project's settings");
                return Err(Error::config(field, next));
            }
        }
        // A wrong key is known at once by its prefix; the server would say 401 much later.
        for (field, key, other) in
            [("public_key", &self.public_key, "sk-lf-"), ("secret_key", &self.secret_key, "pk-lf-")]
        {
            if key.expose().trim_start().starts_with(other) {
                let next = format!("a key that begins with {other} is the other one; swap the two keys");
                return Err(Error::config(field, next));
            }
        }
        if self.http.auth != Auth::None {
            return Err(Error::config("auth", "Langfuse wants its two keys; set public_key and secret_key"));
        }
        if matches!(self.http.compression, Some(Compression::Zstd | Compression::Deflate)) {
            return Err(Error::config("compression", "Langfuse reads gzip alone; set gzip or none"));
        }
        let endpoint = self.http.endpoint.trim_end_matches('/');
        if self.region != Region::Eu && !["", self.region.endpoint()].contains(&endpoint) {
            return Err(Error::config("region", "`endpoint` is set, too; remove one of them"));
        }
        if self.max_request_size.get() < LEAST_BODY {
            return Err(Error::config("max_request_size", "less than 64KiB; set at least that much"));
        }
        for (field, text) in [("log_name", &self.log_name), ("traces_path", &self.traces_path)] {
            if text.trim().is_empty() {
                return Err(Error::config(field, "empty; set it, or leave it out for the default"));
            }
        }
        for (field, zero) in [
            ("score_concurrency", self.score_concurrency == 0),
            ("scores_per_minute", self.scores_per_minute == Some(0)),
        ] {
            if zero {
                return Err(Error::config(field, "0 would send nothing; set at least 1"));
            }
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
        let config = || LangfuseConfig::new("pk-lf-1", "sk-lf-1");
        let http = |http: HttpConfig| LangfuseConfig { http, ..config() };
        for (config, field) in [
            (LangfuseConfig::new("", "sk-lf-1"), "public_key"),
            (LangfuseConfig::new("pk-lf-1", " "), "secret_key"),
            (LangfuseConfig::new("sk-lf-1", "pk-lf-1"), "public_key"),
            (LangfuseConfig::new("pk-lf-1", "pk-lf-1"), "secret_key"),
            (http(HttpConfig::default().with_auth(Auth::bearer("t"))), "auth"),
            (http(HttpConfig::default().with_compression(Compression::Zstd)), "compression"),
            (config().with_region(Region::Jp).with_endpoint("https://h"), "region"),
            (config().with_max_request_size(1_000), "max_request_size"),
            (config().with_log_name(""), "log_name"),
            (config().with_score_concurrency(0), "score_concurrency"),
            (config().with_scores_per_minute(0), "scores_per_minute"),
        ] {
            let message = config.validate().unwrap_err().message().to_owned();
            assert!(message.starts_with(&format!("{field}: ")), "{message}");
        }
        let jp = config().with_region(Region::Jp).with_endpoint(format!("{}/", Region::Jp.endpoint()));
        for config in [config(), jp] {
            assert!(config.validate().is_ok());
        }
    }
}
