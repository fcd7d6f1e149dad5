//! The variables that OpenTelemetry's specification names, and those of the presets' vendors.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use obs_core::{Attributes, Env, Error, Secret, Signal, Str};
use obs_http::{Auth, Compression};

use crate::preset::{Given, Need};
use crate::{Histograms, OtelConfig, Preset, Protocol, SignalConfig, Temporality};

/// A config of these variables; what cannot be read is told in the log and ignored, as the specification has it.
pub(crate) fn read(env: &Env) -> OtelConfig {
    let vars = Vars { env };
    let all = vars.signal("");
    let mut config = OtelConfig {
        protocol: all.protocol,
        insecure: all.insecure,
        traces: vars.signal("TRACES_"),
        metrics: vars.signal("METRICS_"),
        logs: vars.signal("LOGS_"),
        temporality: vars.read(
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "cumulative, delta or lowmemory",
            Temporality::named,
        ),
        histograms: vars.read(
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "explicit_bucket_histogram or base2_exponential_bucket_histogram",
            Histograms::named,
        ),
        signals: vars.signals(),
        ..OtelConfig::default()
    };
    if let Some(address) = all.endpoint {
        address.as_str().clone_into(&mut config.http.endpoint);
    }
    config.http.headers = all.headers.unwrap_or_default();
    if let Some(timeout) = all.timeout {
        config.http.timeout = timeout;
    }
    config.http.compression = all.compression;
    config.http.ca_file = all.ca_file;
    config.http.client_certificate = all.client_certificate;
    config.http.client_key = all.client_key;
    vars.resource(&mut config);
    config
}

impl Preset {
    /// Reads the vendor's own variables, and `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
    ///
    /// A preset whose vendor has none of its own (Jaeger, Grafana's LGTM) reads those of [`OtelConfig::from_env`].
    ///
    /// # Errors
    /// A configuration error that names the variable of a credential that is not set where the vendor's own address needs it.
    pub fn config_from_env(self) -> Result<OtelConfig, Error> {
        self.config_from_vars(&Env::process())
    }

