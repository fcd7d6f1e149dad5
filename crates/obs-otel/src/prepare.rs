//! A config with what is known of its backend.

use obs_core::{Error, Secret, Str};
use obs_http::Auth;
use url::Url;

use crate::preset::{Facts, Given, Goes, Need, Setting, is_region};
use crate::wire::Service;
use crate::{Address, OtelConfig, Protocol};

/// A header that a preset adds.
#[derive(Debug)]
pub(crate) struct KnownHeader {
    pub(crate) name: &'static str,
    pub(crate) value: Secret,
    /// Whether the value is a credential.
    pub(crate) is_secret: bool,
    /// The one service that it is for; `None` for all.
    pub(crate) service: Option<Service>,
    /// Whether it goes over gRPC alone.
    pub(crate) grpc_only: bool,
}

impl KnownHeader {
    fn new(name: &'static str, value: &Secret) -> Self {
        Self { name, value: value.clone(), is_secret: true, service: None, grpc_only: false }
    }

    /// Whether requests of this service go with it this way.
    pub(crate) fn goes(&self, service: Service, protocol: Protocol) -> bool {
        self.service.is_none_or(|own| own == service) && (!self.grpc_only || protocol == Protocol::Grpc)
    }
}

/// A config whose options have one name each, and what its preset adds.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) config: OtelConfig,
    pub(crate) facts: Option<&'static Facts>,
    pub(crate) headers: Vec<KnownHeader>,
}

impl Prepared {
    pub(crate) fn of(mut config: OtelConfig) -> Result<Self, Error> {
        one_name_each(&mut config)?;
        let facts = config.preset.map(crate::Preset::facts);
        let mut prepared = Self { config, facts, headers: Vec::new() };
        for option in Given::ALL {
            let setting = facts.and_then(|facts| facts.settings.iter().find(|known| known.option == option));
            match (prepared.given(option), setting) {
                (Some(value), Some(setting)) => prepared.put(setting, &value)?,
                (None, Some(setting)) => prepared.refuse_missing(setting)?,
                (Some(_), None) => return Err(foreign(option.name(), facts)),
                (None, None) => {}
            }
        }
        let regional = facts.is_some_and(|facts| facts.regions.len() > 1);
        if prepared.config.region.is_some() && !regional {
            return Err(foreign("region", facts));
        }
        if prepared.config.region.is_some() && prepared.has_own_address() {
            return Err(Error::config("region", "`endpoint` is set, too; remove one of them"));
        }
        prepared.strip_version();
        Ok(prepared)
    }

    /// Takes off the address what the vendor's clients have at its end, and what the paths of OTLP begin with.
    fn strip_version(&mut self) {
        let endpoint = &mut self.config.http.endpoint;
        if let Some(version) = self.facts.and_then(|facts| facts.version)
            && let Some(rest) = endpoint.trim().trim_end_matches('/').strip_suffix(version)
        {
            *endpoint = rest.to_owned();
        }
    }

    /// The address that is known, for this protocol and the config's region.
    pub(crate) fn known_address(&self, protocol: Protocol) -> Result<Option<Address>, Error> {
        let Some(facts) = self.facts else { return Ok(None) };
        let (region, found) = match self.config.region.as_deref() {
            Some(region) => {
                let rows = facts.regions.iter().filter(|_| is_region(region));
                (region, rows.into_iter().find(|(name, _)| [region, "*"].contains(name)))
            }
            None => match facts.regions.first() {
                Some(first) => (first.0, Some(first)),
                None => return Ok(None),
            },
        };
        let Some((_, address)) = found else {
            let known: Vec<_> = facts.regions.iter().map(|(name, _)| *name).collect();
            let cause = format!("{} has no such region; set one of {}", facts.name, known.join(", "));
            return Err(Error::config("region", cause));
        };
        let address = facts.grpc.filter(|_| protocol == Protocol::Grpc).unwrap_or(address);
        Ok(Some(address.replace("{region}", region).into()))
    }

    fn has_own_address(&self) -> bool {
        !self.config.http.endpoint.trim().is_empty()
    }

    fn given(&self, option: Given) -> Option<Secret> {
        let text = |text: &Option<String>| text.as_ref().map(|text| Secret::new(text.as_str()));
        match option {
            Given::ApiKey => self.config.api_key.clone(),
            Given::SpaceId => self.config.space_id.clone(),
            Given::Project => text(&self.config.project),
            Given::Dataset => text(&self.config.dataset),
            Given::Dsn => self.config.dsn.clone(),
        }
    }

