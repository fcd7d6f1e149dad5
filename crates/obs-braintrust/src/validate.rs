//! What is wrong with a configuration.

use obs_core::Error;
use obs_http::{Auth, Compression};
use uuid::Uuid;

use crate::{BraintrustConfig, Region};

/// The least that a request may hold: less would cut every row to its bones.
const LEAST_REQUEST: u64 = 64 << 10;

impl BraintrustConfig {
    /// What is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.api_key.expose().trim().is_empty() {
            return Err(Error::config(
                "api_key",
                "empty; set it, or BRAINTRUST_API_KEY, to a key of your organisation",
            ));
        }
        if self.http.auth != Auth::None {
            return Err(Error::config("auth", "Braintrust wants its key; set api_key, and leave auth out"));
        }
        if self.http.compression.is_some_and(|compression| compression != Compression::None) {
            return Err(Error::config("compression", "Braintrust documents none for requests; leave it out"));
        }
        let endpoint = self.http.endpoint.trim().trim_end_matches('/');
        if self.region != Region::Us && !endpoint.is_empty() && endpoint != self.region.endpoint() {
            return Err(Error::config("region", "`endpoint` is set to another, too; remove one of them"));
        }
        if self.resolve_api_url && (self.region != Region::Us || !self.http.endpoint.is_empty()) {
            let message = "the data plane is set by `endpoint` or `region`, too; remove that, or this";
            return Err(Error::config("resolve_api_url", message));
        }
        for (field, text) in [("project", &self.project), ("app_url", &self.app_url)] {
            if text.trim().is_empty() {
                return Err(Error::config(field, "empty; set it, or leave it out for the default"));
            }
        }
        for (field, id) in [("project_id", &self.project_id), ("experiment_id", &self.experiment_id)] {
            if id.as_ref().is_some_and(|id| Uuid::parse_str(id).is_err()) {
                return Err(Error::config(
                    field,
                    "no UUID; take the id of its settings page, or set `project`",
                ));
            }
        }
        if self.max_request_size.get() < LEAST_REQUEST {
            return Err(Error::config("max_request_size", "less than 64KiB; set at least that much"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;

    use super::*;

    fn refused(config: &BraintrustConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_the_next_step() {
        let key = || BraintrustConfig::new("sk-1");
        assert_eq!(key().validate().map_err(|error| error.to_string()), Ok(()));
        assert!(refused(&BraintrustConfig::new(" ")).contains("BRAINTRUST_API_KEY"));
        assert!(refused(&key().with_project_id("support")).starts_with("project_id: no UUID"));
        assert!(refused(&key().with_project("")).starts_with("project: empty"));
        let both = key().with_region(Region::Eu).with_endpoint("https://host");
        assert!(refused(&both).starts_with("region: "));
        let same = key().with_region(Region::Eu).with_endpoint("https://api-eu.braintrust.dev/");
        assert!(same.validate().is_ok());
        let resolved = key().with_resolve_api_url(true).with_endpoint("https://host");
        assert!(refused(&resolved).starts_with("resolve_api_url: "));
        let http = HttpConfig::default();
        let gzip = key().with_http(http.clone().with_compression(Compression::Gzip));
        assert!(refused(&gzip).starts_with("compression: "));
        assert!(refused(&key().with_http(http.with_auth(Auth::bearer("t")))).contains("set api_key"));
        assert!(refused(&key().with_max_request_size(7)).contains("64KiB"));
    }
}
