//! What a user gives.

use std::collections::BTreeMap;

use obs_core::suggest::{LANE, error_elsewhere};
use obs_core::units::Bytes;
use obs_core::{Batch, Env, Error, Secret, Signal};
use obs_http::{Auth, HttpConfig};
use serde::{Deserialize, Deserializer};

use crate::transformer::TransformError;
use crate::{
    CheckMethod, Format, Method, MetricsAs, PayloadTransformer, RetryConfig, Shape, Signing, WebhookPayload,
    env,
};

/// Where records go and what they become there; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
/// `endpoint`, of the options that all exporters over HTTP share, may hold placeholders: `{signal}`, `{service}`,
/// `{environment}`, `{host}`, and those of `url_values`.
///
/// ```
/// use obs_webhook::{Method, WebhookConfig};
///
/// let built = WebhookConfig::new("https://api.example.com/in/{signal}").with_method(Method::Put);
/// let read: WebhookConfig =
///     serde_json::from_str(r#"{"endpoint": "https://api.example.com/in/{signal}", "method": "PUT"}"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// Addresses of some signals, in place of `endpoint`; they may hold placeholders, too. A signal with neither is not
    /// taken.
    pub endpoints: BTreeMap<Signal, Secret>,
    /// Placeholders of one's own and their values; one for `service`, `environment` or `host` stands in where a record has
    /// none, which is `unknown` by default. They are no credentials: messages may show them.
    pub url_values: BTreeMap<String, String>,
    /// How records are sent, `POST` by default.
    pub method: Method,
    /// Headers whose values are no credentials: they may go over plain `http`, and messages may show them.
    pub plain_headers: BTreeMap<String, String>,
    /// What a body is, `json` by default.
    pub format: Format,
    /// What a JSON document holds, `object` by default.
    pub shape: Shape,
    /// The field of a form that holds the JSON, `payload` by default, as Slack and others have named it.
    pub form_field: String,
    /// Other fields of a form, which may be credentials; none by default. No message shows one of six bytes or more.
    pub form_fields: BTreeMap<String, Secret>,
    /// The signals that are sent; all that have an address by default.
    pub signals: Option<Vec<Signal>>,
    /// In which form metrics are sent, `records` by default.
    pub metric_form: MetricsAs,
    /// Whether a span is also sent when it starts; off by default, since most receivers want what has ended.
    pub span_starts: bool,
    /// What makes the body of a request, in place of the records as they are: a template, or a function.
    pub payload_transformer: Option<PayloadTransformer>,
    /// Which answers are tried again.
    pub retry_config: RetryConfig,
    /// Statuses that are success beside 2xx, such as 409 of an API that knows a record already; none by default.
    pub success_status_codes: Vec<u16>,
    /// The most records of a request, `512` by default; at most 10,000.
    pub max_items: usize,
    /// The most bytes of a body before it is compressed, `4MiB` by default; 1 KiB to 16 MiB.
    pub max_bytes: Bytes,
    /// How many requests of a batch may be under way at once; `1` by default, so that records arrive in their order.
    pub max_concurrent_requests: usize,
    /// How requests are signed; not at all by default.
    pub signing: Option<Signing>,
    /// A header for the id of a request's records, such as `Idempotency-Key`: the same at every try; none by default.
    ///
    /// A template that uses `now` makes another body at each, which some APIs refuse under an id that they know.
    pub idempotency_header: Option<String>,
    /// How a check asks whether the destination is there, `options` by default.
    pub check_method: CheckMethod,
    /// A path of the same host that a check asks, such as `/health`; the address of the records by default.
    pub check_path: Option<String>,
    /// Where requests go and how.
    #[serde(flatten)]
    pub http: HttpConfig,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            endpoints: BTreeMap::new(),
            url_values: BTreeMap::new(),
            method: Method::Post,
            plain_headers: BTreeMap::new(),
            format: Format::Json,
            shape: Shape::Object,
            form_field: "payload".to_owned(),
            form_fields: BTreeMap::new(),
            signals: None,
            metric_form: MetricsAs::Records,
            span_starts: false,
            payload_transformer: None,
            retry_config: RetryConfig::default(),
            success_status_codes: Vec::new(),
            max_items: 512,
            max_bytes: Bytes::new(4 << 20),
            max_concurrent_requests: 1,
            signing: None,
            idempotency_header: None,
            check_method: CheckMethod::Options,
            check_path: None,
            http: HttpConfig::default(),
        }
    }
}

