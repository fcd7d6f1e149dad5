//! What a config comes to: for each of OTLP's three services, where requests go and how.

use obs_core::{Error, MetricForm, Secret, Signal, Signals};
use obs_http::HttpConfig;

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
        if signals.is_empty() {
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
        let (protocol, protocol_field) = match own.protocol {
            Some(protocol) => (protocol, fields[1]),
            None => {
                (config.protocol.or(facts.map(|facts| facts.protocols[0])).unwrap_or_default(), "protocol")
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
        let http = self.http(service, own, address);
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
            return Err(Error::config(field, cause));
        }
        Ok(())
    }

    /// The settings for HTTP of one service, those of its own first.
    fn http(&self, service: Service, own: &SignalConfig, address: String) -> HttpConfig {
        let mut http = self.config.http.clone().with_endpoint(address);
        if let Some(headers) = &own.headers {
            http.headers.clone_from(headers);
        }
        for (of, name, value) in &self.headers {
            let known = http.headers.keys().any(|known| known.eq_ignore_ascii_case(name));
            if !known && of.is_none_or(|of| of == service) {
                http.headers.insert((*name).to_owned(), value.clone());
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

/// A header that a preset adds, for one service or for all.
pub(crate) type KnownHeader = (Option<Service>, &'static str, Secret);

/// The signals that a service carries.
pub(crate) const fn carried(service: Service) -> &'static [Signal] {
    match service {
        Service::Traces => &[Signal::Traces],
        Service::Metrics => &[Signal::Metrics],
        Service::Logs => &[Signal::Logs, Signal::Scores, Signal::Feedback],
    }
}