    /// As [`Self::config_from_env`], with `PREFIX_` before each variable's name.
    ///
    /// # Errors
    /// As [`Self::config_from_env`].
    pub fn config_from_env_prefixed(self, prefix: &str) -> Result<OtelConfig, Error> {
        self.config_from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::config_from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::config_from_env`].
    pub fn config_from_vars(self, env: &Env) -> Result<OtelConfig, Error> {
        let (facts, vars) = (self.facts(), Vars { env });
        let is_silent = facts.address.is_empty() && facts.settings.is_empty();
        let mut config = if is_silent { read(env) } else { OtelConfig::default() };
        config.preset = Some(self);
        if !is_silent {
            vars.resource(&mut config);
        }
        if let Some(address) = env.first(facts.address)? {
            config.http.endpoint = self.address(&address);
        }
        if let Some(headers) = facts.headers.and_then(|name| vars.read(name, PAIRS, headers)) {
            config.http.headers.extend(headers);
        }
        for (name, key) in facts.resource {
            if let Some(text) = env.text(name)? {
                config.set_resource(key, text.into());
            }
        }
        if facts.regions.len() > 1 && config.http.endpoint.is_empty() {
            config.region = env.text(&format!("{}_REGION", self.name().to_ascii_uppercase()))?;
        }
        if self == Self::Mlflow
            && let Some(user) = env.text("MLFLOW_TRACKING_USERNAME")?
            && env.text("MLFLOW_TRACKING_TOKEN")?.is_none()
        {
            config.http.auth = Auth::basic(user, env.text("MLFLOW_TRACKING_PASSWORD")?.unwrap_or_default());
        }
        for setting in facts.settings {
            let needed = match setting.need {
                Need::Always => true,
                Need::Cloud => config.http.endpoint.is_empty(),
                Need::Never => false,
            };
            let value = if needed {
                Some(env.required(setting.variables, setting.what)?)
            } else {
                env.first(setting.variables)?
            };
            if let Some(value) = value {
                config.set(setting.option, value);
            }
        }
        Ok(config)
    }

    /// An address as the vendor's variable has it: the Agent's is a host alone.
    fn address(self, address: &str) -> String {
        match self {
            Self::DatadogAgent if !address.contains("://") => format!("http://{address}:4318"),
            _ => address.to_owned(),
        }
    }
}

impl OtelConfig {
    /// Sets `service_name` and `resource_attributes` to what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say in this
    /// environment, and reads no other variable: for exporters whose addresses have variables of their own.
    ///
    /// What is not set is none; a value that cannot be read is told in the log and ignored.
    #[must_use]
    pub fn with_resource_vars(mut self, env: &Env) -> Self {
        Vars { env }.resource(&mut self);
        self
    }

    fn set(&mut self, option: Given, value: String) {
        match option {
            Given::ApiKey => self.api_key = Some(value.into()),
            Given::SpaceId => self.space_id = Some(value.into()),
            Given::Project => self.project = Some(value),
            Given::Dataset => self.dataset = Some(value),
            Given::Dsn => self.dsn = Some(value.into()),
        }
    }

    /// Sets an attribute of the resource, where it has an option of its own, that.
    fn set_resource(&mut self, key: &str, value: Str) {
        match key {
            "service.name" => self.service_name = Some(value),
            "service.version" => self.service_version = Some(value),
            _ => self.resource_attributes.insert(Str::copied(key), value),
        }
    }
}

/// How lists of pairs are written.
const PAIRS: &str = "KEY=VALUE,KEY=VALUE with values in percent-encoding";

struct Vars<'a> {
    env: &'a Env,
}

impl Vars<'_> {
    /// A variable's text; what is no UTF-8 is told and ignored.
    fn text(&self, name: &str) -> Option<String> {
        self.env.text(name).unwrap_or_else(|_| {
            self.ignored(name, "plain text");
            None
        })
    }

    /// A variable as something else than text; what is none is told and ignored.
    fn read<T>(&self, name: &str, what: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let found = read(&text);
        if found.is_none() {
            self.ignored(name, what);
        }
        found
    }

    /// Names the variable and never its value, which may be a credential.
    fn ignored(&self, name: &str, what: &str) {
        tracing::warn!(
            target: "obs::otel",
            variable = %self.env.name(name),
            "it cannot be read and is ignored; set it to {what}"
        );
    }

    /// What stands for one signal, or with an empty name for all of them.
    fn signal(&self, signal: &str) -> SignalConfig {
        let name = |what: &str| format!("OTEL_EXPORTER_OTLP_{signal}{what}");
        let file = |what: &str| self.env.os(&name(what)).map(PathBuf::from);
        SignalConfig {
            endpoint: self.text(&name("ENDPOINT")).map(Into::into),
            protocol: self.read(&name("PROTOCOL"), "grpc, http/protobuf or http/json", Protocol::named),
            headers: self.read(&name("HEADERS"), PAIRS, headers),
            auth: None,
            timeout: self.read(&name("TIMEOUT"), "a number of milliseconds above 0", |text| {
                text.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
            }),
            compression: self.read(&name("COMPRESSION"), "gzip, zstd or none", compression),
            ca_file: file("CERTIFICATE"),
            client_certificate: file("CLIENT_CERTIFICATE"),
            client_key: file("CLIENT_KEY"),
            insecure: self.read(&name("INSECURE"), "true or false", switch),
        }
    }

    /// The signals that are not turned off by `OTEL_TRACES_EXPORTER=none` and its like.
    fn signals(&self) -> Option<Vec<Signal>> {
        let off = |name: &str| self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("none"));
        let off: Vec<Signal> = [
            ("OTEL_TRACES_EXPORTER", &[Signal::Traces][..]),
            ("OTEL_METRICS_EXPORTER", &[Signal::Metrics]),
            ("OTEL_LOGS_EXPORTER", &[Signal::Logs, Signal::Scores, Signal::Feedback]),
        ]
        .into_iter()
        .filter(|(name, _)| off(name))
        .flat_map(|(_, signals)| signals.iter().copied())
        .collect();
        let left = || Signal::ALL.into_iter().filter(|signal| !off.contains(signal)).collect();
        (!off.is_empty()).then(left)
    }

    fn resource(&self, config: &mut OtelConfig) {
        let pairs = self.read("OTEL_RESOURCE_ATTRIBUTES", PAIRS, |text| pairs(text, decoded));
        let mut attributes = Attributes::new();
        for (key, value) in pairs.into_iter().flatten() {
            attributes.insert(key, value);
        }
        config.resource_attributes = attributes;
        config.service_name = self.text("OTEL_SERVICE_NAME").map(Into::into);
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        // By OpenTelemetry's rules whatever else is false, but a slip is worth a word.
        "false" => Some(false),
        _ => None,
    }
}

fn compression(text: &str) -> Option<Compression> {
    match text.to_ascii_lowercase().as_str() {
        "gzip" => Some(Compression::Gzip),
        "zstd" => Some(Compression::Zstd),
        "none" => Some(Compression::None),
        _ => None,
    }
}

fn headers(text: &str) -> Option<BTreeMap<String, Secret>> {
    let pairs = pairs(text, decoded)?;
    Some(pairs.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), Secret::new(value))).collect())
}

/// Pairs with commas between; all of them, or none where one is no pair.
fn pairs(text: &str, value_of: impl Fn(&str) -> Option<String>) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = value_of(key.trim()).filter(|key| !key.is_empty())?;
            Some((key, value_of(value.trim())?))
        })
        .collect()
}

/// Text in percent-encoding; what is no UTF-8 behind it is none.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}