impl WebhookConfig {
    /// The names of this struct's own options.
    const OWN: &[&str] = &[
        "endpoints",
        "url_values",
        "method",
        "plain_headers",
        "format",
        "shape",
        "form_field",
        "form_fields",
        "signals",
        "metric_form",
        "span_starts",
        "payload_transformer",
        "retry_config",
        "success_status_codes",
        "max_items",
        "max_bytes",
        "max_concurrent_requests",
        "signing",
        "idempotency_header",
        "check_method",
        "check_path",
    ];

    /// Sends all signals to this address, as JSON objects of several records.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { http: HttpConfig::new(endpoint), ..Self::default() }
    }

    /// Reads `OBS_WEBHOOK_URL` (or `OBS_WEBHOOK_ENDPOINT`) and `OBS_WEBHOOK_TRACES_URL`, `…_METRICS_URL`, `…_LOGS_URL`,
    /// `…_SCORES_URL`, `…_FEEDBACK_URL`, one of which must be set, and where they are set `OBS_WEBHOOK_METHOD`,
    /// `OBS_WEBHOOK_TOKEN` (a bearer token), `OBS_WEBHOOK_HEADERS` (`NAME=VALUE,NAME=VALUE`), `OBS_WEBHOOK_FORMAT`,
    /// `OBS_WEBHOOK_SHAPE`, `OBS_WEBHOOK_SIGNALS` (`traces,logs`), `OBS_WEBHOOK_TEMPLATE`,
    /// `OBS_WEBHOOK_SIGNING_SECRET` with `OBS_WEBHOOK_SIGNING_FORM`, and `OBS_WEBHOOK_TIMEOUT` in seconds.
    ///
    /// # Errors
    /// A configuration error that names the variable: no address, or a value that cannot be read.
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

    /// Sets the address of one signal.
    #[must_use]
    pub fn with_endpoint_of(mut self, signal: Signal, endpoint: impl Into<Secret>) -> Self {
        self.endpoints.insert(signal, endpoint.into());
        self
    }

    /// Sets what a placeholder of one's own stands for.
    #[must_use]
    pub fn with_url_value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.url_values.insert(name.into(), value.into());
        self
    }

    /// Sets how records are sent.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Adds a header whose value is a credential.
    #[must_use]
    pub fn with_header(self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self { http: self.http.with_header(name, value), ..self }
    }

    /// Adds a header whose value is none.
    #[must_use]
    pub fn with_plain_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.plain_headers.insert(name.into(), value.into());
        self
    }

    /// Sets the credential.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { http: self.http.with_auth(auth), ..self }
    }

    /// Sets what a body is.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Sets what a JSON document holds.
    #[must_use]
    pub fn with_shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Sets the field of a form that holds the JSON.
    #[must_use]
    pub fn with_form_field(self, form_field: impl Into<String>) -> Self {
        Self { form_field: form_field.into(), ..self }
    }

    /// Adds another field of a form.
    #[must_use]
    pub fn with_form_value(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.form_fields.insert(name.into(), value.into());
        self
    }

    /// Sets the signals that are sent.
    #[must_use]
    pub fn with_signals(self, signals: impl Into<Vec<Signal>>) -> Self {
        Self { signals: Some(signals.into()), ..self }
    }

    /// Sets in which form metrics are sent.
    #[must_use]
    pub fn with_metric_form(self, metric_form: MetricsAs) -> Self {
        Self { metric_form, ..self }
    }

    /// Sets whether a span is also sent when it starts.
    #[must_use]
    pub fn with_span_starts(self, span_starts: bool) -> Self {
        Self { span_starts, ..self }
    }

    /// Makes the body of each request with a function, which is given the request's records.
    ///
    /// Where it fails, records are given to it one by one, and those that it fails for are refused with its words.
    /// It is called where the exporter is, never where the application records; if it panics, so does the export, which the
    /// pipeline answers as any panic: it halves the batch until the poison stands alone.
    #[must_use]
    pub fn with_payload_transformer(
        self,
        function: impl Fn(&Batch) -> Result<WebhookPayload, TransformError> + Send + Sync + 'static,
    ) -> Self {
        Self { payload_transformer: Some(PayloadTransformer::function(function)), ..self }
    }

    /// Makes bodies with a template.
    #[must_use]
    pub fn with_template(self, template: crate::Template) -> Self {
        Self { payload_transformer: Some(template.into()), ..self }
    }

    /// Sets which answers are tried again.
    #[must_use]
    pub fn with_retry_config(self, retry_config: RetryConfig) -> Self {
        Self { retry_config, ..self }
    }

    /// Sets which statuses are success beside 2xx.
    #[must_use]
    pub fn with_success_status_codes(self, statuses: impl Into<Vec<u16>>) -> Self {
        Self { success_status_codes: statuses.into(), ..self }
    }

    /// Sets the most records of a request.
    #[must_use]
    pub fn with_max_items(self, max_items: usize) -> Self {
        Self { max_items, ..self }
    }

    /// Sets the most bytes of a body before it is compressed.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: impl Into<Bytes>) -> Self {
        Self { max_bytes: max_bytes.into(), ..self }
    }

    /// Sets how many requests of a batch may be under way at once.
    #[must_use]
    pub fn with_max_concurrent_requests(self, max_concurrent_requests: usize) -> Self {
        Self { max_concurrent_requests, ..self }
    }

    /// Sets how requests are signed.
    #[must_use]
    pub fn with_signing(self, signing: Signing) -> Self {
        Self { signing: Some(signing), ..self }
    }

    /// Sets the header for the id of a request's records.
    #[must_use]
    pub fn with_idempotency_header(self, name: impl Into<String>) -> Self {
        Self { idempotency_header: Some(name.into()), ..self }
    }

    /// Sets how a check asks.
    #[must_use]
    pub fn with_check_method(self, check_method: CheckMethod) -> Self {
        Self { check_method, ..self }
    }

    /// Sets the path that a check asks.
    #[must_use]
    pub fn with_check_path(self, path: impl Into<String>) -> Self {
        Self { check_path: Some(path.into()), ..self }
    }

    /// Sets where requests go and how.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }
}

