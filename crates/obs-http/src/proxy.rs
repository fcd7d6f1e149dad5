//! The proxy that requests go through.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use obs_core::{Error, Secret};
use url::Url;

use crate::endpoint::{Endpoint, is_loopback, written};
use crate::place::{origin, with_scheme};
use crate::{Auth, HttpConfig};

/// Which proxy, by the config or by the environment.
pub(crate) enum Proxy {
    /// None, whatever the environment says.
    None,
    /// The config's.
    At(Url),
    /// The environment's for this endpoint; the client below finds it by itself.
    Environment(Url),
}

impl Proxy {
    /// Reads the config's proxy, else the environment's; the error repeats at most its host and port, since all of it is
    /// a secret.
    pub(crate) fn of(config: &HttpConfig, endpoint: &Endpoint) -> Result<Self, Error> {
        let Some(secret) = &config.proxy else {
            // What goes to this machine goes there straight, so that no proxy of the environment sees its credentials.
            let found = if endpoint.is_loopback() { None } else { environments(endpoint) };
            return Ok(found.map_or(Self::None, Self::Environment));
        };
        let text = secret.expose().trim();
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        let refuse = |cause: &str, write: &str| {
            Error::config("proxy", format!("{cause}; write \"{write}\", or \"none\""))
        };
        let parsed = Url::parse(text);
        if let Ok(url) = parsed.as_ref()
            && matches!(url.scheme(), "http" | "https")
        {
            return Ok(Self::At(url.clone()));
        }
        if let Some(meant) = with_scheme(text) {
            return Err(refuse("it has no scheme", &origin(&meant)));
        }
        let cause = match parsed {
            Ok(_) => "it has another scheme than http and https".to_owned(),
            Err(cause) => format!("it is no address ({cause})"),
        };
        Err(refuse(&cause, "http://HOST:PORT"))
    }

    fn url(&self) -> Option<&Url> {
        match self {
            Self::None => None,
            Self::At(url) | Self::Environment(url) => Some(url),
        }
    }

    /// Whether what goes to it stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.url().is_none_or(is_loopback)
    }

    /// Refuses a user or password that goes to another machine in plain sight.
    pub(crate) fn refuse_plain_credentials(&self) -> Result<(), Error> {
        let (which, step) = match self {
            Self::Environment(_) => {
                ("the environment's", "set proxy = \"https://HOST:PORT\" or \"none\", or allow_http = true")
            }
            _ => ("it", "write \"https://HOST:PORT\", or set allow_http = true"),
        };
        if !self.shows_credentials() {
            return Ok(());
        }
        let cause = "is plain http, over which anyone on the way can read its user and password";
        Err(Error::config("proxy", format!("{which} {cause}; {step}")))
    }

    /// Whether anyone on the way can read its user and password.
    pub(crate) fn shows_credentials(&self) -> bool {
        self.url().is_some_and(|url| {
            let credentials = !url.username().is_empty() || url.password().is_some();
            credentials && url.scheme() != "https" && !is_loopback(url)
        })
    }

    /// What of it appears nowhere: user and password as they stand in the address and as they go over the wire.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let Some(url) = self.url() else { return Vec::new() };
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        if user.is_empty() && password.is_empty() {
            return Vec::new();
        }
        let meant = |part| written(part).last().unwrap_or_else(|| Secret::new(part));
        let mut secrets = Auth::basic(meant(user), meant(password)).secrets();
        secrets.extend([user, password].map(Secret::new));
        secrets
    }
}

/// The environment's proxy for this endpoint, found as the client below finds it.
fn environments(endpoint: &Endpoint) -> Option<Url> {
    let found = Matcher::from_system().intercept(&endpoint.uri()?)?;
    let mut url = Url::parse(&found.uri().to_string()).ok()?;
    let (user, password) = credentials(&found).unwrap_or_default();
    url.set_username(&user).ok()?;
    url.set_password(Some(&password).filter(|password| !password.is_empty()).map(String::as_str)).ok()?;
    Some(url)
}

/// User and password, which were taken out of the address.
fn credentials(found: &Intercept) -> Option<(String, String)> {
    if let Some((user, password)) = found.raw_auth() {
        return Some((user.to_owned(), password.to_owned()));
    }
    let pair = found.basic_auth()?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    pair.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}
