//! What a config comes to: for each of OTLP's three services, where requests go and how.

use std::collections::BTreeMap;

use obs_core::{Error, MetricForm, Secret, Signal, Signals};
use obs_http::{Auth, HttpConfig};

use crate::prepare::Prepared;
use crate::preset::Facts;
use crate::wire::Service;
use crate::{Address, Conventions, OtelConfig, Protocol, SignalConfig, Temporality, endpoint};

/// The most bytes that a request may have at all, as OTLP's clients have it.
const HARD_LIMIT: u64 = 64 << 20;

/// The least that a request may hold: less would cut every record to its bones.
const LEAST_BODY: u64 = 64 << 10;

/// Where the requests of one service go.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) protocol: Protocol,
    pub(crate) http: HttpConfig,
    /// What is added to the address.
    pub(crate) target: &'static str,
    /// The option that the address stands in.
    pub(crate) field: &'static str,
}

/// What a config comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) config: OtelConfig,
    pub(crate) facts: Option<&'static Facts>,
    pub(crate) lines: [Line; 3],
    pub(crate) signals: Signals,
    pub(crate) conventions: Conventions,
    pub(crate) metric_form: MetricForm,
}

impl Plan {
    /// Checks the config, and puts together what goes for each service.
    pub(crate) fn of(config: OtelConfig) -> Result<Self, Error> {
        let prepared = Prepared::of(config)?;
        let Prepared { config, facts, .. } = &prepared;
        validate(config)?;
        if let Some(facts) = facts.filter(|facts| facts.drops_events && !config.create_child_spans) {
            let cause = format!("{} drops the events that children would be; remove it", facts.name);
            return Err(Error::config("create_child_spans", cause));
        }
        let lines = [
            prepared.line(Service::Traces, &config.traces, ["traces.endpoint", "traces.protocol"])?,
            prepared.line(Service::Metrics, &config.metrics, ["metrics.endpoint", "metrics.protocol"])?,
            prepared.line(Service::Logs, &config.logs, ["logs.endpoint", "logs.protocol"])?,
        ];
        let taken = facts.map_or(Signals::ALL, |facts| facts.signals);
        let signals = match &config.signals {
            Some(wanted) => taken.iter().filter(|signal| wanted.contains(signal)).collect(),
            None => taken,
        };
        // An empty list is said on purpose, such as by three variables that are `none`.
        let wants_some = config.signals.as_ref().is_none_or(|wanted| !wanted.is_empty());
        if signals.is_empty() && wants_some {
            return Err(Error::config("signals", "none of them is taken there; name one that is"));
        }
        let known = facts.map(|facts| (facts.conventions, facts.temporality)).unwrap_or_default();
        let conventions = config.conventions.unwrap_or(known.0);
        let metric_form = match config.temporality.unwrap_or(known.1) {
            Temporality::Cumulative => MetricForm::Cumulative,
            Temporality::Delta | Temporality::LowMemory => MetricForm::Delta,
        };
        Ok(Self { lines, signals, conventions, metric_form, facts: *facts, config: prepared.config })
    }

    pub(crate) fn line(&self, service: Service) -> &Line {
        &self.lines[service.index()]
    }

    /// The most bytes of a request.
    pub(crate) fn max_request_size(&self) -> usize {
        usize::try_from(self.config.max_request_size.get()).unwrap_or(usize::MAX)
    }
}

