//! The client below: TLS, proxies, names, connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use obs_core::Error;
use reqwest::{Certificate, redirect, retry};

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
