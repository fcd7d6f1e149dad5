//! What is wrong with a configuration.

use std::ops::RangeInclusive;

use obs_core::{Error, Secret, Signal};
use obs_http::Auth;
use url::{Host, Url};

use crate::{Format, PayloadTransformer, Per, Shape, Signing, Template, WebhookConfig};

/// The most records of a request: more would make one refused request a large loss of work.
pub(crate) const MOST_ITEMS: usize = 10_000;

/// The most bytes of a body.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// The least that a body may hold: less would cut every record to its bones.
const LEAST_BYTES: u64 = 1 << 10;

/// The most requests at once.
const MOST_REQUESTS: usize = 64;

/// The steps of a rendering: fewer let no template of some lines through, more are many seconds.
const FUEL: RangeInclusive<u64> = 1_000..=100_000_000;

/// The bytes of a rendering.
const OUTPUT: RangeInclusive<u64> = 1 << 10..=64 << 20;

impl WebhookConfig {
    /// What is wrong with it; the addresses and the template are looked at where they are read.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.validate_signals()?;
        self.validate_form()?;
        self.validate_headers()?;
        if self.max_items == 0 || self.max_items > MOST_ITEMS {
            return Err(Error::config(
                "max_items",
                format!("{} is not from 1 to {MOST_ITEMS}", self.max_items),
            ));
        }
        if self.max_bytes.get() < LEAST_BYTES || self.max_bytes.get() > MOST_BYTES as u64 {
            return Err(Error::config("max_bytes", format!("{} is not from 1KiB to 16MiB", self.max_bytes)));
        }
        if self.max_concurrent_requests == 0 || self.max_concurrent_requests > MOST_REQUESTS {
            let message = format!("{} is not from 1 to {MOST_REQUESTS}", self.max_concurrent_requests);
            return Err(Error::config("max_concurrent_requests", message));
        }
        if let Some(name) = self.url_values.keys().find(|name| !is_name(name) || *name == "signal") {
            let name = name.escape_debug();
            let message =
                format!("`{name}` is no name for a placeholder, or is taken; use letters, digits and `_`");
            return Err(Error::config("url_values", message));
        }
        if let Some(path) = &self.check_path
            && (!path.starts_with('/') || path.chars().any(|c| c.is_control() || c == '#'))
        {
            return Err(Error::config("check_path", "it is no path; write one such as \"/health\""));
        }
        if let Some(PayloadTransformer::Template(template)) = &self.payload_transformer {
            self.validate_template(template)?;
        }
        self.signing.as_ref().map_or(Ok(()), Signing::validate)
    }

    /// Whether a signal has an address.
    pub(crate) fn has_address(&self, signal: Signal) -> bool {
        self.endpoints.contains_key(&signal) || !self.http.endpoint.trim().is_empty()
    }

    fn validate_signals(&self) -> Result<(), Error> {
        if !Signal::ALL.into_iter().any(|signal| self.has_address(signal)) {
            let message = "it is missing; set it, or OBS_WEBHOOK_URL, to the address that takes records";
            return Err(Error::config("endpoint", message));
        }
        let Some(signals) = &self.signals else { return Ok(()) };
        if signals.is_empty() {
            return Err(Error::config("signals", "it is empty; name some, or leave it out for all"));
        }
        match signals.iter().find(|signal| !self.has_address(**signal)) {
            Some(signal) => {
                let message = format!("{signal} have no address; set `endpoints.{signal}` or `endpoint`");
                Err(Error::config("signals", message))
            }
            None => Ok(()),
        }
    }

    fn validate_form(&self) -> Result<(), Error> {
        if self.format == Format::Text && self.payload_transformer.is_none() {
            return Err(Error::config("format", "`text` is what `payload_transformer` makes; set one"));
        }
        if self.shape == Shape::Array && matches!(self.format, Format::Ndjson | Format::Text) {
            return Err(Error::config("shape", "`array` is for the formats `json` and `form`; leave it out"));
        }
        if self.form_field.is_empty() || self.form_fields.contains_key(&self.form_field) {
            return Err(Error::config(
                "form_field",
                "it is empty, or one of `form_fields`; give it a name of its own",
            ));
        }
        if self.format != Format::Form && !self.form_fields.is_empty() {
            return Err(Error::config(
                "form_fields",
                "only the format `form` has fields; set it, or leave them out",
            ));
        }
        let addresses = self.endpoints.values().map(Secret::expose);
        let plain = std::iter::once(&*self.http.endpoint).chain(addresses).any(is_plain);
        if !self.form_fields.is_empty() && plain && !self.http.allow_http {
            let message = "an address is plain http, over which anyone on the way can read them; use https, or set \
                           allow_http = true";
            return Err(Error::config("form_fields", message));
        }
        Ok(())
    }

    fn validate_template(&self, template: &Template) -> Result<(), Error> {
        let refuse = |field: &str, cause: String| Err(Error::config(field, cause));
        if !FUEL.contains(&template.fuel) {
            let cause = format!("{} is not from {} to {}", template.fuel, FUEL.start(), FUEL.end());
            return refuse("payload_transformer.fuel", cause);
        }
        if !OUTPUT.contains(&template.max_output.get()) {
            let cause = format!("{} is not from 1KiB to 64MiB", template.max_output);
            return refuse("payload_transformer.max_output", cause);
        }
        if self.shape == Shape::Array && template.per == Per::Batch {
            let cause = "`array` stands around records, and a template per batch makes the whole body; set per: record, or \
                         leave it out";
            return refuse("shape", cause.to_owned());
        }
        Ok(())
    }

    fn validate_headers(&self) -> Result<(), Error> {
        let mut taken: Vec<(&str, &str)> = Vec::new();
        taken.extend(self.http.headers.keys().map(|name| ("headers", &**name)));
        taken.extend(self.plain_headers.keys().map(|name| ("plain_headers", &**name)));
        match &self.http.auth {
            Auth::Header { name, .. } => taken.push(("auth", name)),
            Auth::Bearer(_) | Auth::Basic { .. } => taken.push(("auth", "authorization")),
            Auth::None => {}
        }
        if let Some(signing) = &self.signing {
            taken.extend(signing.own_headers().map(|name| ("signing", name)));
        }
        taken.extend(self.idempotency_header.iter().map(|name| ("idempotency_header", &**name)));
        for (at, (field, name)) in taken.iter().enumerate() {
            if !is_header(name) {
                let name = name.escape_debug();
                let message = format!("`{name}` is no name of a header; use letters, digits and hyphens");
                return Err(Error::config(field, message));
            }
            if let Some((other, _)) = taken[..at].iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
                let message = format!("`{name}` stands in `{other}`, too; remove one of them");
                return Err(Error::config(field, message));
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether an address is plain `http` to another machine.
fn is_plain(address: &str) -> bool {
    let Ok(url) = Url::parse(address.trim()) else { return false };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &WebhookConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    fn config() -> WebhookConfig {
        WebhookConfig::new("https://h/in")
    }

    #[test]
    fn what_is_wrong_is_named_with_the_next_step() {
        assert!(config().validate().is_ok());
        assert!(refused(&WebhookConfig::new(" ")).contains("OBS_WEBHOOK_URL"));
        assert!(refused(&config().with_signals([])).starts_with("signals: it is empty"));
        let logs = WebhookConfig::default().with_endpoint_of(Signal::Logs, "https://h");
        assert!(refused(&logs.clone().with_signals([Signal::Traces])).contains("`endpoints.traces`"));
        assert!(logs.validate().is_ok());
        assert!(refused(&config().with_format(Format::Text)).starts_with("format: "));
        assert!(
            refused(&config().with_format(Format::Ndjson).with_shape(Shape::Array)).starts_with("shape: ")
        );
        assert!(refused(&config().with_form_field("")).starts_with("form_field: "));
        assert!(refused(&config().with_form_value("a", "b")).starts_with("form_fields: only"));
        assert!(refused(&config().with_max_items(0)).starts_with("max_items: "));
        assert!(refused(&config().with_max_items(10_001)).starts_with("max_items: "));
        assert!(refused(&config().with_max_bytes(1_000)).starts_with("max_bytes: "));
        assert!(refused(&config().with_max_concurrent_requests(65)).starts_with("max_concurrent_requests: "));
        for name in ["signal", "a-b", ""] {
            assert!(refused(&config().with_url_value(name, "x")).starts_with("url_values: "), "{name}");
        }
        assert!(refused(&config().with_check_path("health")).starts_with("check_path: "));
        assert!(refused(&config().with_signing(Signing::new("short"))).starts_with("signing.secret: "));
    }

    #[test]
    fn law_6_fields_of_a_form_do_not_go_over_plain_http() {
        let form = |address: &str| {
            WebhookConfig::new(address).with_format(Format::Form).with_form_value("token", "t")
        };
        assert!(refused(&form("http://h/in")).contains("allow_http"));
        for address in ["https://h", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(form(address).validate().is_ok(), "{address}");
        }
        let mut allowed = form("http://h/in");
        allowed.http.allow_http = true;
        assert!(allowed.validate().is_ok());
    }

    #[test]
    fn a_header_has_one_use() {
        let twice = config().with_header("X-Key", "a").with_plain_header("x-key", "b");
        assert!(refused(&twice).contains("stands in `headers`, too"));
        let signing = Signing::new("0123456789abcdef");
        let signed = config().with_plain_header("x-obs-signature", "b").with_signing(signing);
        assert!(refused(&signed).starts_with("signing: `X-Obs-Signature` stands in `plain_headers`"));
        let auth = config().with_auth(Auth::bearer("t")).with_idempotency_header("Authorization");
        assert!(refused(&auth).starts_with("idempotency_header: "));
        assert!(refused(&config().with_idempotency_header("a b")).contains("no name of a header"));
    }
}