impl<'de> Deserialize<'de> for WebhookConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(Self::OWN, deserializer))
            .map_err(|error| error_elsewhere(error, ELSEWHERE))
    }
}

/// What other exporters call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("batch_size", "write `max_items` instead, and set the lane's batch below it"),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_retries", LANE),
    ("queue_size", LANE),
    ("json_data", "write `payload_transformer` instead"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_belong_elsewhere_are_answered_with_the_place() {
        for (option, instead) in [("flush_interval_seconds", "the lane"), ("batch_size", "`max_items`")] {
            let json = format!(r#"{{"endpoint": "https://h", "{option}": 30}}"#);
            let error = serde_json::from_str::<WebhookConfig>(&json).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains(instead), "{error}");
        }
        let error = serde_json::from_str::<WebhookConfig>(r#"{"methd": "PUT"}"#).unwrap_err().to_string();
        assert!(error.contains("did you mean `method`?"), "{error}");
    }

    #[test]
    fn law_6_no_credential_is_shown() {
        let config = WebhookConfig::new("https://h/in/hunter2hunter2?token=hunter2")
            .with_endpoint_of(Signal::Logs, "https://h/hunter2")
            .with_header("x-key", "hunter2")
            .with_form_value("token", "hunter2")
            .with_auth(Auth::bearer("hunter2"))
            .with_template(crate::Template::per_batch("{\"routing_key\": \"hunter2\"}"))
            .with_signing(Signing::new("hunter2hunter2hunter2"));
        let shown = format!("{config:?} {config:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
