//! The client below: TLS, proxies, names, connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use obs_core::Error;
use reqwest::{Certificate, Identity, redirect, retry};

use crate::HttpConfig;
use crate::proxy::Proxy;
use crate::resolver::Guarded;

/// How long a connection waits for its next request: less than the minute after which load balancers close theirs.
const IDLE: Duration = Duration::from_secs(30);

/// The longest that is waited for; beyond lie times that no clock can tell.
pub(crate) const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Makes the client.
pub(crate) fn build(config: &HttpConfig, proxy: &Proxy, user_agent: &str) -> Result<reqwest::Client, Error> {
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
        Proxy::At(url) => {
            let proxy = reqwest::Proxy::all(url.as_str());
            builder.proxy(
                proxy.map_err(|_| Error::config("proxy", "it cannot be used; write \"http://HOST:PORT\""))?,
            )
        }
        Proxy::None => builder.no_proxy(),
        Proxy::Environment(_) => builder,
    };
    if let Some(path) = &config.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    if let Some(identity) = identity(config)? {
        builder = builder.identity(identity);
    }
    let field = match config {
        HttpConfig { client_certificate: Some(_), .. } => "client_certificate",
        HttpConfig { ca_file: Some(_), .. } => "ca_file",
        _ => "endpoint",
    };
    builder.build().map_err(|cause| {
        let causes = crate::transport::causes(&cause);
        Error::config(field, format!("TLS cannot be set up: {causes}; check the system's certificates"))
    })
}

/// What this client shows of itself.
fn identity(config: &HttpConfig) -> Result<Option<Identity>, Error> {
    let (certificate, key) = match (&config.client_certificate, &config.client_key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(Error::config("client_key", "not set; `client_certificate` is, and has one"));
        }
        (None, Some(_)) => {
            return Err(Error::config("client_certificate", "not set; `client_key` is that of one"));
        }
    };
    let mut pem = pem("client_certificate", certificate)?;
    pem.push(b'\n');
    pem.extend(self::pem("client_key", key)?);
    Identity::from_pem(&pem).map(Some).map_err(|_| {
        let cause = "this and `client_key` are no certificate and key in PEM; check both files";
        Error::config("client_certificate", cause)
    })
}

fn pem(field: &str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|cause| Error::config(field, format!("{}: {cause}; check the path", path.display())))
}

/// The certificates of the config's file.
fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let refuse = |cause: &str| Error::config("ca_file", format!("{}: {cause}", path.display()));
    let pem = pem("ca_file", path)?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(refuse("it holds no certificate in PEM; it should begin with -----BEGIN CERTIFICATE-----")),
    }
}
