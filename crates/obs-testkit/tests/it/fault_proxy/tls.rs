//! The same over TLS, and certificates that are not right.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use obs_testkit::{CaptureServer, Fault, FaultProxy, Upstream};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{REQUEST, assert_let_go, connect, read_all};

/// A client that trusts the authority of the proxy alone.
fn client(proxy: &FaultProxy, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(proxy.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(proxy))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_certificate_is_trusted_by_both_names() {
    let server = CaptureServer::start().await;
    let proxy = FaultProxy::start_tls(&server, []).unwrap();
    assert_eq!(proxy.url(), format!("https://{}", proxy.address()));
    for name in ["127.0.0.1", "localhost"] {
        let mut client = client(&proxy, name);
        client.write_all(REQUEST).unwrap();
        let (answer, end) = read_all(&mut client);
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", answer.escape_ascii());
        assert_eq!(end, Ok(()));
    }
    assert_eq!(server.requests().len(), 2);
    assert_eq!(proxy.traffic().received, 2 * REQUEST.len() as u64);
}

/// What the handshake of a client that calls the proxy by its name ends with.
fn refusal(proxy: &FaultProxy) -> String {
    client(proxy, "localhost").write_all(REQUEST).unwrap_err().to_string()
}

#[test]
fn a_wrong_name_and_an_untrusted_authority_are_told_apart() {
    let script = [Fault::WrongName, Fault::UntrustedAuthority];
    let plain = FaultProxy::start(Upstream::Alone, script).unwrap();
    for proxy in [plain, FaultProxy::start_tls(Upstream::Alone, script).unwrap()] {
        let error = refusal(&proxy);
        assert!(error.contains("not valid for name \"localhost\""), "{error}");
        let error = refusal(&proxy);
        assert!(error.contains("UnknownIssuer"), "{error}");
        assert_let_go(&proxy);
    }
}

#[test]
fn the_wrong_name_is_all_that_is_wrong() {
    let proxy = FaultProxy::start(Upstream::Alone, [Fault::WrongName]).unwrap();
    let mut client = client(&proxy, "elsewhere.invalid");
    client.write_all(REQUEST).unwrap();
    client.read_exact(&mut [0; 15]).unwrap();
}

#[test]
fn faults_happen_inside_the_stream() {
    let script = [Fault::GarbageStatusLine, Fault::ANSWER_LOST];
    let proxy = FaultProxy::start_tls(Upstream::Alone, script).unwrap();
    let mut garbage = client(&proxy, "localhost");
    garbage.write_all(REQUEST).unwrap();
    let (answer, end) = read_all(&mut garbage);
    assert!(answer.starts_with(b"220"), "{}", answer.escape_ascii());
    assert_eq!(end, Ok(()));
    let mut lost = client(&proxy, "localhost");
    lost.write_all(REQUEST).unwrap();
    assert_eq!(read_all(&mut lost), (Vec::new(), Err(ErrorKind::ConnectionReset)));
}