    fn put(&mut self, setting: &Setting, value: &Secret) -> Result<(), Error> {
        let field = setting.option.name();
        if value.expose().trim().is_empty() {
            return Err(missing(setting, "empty"));
        }
        match setting.goes {
            Goes::Bearer if self.config.http.auth != Auth::None => {
                Err(Error::config(field, "`auth` is set, too; remove one of them"))
            }
            Goes::Bearer => {
                self.config.http.auth = Auth::Bearer(value.clone());
                Ok(())
            }
            Goes::Header(name) => {
                self.headers.push(KnownHeader::new(name, value));
                Ok(())
            }
            Goes::TwoHeaders(name, over_grpc) => {
                self.headers.push(KnownHeader::new(name, value));
                self.headers.push(KnownHeader { grpc_only: true, ..KnownHeader::new(over_grpc, value) });
                Ok(())
            }
            Goes::PlainHeader(name) => {
                self.headers.push(KnownHeader { is_secret: false, ..KnownHeader::new(name, value) });
                Ok(())
            }
            Goes::MetricsHeader(name) => {
                let service = Some(Service::Metrics);
                self.headers.push(KnownHeader { is_secret: false, service, ..KnownHeader::new(name, value) });
                Ok(())
            }
            Goes::Resource(key) => {
                if self.config.resource_attributes.get(key).is_none() {
                    self.config.resource_attributes.push(key, Str::copied(value.expose()));
                }
                Ok(())
            }
            Goes::Dsn => self.put_dsn(value),
        }
    }

    fn refuse_missing(&self, setting: &Setting) -> Result<(), Error> {
        // A credential may stand in `auth` and `headers`, where a proxy before the backend wants it.
        let elsewhere = match setting.goes {
            Goes::Bearer => self.config.http.auth != Auth::None || self.has_header("authorization"),
            Goes::Header(name) | Goes::PlainHeader(name) => self.has_header(name),
            Goes::TwoHeaders(name, over_grpc) => self.has_header(name) || self.has_header(over_grpc),
            Goes::Resource(key) => self.config.resource_attributes.get(key).is_some(),
            Goes::MetricsHeader(_) | Goes::Dsn => false,
        };
        let needed = match setting.need {
            Need::Always => true,
            Need::Cloud => !self.has_own_address(),
            Need::Never => false,
        };
        if needed && !elsewhere { Err(missing(setting, "not set")) } else { Ok(()) }
    }

    fn has_header(&self, name: &str) -> bool {
        self.config.http.headers.keys().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The address and the key that a DSN stands for: `https://KEY@HOST/PREFIX/PROJECT`.
    fn put_dsn(&mut self, dsn: &Secret) -> Result<(), Error> {
        let refuse = || {
            let cause = "it is no DSN; write https://KEY@o1.ingest.sentry.io/PROJECT as the project's settings show it";
            Error::config("dsn", cause)
        };
        let mut url = Url::parse(dsn.expose().trim()).map_err(|_| refuse())?;
        let key = url.username().to_owned();
        let path = url.path().trim_matches('/').to_owned();
        let (prefix, project) = path.rsplit_once('/').unwrap_or(("", &path));
        let whole = !key.is_empty() && !project.is_empty() && url.has_host();
        if !whole || url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err(refuse());
        }
        let between = if prefix.is_empty() { "" } else { "/" };
        url.set_path(&format!("{prefix}{between}api/{project}/integration/otlp"));
        if !self.has_own_address() {
            self.config.http.endpoint = url.into();
        }
        let value = Secret::new(format!("sentry sentry_key={key}"));
        self.headers.push(KnownHeader::new("x-sentry-auth", &value));
        Ok(())
    }
}

fn missing(setting: &Setting, how: &str) -> Error {
    let places = ["it"].iter().chain(setting.variables).copied().collect::<Vec<_>>().join(", or ");
    Error::config(setting.option.name(), format!("{how}; set {places}, to {}", setting.what))
}

fn foreign(option: &str, facts: Option<&Facts>) -> Error {
    let cause = match facts {
        Some(facts) => format!("{} has none; remove it", facts.name),
        None => "it goes with a `preset`; set that, or remove it".to_owned(),
    };
    Error::config(option, cause)
}

/// Moves what stands under names of other clients to where it belongs.
fn one_name_each(config: &mut OtelConfig) -> Result<(), Error> {
    let twice = |field: &str, other: &str| {
        Error::config(field, format!("`{other}` is set, too, and is the same; remove one of them"))
    };
    if let Some(address) = config.otlp_endpoint.take() {
        if !config.http.endpoint.trim().is_empty() {
            return Err(twice("otlp_endpoint", "endpoint"));
        }
        address.as_str().clone_into(&mut config.http.endpoint);
    }
    if let Some(address) = config.metrics_endpoint.take()
        && config.metrics.endpoint.replace(address).is_some()
    {
        return Err(twice("metrics_endpoint", "endpoint` within `metrics"));
    }
    if let Some(protocol) = config.otlp_protocol.take()
        && config.protocol.replace(protocol).is_some()
    {
        return Err(twice("otlp_protocol", "protocol"));
    }
    if let Some(protocol) = config.metrics_protocol.take()
        && config.metrics.protocol.replace(protocol).is_some()
    {
        return Err(twice("metrics_protocol", "protocol` within `metrics"));
    }
    Ok(())
}
