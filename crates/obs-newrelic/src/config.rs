//! What a user gives.

use std::collections::BTreeMap;

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Attributes, Env, Error, Secret, Str, Value};
use obs_http::HttpConfig;
use serde::{Deserialize, Deserializer};

use crate::{Address, Conventions, Histograms, Region, account, env};

/// Where records go and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
/// `endpoint` is the base address of OTLP, to which `/v1/traces`, `/v1/metrics` and `/v1/logs` are added; by default the one
/// of the `region`.
///
/// ```
/// use obs_newrelic::{NewRelicConfig, Region};
///
/// let built = NewRelicConfig::new("0123456789abcdef0123456789abcdef0123NRAL")
///     .with_account_id("1234567")
///     .with_region(Region::Us)
///     .with_event_type("ProfileTrace", ["function_name", "execution_time_ms"])
///     .with_common_attribute("environment", "production");
/// let read: NewRelicConfig = serde_json::from_str(
///     r#"{"license_key": "0123456789abcdef0123456789abcdef0123NRAL", "account_id": 1234567, "region": "US",
///         "event_types": {"ProfileTrace": {"attributes": ["function_name", "execution_time_ms"]}},
///         "common_attributes": {"environment": "production"}}"#,
/// )?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct NewRelicConfig {
    /// The license key of the account, 40 characters of which the last are `NRAL`; keys of users, browsers and mobile
    /// programs do not take data.
    pub license_key: Secret,
    /// The account's id, which the Event API wants; without one scores and feedback are not taken.
    #[serde(deserialize_with = "account::id")]
    pub account_id: Option<String>,
    /// The data centre of the account: `US`, `EU` or `GOV`; by default what the key says, which is `EU` where it begins
    /// with `eu01x`, else `US`.
    pub region: Option<Region>,
    /// Which way metrics take; `otlp` by default, and `metric` where `metrics_api_url` is set.
    pub metrics_api: Option<MetricsApi>,
    /// The address of the Metric API; by default the one of the region.
    pub metrics_api_url: Option<Address>,
    /// The address of the Event API, with `{account_id}` where the id stands; by default the one of the region.
    pub events_api_url: Option<Address>,
    /// Events of one's own that records become beside what else they become, by their names; none by default.
    pub event_types: BTreeMap<String, EventType>,
    /// The name of the events that scores are; `LlmEvaluation` by default, for which New Relic documents no name.
    pub score_event_type: String,
    /// The name of the events that feedback is; `LlmFeedbackMessage` by default, as New Relic's agents have it.
    pub feedback_event_type: String,
    /// Attributes of everything that lacks them.
    pub common_attributes: Attributes,
    /// What samples of a distribution become; exponential buckets by default, which New Relic asks for.
    pub histograms: Histograms,
    /// Whose names the attributes of spans have; `gen_ai` by default.
    pub conventions: Conventions,
    /// The `service.name` of records whose resource has none; `unknown_service:` and the program's name by default.
    pub service_name: Option<Str>,
    /// The `service.instance.id` of records whose resource has none; by default one that each process makes for itself.
    pub service_instance_id: Option<Str>,
    /// The most bytes of a request before compression; `1MB` by default, which is what New Relic takes, and at least
    /// `128KiB`.
    pub max_request_size: Bytes,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

/// Which way metrics take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricsApi {
    /// OTLP, with the buckets of histograms.
    Otlp,
    /// New Relic's own Metric API: gauges, counts and summaries.
    Metric,
}

/// Events of one's own: which records become one, and what is on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EventType {
    /// Names of attributes: a span or a log that has one of them becomes an event with all of them that it has; points of
    /// metrics that are called so and have the same labels become one event.
    pub attributes: Vec<String>,
}

impl EventType {
    /// Events with these attributes.
    pub fn new<T: Into<String>>(attributes: impl IntoIterator<Item = T>) -> Self {
        Self { attributes: attributes.into_iter().map(Into::into).collect() }
    }
}

impl Default for NewRelicConfig {
    fn default() -> Self {
        Self {
            license_key: Secret::new(""),
            account_id: None,
            region: None,
            metrics_api: None,
            metrics_api_url: None,
            events_api_url: None,
            event_types: BTreeMap::new(),
            score_event_type: "LlmEvaluation".to_owned(),
            feedback_event_type: "LlmFeedbackMessage".to_owned(),
            common_attributes: Attributes::new(),
            histograms: Histograms::Exponential,
            conventions: Conventions::GenAi,
            service_name: None,
            service_instance_id: None,
            max_request_size: Bytes::new(1_000_000),
            http: HttpConfig::default(),
        }
    }
}

/// What other clients call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("api_key", "write `license_key` instead"),
    ("insert_key", "write `license_key` instead"),
    ("app_name", "write `service_name` instead"),
    ("resource_attributes", "write `common_attributes` instead"),
    ("host", "write `region` instead, or `endpoint`"),
    ("batch_size", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_queue_size", LANE),
    ("max_retries", LANE),
    ("export_interval", LANE),
];

