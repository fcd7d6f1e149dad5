//! What a config must be to work.

use obs_core::{Error, Secret};
use obs_http::{Auth, Compression};

use crate::pairs::LEAST;
use crate::{Address, MetricsApi, NewRelicConfig, Region, names};

/// The most that any of the APIs is sent at once, as OTLP's clients have it.
const MOST: u64 = 64 << 20;

/// Marks of keys that take no data, and whose they are.
const OTHER_KEYS: &[(&str, &str)] = &[
    ("NRAK-", "of a user"),
    ("NRJS-", "of a browser"),
    ("NRMA", "of a mobile program"),
    ("NRRA-", "of REST"),
];

impl NewRelicConfig {
    /// What is wrong with it, but for its addresses.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.validate_key(&self.license_key)?;
        if self.http.auth != Auth::None {
            return Err(Error::config("auth", "license_key is the credential; remove one of the two"));
        }
        if self.http.compression == Some(Compression::Deflate) {
            return Err(Error::config("compression", "New Relic reads gzip everywhere; set gzip or none"));
        }
        if let Some(id) = &self.account_id
            && (id.trim().is_empty() || !id.trim().bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(Error::config("account_id", "an account's id is a number; set it, or leave it out"));
        }
        if self.metrics_api == Some(MetricsApi::Otlp) && self.metrics_api_url.is_some() {
            let next = "set, and metrics_api is otlp; remove one of the two";
            return Err(Error::config("metrics_api_url", next));
        }
        if !(LEAST..=MOST).contains(&self.max_request_size.get()) {
            let next = "it is not between 128KiB and 64MiB; New Relic takes 1MB";
            return Err(Error::config("max_request_size", next));
        }
        self.validate_addresses()?;
        self.validate_events()
    }

    /// The data of an account goes to one data centre.
    fn validate_addresses(&self) -> Result<(), Error> {
        let region = self.data_centre();
        let own = |address: &Option<Address>| address.as_ref().map(|address| address.as_str().to_owned());
        let addresses = [
            ("endpoint", Some(self.http.endpoint.clone())),
            ("metrics_api_url", own(&self.metrics_api_url)),
            ("events_api_url", own(&self.events_api_url)),
        ];
        for (field, address) in addresses {
            let of_host = address.as_deref().and_then(Region::of_address);
            if let Some(other) = of_host.filter(|other| *other != region) {
                let next = format!(
                    "this is New Relic's host of {other}, and the account is in {region}; leave it out, or set region"
                );
                return Err(Error::config(field, next));
            }
        }
        Ok(())
    }

    fn validate_key(&self, key: &Secret) -> Result<(), Error> {
        let key = key.expose().trim();
        if key.is_empty() {
            let next = "empty; set it, or NEW_RELIC_LICENSE_KEY, to the license key of your account, …NRAL";
            return Err(Error::config("license_key", next));
        }
        if let Some((_, whose)) = OTHER_KEYS.iter().find(|(mark, _)| key.contains(mark)) {
            let next = format!(
                "this is a key {whose}, which takes no data; set the key of type INGEST - LICENSE, …NRAL"
            );
            return Err(Error::config("license_key", next));
        }
        match (Region::of_key(key), self.region) {
            (Some(own), Some(set)) if own != set => {
                let next = format!("{set}, and the license_key is one of {own}; set {own}, or the other key");
                Err(Error::config("region", next))
            }
            (None, Some(Region::Eu)) => {
                tracing::warn!(
                    target: "obs::newrelic",
                    "region: EU, and the license_key does not begin with eu01x as keys of that region do; if it is refused, \
                     set the other region or key"
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn validate_events(&self) -> Result<(), Error> {
        for (field, name) in
            [("score_event_type", &self.score_event_type), ("feedback_event_type", &self.feedback_event_type)]
        {
            if let Some(fault) = names::event_fault(name) {
                return Err(Error::config(field, fault));
            }
        }
        for (name, event) in &self.event_types {
            let refuse = |fault: &str| Err(Error::config("event_types", format!("`{name}`: {fault}")));
            if let Some(fault) = names::event_fault(name) {
                return refuse(fault);
            }
            if event.attributes.is_empty() {
                return refuse("no attributes, so that no record becomes one; name some");
            }
            if event.attributes.iter().any(|attribute| attribute.trim().is_empty()) {
                return refuse("one of its attributes has no name; remove it");
            }
            let is_twice = |at: usize| event.attributes[..at].contains(&event.attributes[at]);
            if (0..event.attributes.len()).any(is_twice) {
                return refuse("one of its attributes is there twice; remove one");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;

    use super::*;

    const US: &str = "0123456789abcdef0123456789abcdef0123NRAL";
    const EU: &str = "eu01xx6789abcdef0123456789abcdef0123NRAL";

    #[test]
    fn what_cannot_work_is_refused_with_the_field() {
        let config = || NewRelicConfig::new(US);
        let http = |http: HttpConfig| config().with_http(http);
        for (config, field) in [
            (NewRelicConfig::new(" "), "license_key"),
            (NewRelicConfig::new("NRAK-0123456789ABCDEF"), "license_key"),
            (NewRelicConfig::new("NRJS-0123456789ABCDEF"), "license_key"),
            (NewRelicConfig::new(EU).with_region(Region::Us), "region"),
            (NewRelicConfig::new(EU).with_region(Region::Gov), "region"),
            (http(HttpConfig::default().with_auth(Auth::bearer("t"))), "auth"),
            (http(HttpConfig::default().with_compression(Compression::Deflate)), "compression"),
            (config().with_account_id("my account"), "account_id"),
            (config().with_account_id(""), "account_id"),
            (
                config().with_metrics_api_url("https://h").with_metrics_api(MetricsApi::Otlp),
                "metrics_api_url",
            ),
            (config().with_max_request_size(1_000), "max_request_size"),
            (config().with_max_request_size(LEAST - 1), "max_request_size"),
            (config().with_max_request_size(MOST + 1), "max_request_size"),
            (config().with_score_event_type("Metric"), "score_event_type"),
            (config().with_feedback_event_type("a.b"), "feedback_event_type"),
            (config().with_event_type("where", ["a"]), "event_types"),
            (config().with_event_type("A", [""]), "event_types"),
            (config().with_event_type("A", [""; 0]), "event_types"),
            (config().with_event_type("A", ["a", "a"]), "event_types"),
            (NewRelicConfig::new(EU).with_endpoint("https://otlp.nr-data.net"), "endpoint"),
            (
                config()
                    .with_region(Region::Gov)
                    .with_events_api_url("https://insights-collector.newrelic.com"),
                "events_api_url",
            ),
            (
                NewRelicConfig::new(EU).with_metrics_api_url("https://metric-api.newrelic.com/metric/v1"),
                "metrics_api_url",
            ),
        ] {
            let message = config.validate().unwrap_err().message().to_owned();
            assert!(message.starts_with(&format!("{field}: ")), "{message}");
        }
        for config in [config(), NewRelicConfig::new(EU), NewRelicConfig::new(EU).with_region(Region::Eu)] {
            assert!(config.validate().is_ok());
        }
        for size in [LEAST, MOST] {
            assert!(config().with_max_request_size(size).validate().is_ok());
        }
        assert!(
            config().with_region(Region::Eu).validate().is_ok(),
            "an older key may be of the other region"
        );
    }

    #[test]
    fn law_6_a_key_that_is_refused_is_not_repeated() {
        let told = NewRelicConfig::new("NRAK-0123456789ABCDEF").validate().unwrap_err().to_string();
        assert!(!told.contains("0123456789"), "{told}");
    }
}