impl Prepared {
    fn line(&self, service: Service, own: &SignalConfig, fields: [&'static str; 2]) -> Result<Line, Error> {
        let Self { config, facts, .. } = self;
        let (protocol, protocol_field) = match (own.protocol, config.protocol) {
            (Some(protocol), _) => (protocol, fields[1]),
            (None, Some(protocol)) => (protocol, "protocol"),
            (None, None) => {
                let (address, field) = match &own.endpoint {
                    Some(address) => (address.as_str(), fields[0]),
                    None => (config.http.endpoint.as_str(), "endpoint"),
                };
                (facts.map_or(Protocol::default(), |facts| facts.spoken_at(address)), field)
            }
        };
        self.refuse_unspoken(protocol, protocol_field)?;
        let insecure = own.insecure.or(config.insecure).unwrap_or(false);
        let (address, field) = match &own.endpoint {
            Some(address) => (address.clone(), fields[0]),
            None => (self.base(protocol)?, "endpoint"),
        };
        endpoint::look_at(field, &address, protocol)?;
        let (address, target) = match (protocol, &own.endpoint) {
            (Protocol::Grpc, _) => (endpoint::grpc(address.as_str(), insecure), ""),
            (_, Some(_)) => (address.as_str().to_owned(), ""),
            (_, None) => (endpoint::base(address.as_str()).to_owned(), endpoint::PATHS[service.index()]),
        };
        let is_home = self.is_home(own, protocol)?;
        let http = self.http(service, own, protocol, is_home).with_endpoint(address);
        if !is_home {
            tracing::info!(
                target: "obs::otel",
                "{field}: another host than the preset's, so that the preset's key and what all signals have of `auth` and \
                 `headers` do not go there; set this signal's own where it wants any"
            );
        }
        Ok(Line { protocol, http, target, field })
    }

    /// The base address, the user's or the one that is known.
    fn base(&self, protocol: Protocol) -> Result<Address, Error> {
        let given = &self.config.http.endpoint;
        if !given.trim().is_empty() {
            return Ok(given.as_str().into());
        }
        if let Some(known) = self.known_address(protocol)? {
            return Ok(known);
        }
        Ok(if protocol == Protocol::Grpc { endpoint::GRPC } else { endpoint::HTTP }.into())
    }

    /// Whether what is set for all signals goes to a signal's own address, too: a vendor's key goes to no other host.
    fn is_home(&self, own: &SignalConfig, protocol: Protocol) -> Result<bool, Error> {
        let (Some(address), Some(facts)) = (&own.endpoint, self.facts) else { return Ok(true) };
        // A backend without a key of its own is sent what OpenTelemetry has for all signals.
        if facts.settings.is_empty() {
            return Ok(true);
        }
        let Some(host) = endpoint::host(address.as_str()) else { return Ok(false) };
        let base = endpoint::host(self.base(protocol)?.as_str());
        Ok(base.as_deref() == Some(&*host) || facts.knows(&host))
    }

    fn refuse_unspoken(&self, protocol: Protocol, field: &str) -> Result<(), Error> {
        if let Some(facts) = self.facts.filter(|facts| !facts.protocols.contains(&protocol)) {
            let spoken: Vec<_> = facts.protocols.iter().map(|protocol| protocol.as_str()).collect();
            let cause = format!(
                "{} does not take {}; set {}, or leave it out",
                facts.name,
                protocol.as_str(),
                spoken.join(" or ")
            );
            return Err(Error::config(field, cause));
        }
        if protocol == Protocol::Grpc && !cfg!(feature = "grpc") {
            let cause = "gRPC is not built in; add the feature `grpc` of obs-otel, or set http/protobuf";
            let at_port = "gRPC is not built in, and its port speaks nothing else; add the feature `grpc` of obs-otel, or set \
                           the address for HTTP";
            return Err(Error::config(field, if field.ends_with("endpoint") { at_port } else { cause }));
        }
        Ok(())
    }

    /// The settings for HTTP of one service, those of its own first; to another host than the preset's nothing goes along
    /// that is not the service's own.
    fn http(&self, service: Service, own: &SignalConfig, protocol: Protocol, is_home: bool) -> HttpConfig {
        let mut http = self.config.http.clone();
        if !is_home {
            http.headers.clear();
            http.auth = Auth::None;
        }
        if let Some(headers) = &own.headers {
            http.headers.clone_from(headers);
            if has_header_of(headers, &http.auth) {
                http.auth = Auth::None;
            }
        }
        if let Some(auth) = &own.auth {
            http.auth.clone_from(auth);
        }
        for header in self.headers.iter().filter(|header| is_home && header.goes(service, protocol)) {
            if !http.headers.keys().any(|known| known.eq_ignore_ascii_case(header.name)) {
                http = if header.is_secret {
                    http.with_header(header.name, header.value.clone())
                } else {
                    http.with_plain_header(header.name, header.value.clone())
                };
            }
        }
        if let Some(timeout) = own.timeout {
            http.timeout = timeout;
        }
        http.compression = own.compression.or(http.compression).or(self.facts.map(|facts| facts.compression));
        for (field, file) in [
            (&mut http.ca_file, &own.ca_file),
            (&mut http.client_certificate, &own.client_certificate),
            (&mut http.client_key, &own.client_key),
        ] {
            if file.is_some() {
                field.clone_from(file);
            }
        }
        http
    }
}

/// What is wrong with the options that no address has to do with.
fn validate(config: &OtelConfig) -> Result<(), Error> {
    let size = config.max_request_size.get();
    if !(LEAST_BODY..=HARD_LIMIT).contains(&size) {
        return Err(Error::config("max_request_size", "it is not between 64KiB and 64MiB; set one that is"));
    }
    if config.max_request_items == 0 {
        return Err(Error::config("max_request_items", "0 would send nothing; set at least 1"));
    }
    let empty = |text: &Option<obs_core::Str>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    for (field, text) in [
        ("service_name", &config.service_name),
        ("service_version", &config.service_version),
        ("service_namespace", &config.service_namespace),
        ("service_instance_id", &config.service_instance_id),
        ("span_name_prefix", &config.span_name_prefix),
    ] {
        if empty(text) {
            return Err(Error::config(field, "empty; set it, or leave it out"));
        }
    }
    Ok(())
}

/// Whether the header that a credential goes in stands among these already.
fn has_header_of(headers: &BTreeMap<String, Secret>, auth: &Auth) -> bool {
    let name = match auth {
        Auth::None => return false,
        Auth::Bearer(_) | Auth::Basic { .. } => "authorization",
        Auth::Header { name, .. } => name,
    };
    headers.keys().any(|known| known.eq_ignore_ascii_case(name))
}

/// The signals that a service carries.
pub(crate) const fn carried(service: Service) -> &'static [Signal] {
    match service {
        Service::Traces => &[Signal::Traces],
        Service::Metrics => &[Signal::Metrics],
        Service::Logs => &[Signal::Logs, Signal::Scores, Signal::Feedback],
    }
}

#[cfg(test)]
mod tests;