impl NewRelicConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "license_key",
        "account_id",
        "region",
        "metrics_api",
        "metrics_api_url",
        "events_api_url",
        "event_types",
        "score_event_type",
        "feedback_event_type",
        "common_attributes",
        "histograms",
        "conventions",
        "service_name",
        "service_instance_id",
        "max_request_size",
    ];

    /// Sends traces, metrics and logs to the account of this license key.
    pub fn new(license_key: impl Into<Secret>) -> Self {
        Self { license_key: license_key.into(), ..Self::default() }
    }

    /// Reads `NEW_RELIC_LICENSE_KEY`, and where they are set `NEW_RELIC_ACCOUNT_ID`, `NEW_RELIC_REGION`,
    /// `NEW_RELIC_ENDPOINT`, `NEW_RELIC_APP_NAME` and others that the README names.
    ///
    /// # Errors
    /// A configuration error that names the variable: no license key, or a value that cannot be read.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with `PREFIX_` before each variable's name.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        env::read(env)
    }

    /// Sets the account's id.
    #[must_use]
    pub fn with_account_id(self, id: impl Into<String>) -> Self {
        Self { account_id: Some(id.into()), ..self }
    }

    /// Sets the data centre of the account.
    #[must_use]
    pub fn with_region(self, region: Region) -> Self {
        Self { region: Some(region), ..self }
    }

    /// Sets the base address of OTLP.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { http: self.http.with_endpoint(endpoint), ..self }
    }

    /// Sets which way metrics take.
    #[must_use]
    pub fn with_metrics_api(self, metrics_api: MetricsApi) -> Self {
        Self { metrics_api: Some(metrics_api), ..self }
    }

    /// Sets the address of the Metric API, which metrics then go to.
    #[must_use]
    pub fn with_metrics_api_url(self, url: impl Into<Address>) -> Self {
        Self { metrics_api_url: Some(url.into()), ..self }
    }

    /// Sets the address of the Event API, with `{account_id}` where the id stands.
    #[must_use]
    pub fn with_events_api_url(self, url: impl Into<Address>) -> Self {
        Self { events_api_url: Some(url.into()), ..self }
    }

    /// Adds events of one's own, which records become that have one of these attributes.
    #[must_use]
    pub fn with_event_type<T: Into<String>>(
        mut self,
        name: impl Into<String>,
        attributes: impl IntoIterator<Item = T>,
    ) -> Self {
        self.event_types.insert(name.into(), EventType::new(attributes));
        self
    }

    /// Sets the name of the events that scores are.
    #[must_use]
    pub fn with_score_event_type(self, name: impl Into<String>) -> Self {
        Self { score_event_type: name.into(), ..self }
    }

    /// Sets the name of the events that feedback is.
    #[must_use]
    pub fn with_feedback_event_type(self, name: impl Into<String>) -> Self {
        Self { feedback_event_type: name.into(), ..self }
    }

    /// Sets an attribute of everything that lacks it.
    #[must_use]
    pub fn with_common_attribute(mut self, key: impl Into<Str>, value: impl Into<Value>) -> Self {
        self.common_attributes.insert(key, value);
        self
    }

    /// Sets what samples of a distribution become.
    #[must_use]
    pub fn with_histograms(self, histograms: Histograms) -> Self {
        Self { histograms, ..self }
    }

    /// Sets whose names the attributes of spans have.
    #[must_use]
    pub fn with_conventions(self, conventions: Conventions) -> Self {
        Self { conventions, ..self }
    }

    /// Sets the `service.name` of records that have none.
    #[must_use]
    pub fn with_service_name(self, name: impl Into<Str>) -> Self {
        Self { service_name: Some(name.into()), ..self }
    }

    /// Sets the `service.instance.id` of records that have none.
    #[must_use]
    pub fn with_service_instance_id(self, id: impl Into<Str>) -> Self {
        Self { service_instance_id: Some(id.into()), ..self }
    }

    /// Sets the most bytes of a request before compression.
    #[must_use]
    pub fn with_max_request_size(self, size: impl Into<Bytes>) -> Self {
        Self { max_request_size: size.into(), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for NewRelicConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|unexplained| obs_core::suggest::error(error_elsewhere(unexplained, ELSEWHERE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_clients_are_answered_with_their_place() {
        let refused = |json: &str| serde_json::from_str::<NewRelicConfig>(json).unwrap_err().to_string();
        assert!(refused(r#"{"api_key": "k"}"#).contains("`license_key`"));
        assert!(refused(r#"{"flush_interval_seconds": 5}"#).contains("lane"));
        assert!(refused(r#"{"event_type": {}}"#).contains("did you mean `event_types`?"));
        assert!(refused(r#"{"region": "AP"}"#).contains("region: no such region"));
        let wrong = refused(r#"{"event_types": {"A": {"attribute": []}}}"#);
        assert!(wrong.contains("attributes"), "{wrong}");
    }

    #[test]
    fn an_account_is_a_number_or_a_text() {
        for json in [r#"{"account_id": 123}"#, r#"{"account_id": " 123 "}"#] {
            let read: NewRelicConfig = serde_json::from_str(json).unwrap();
            assert_eq!(read.account_id.as_deref(), Some("123"));
        }
        let read: NewRelicConfig = serde_json::from_str(r#"{"account_id": null}"#).unwrap();
        assert_eq!(read.account_id, None);
    }

    #[test]
    fn law_6_credentials_stay_out_of_debug() {
        let config = NewRelicConfig::new("0123456789abcdef0123456789abcdef0123NRAL")
            .with_events_api_url("https://u:pass-word@h/?token=abc-def");
        let told = format!("{config:?}");
        assert!(
            !told.contains("0123456789abcdef") && !told.contains("pass-word") && !told.contains("abc-def")
        );
    }
}
