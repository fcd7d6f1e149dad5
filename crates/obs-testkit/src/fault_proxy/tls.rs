//! Certificates made for one run, good ones and bad ones.

use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

use super::Fault;
use super::connection::Client;

/// What the proxy is called by its clients.
const OWN_NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// What it is not called.
const OTHER_NAME: &str = "elsewhere.invalid";

/// The ways to present oneself.
pub(super) struct Tls {
    /// Whether every connection begins with TLS, and not those alone whose fault asks for it.
    always: bool,
    authority: String,
    right: TlsAcceptor,
    wrong_name: TlsAcceptor,
    untrusted: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("always", &self.always).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS for the faults that ask for it.
    pub(super) fn where_asked() -> io::Result<Self> {
        Self::new(false)
    }

    /// TLS for every connection.
    pub(super) fn always() -> io::Result<Self> {
        Self::new(true)
    }

    fn new(always: bool) -> io::Result<Self> {
        let (known, unknown) = (authority("obs-testkit")?, authority("nobody knows")?);
        Ok(Self {
            always,
            right: acceptor(&known, &OWN_NAMES)?,
            wrong_name: acceptor(&known, &[OTHER_NAME])?,
            untrusted: acceptor(&unknown, &OWN_NAMES)?,
            authority: known.pem(),
        })
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.always { "https" } else { "http" }
    }

    /// The certificate of the authority to trust.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Begins a connection, with a handshake if there is to be one; `None` if that fails.
    pub(super) async fn greet(&self, tcp: TcpStream, fault: Fault) -> Option<Box<dyn Client>> {
        let acceptor = match fault {
            Fault::WrongName => &self.wrong_name,
            Fault::UntrustedAuthority => &self.untrusted,
            _ if self.always => &self.right,
            _ => return Some(Box::new(tcp)),
        };
        Some(Box::new(acceptor.accept(tcp).await.ok()?))
    }
}

impl Client for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> io::Result<Authority> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().map_err(io::Error::other)?;
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

fn acceptor(authority: &Authority, names: &[&str]) -> io::Result<TlsAcceptor> {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let params = CertificateParams::new(names).map_err(io::Error::other)?;
    let certificate = params.signed_by(&key, authority).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
