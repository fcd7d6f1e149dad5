//! The client below: TLS, proxies, names, connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use obs_core::{Error, Secret};
use reqwest::{Certificate, redirect, retry};
use url::Url;

use crate::HttpConfig;
use crate::endpoint::{Endpoint, is_loopback, written};
use crate::resolver::Guarded;

/// How long a connection waits for its next request: less than the minute after which load balancers close theirs.
const IDLE: Duration = Duration::from_secs(30);

/// The longest that is waited for; beyond lie times that no clock can tell.
pub(crate) const LONGEST: Duration = Duration::from_hours(365 * 24);

/// What the config says of proxies.
pub(crate) enum Proxy {
    /// None, whatever the environment says.
    None,
    /// This one.
    At(Url),
}

impl Proxy {
    /// Whether what goes to it stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::None => true,
            Self::At(url) => is_loopback(url),
        }
    }

    /// Whether anyone on the way can read its user and password.
    pub(crate) fn shows_credentials(&self) -> bool {
        match self {
            Self::None => false,
            Self::At(url) => {
                let credentials = !url.username().is_empty() || url.password().is_some();
                credentials && url.scheme() == "http" && !self.is_local()
            }
        }
    }

    /// What of it appears nowhere.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let Self::At(url) = self else { return Vec::new() };
        let parts = [Some(url.username()), url.password()];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).flat_map(written).collect()
    }
}

/// Reads the config's proxy; the error repeats nothing of it, since all of it is a secret.
pub(crate) fn proxy(config: &HttpConfig) -> Result<Option<Proxy>, Error> {
    let Some(secret) = &config.proxy else { return Ok(None) };
    let text = secret.expose().trim();
    if text.eq_ignore_ascii_case("none") {
        return Ok(Some(Proxy::None));
    }
    let refuse =
        |cause: &str| Error::config("proxy", format!("{cause}; write \"http://HOST:PORT\", or \"none\""));
    let url = Url::parse(text).map_err(|cause| refuse(&format!("it is no address ({cause})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("it has another scheme than http and https"));
    }
    Ok(Some(Proxy::At(url)))
}

/// Makes the client.
pub(crate) fn build(
    config: &HttpConfig,
    endpoint: &Endpoint,
    proxy: Option<&Proxy>,
    user_agent: &str,
) -> Result<reqwest::Client, Error> {
    let user_agent = HeaderValue::from_str(config.user_agent.as_deref().unwrap_or(user_agent))
        .map_err(|_| Error::config("user_agent", "it has a character that no header may have; remove it"))?;
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .connect_timeout(config.connect_timeout.min(LONGEST))
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        // Another crate may turn these features of reqwest on; answers are read as they are sent all the same.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    if !config.allow_link_local {
        builder = builder.dns_resolver(Arc::new(Guarded));
    }
    builder = match proxy {
        Some(Proxy::At(url)) => {
            let proxy = reqwest::Proxy::all(url.as_str());
            builder.proxy(
                proxy.map_err(|_| Error::config("proxy", "it cannot be used; write \"http://HOST:PORT\""))?,
            )
        }
        Some(Proxy::None) => builder.no_proxy(),
        // What goes to this machine goes there straight, so that no proxy of the environment sees its credentials.
        None if endpoint.is_loopback() => builder.no_proxy(),
        None => builder,
    };
    if let Some(path) = &config.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    let field = if config.ca_file.is_some() { "ca_file" } else { "endpoint" };
    builder.build().map_err(|cause| {
        let causes = crate::transport::causes(&cause);
        Error::config(field, format!("TLS cannot be set up: {causes}; check the system's certificates"))
    })
}

/// The certificates of the config's file.
fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let refuse = |cause: &str| Error::config("ca_file", format!("{}: {cause}", path.display()));
    let pem = std::fs::read(path).map_err(|cause| refuse(&format!("{cause}; check the path")))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(refuse("it holds no certificate in PEM; it should begin with -----BEGIN CERTIFICATE-----")),
    }
}
