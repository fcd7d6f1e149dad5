//! Certificates: trusted, not trusted, and for another name.

use std::sync::Arc;

use obs_core::{ErrorKind, Failure, Retry};
use obs_http::{Auth, Client, HOLD, HttpConfig, Policy, Request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::raw::read_request;

/// A server on this machine whose certificate is for this name, and its authority's certificate in PEM.
async fn serve(name: &str) -> (u16, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if read_request(&mut stream).await.is_some() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    });
    (port, authority.pem())
}

async fn send(name: &str, trusted: bool) -> Result<u16, Failure> {
    let (port, pem) = serve(name).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, pem).unwrap();
    let config = HttpConfig::new(format!("https://localhost:{port}")).with_auth(Auth::bearer("hunter2"));
    let config = if trusted { config.with_ca_file(path) } else { config };
    let client = Client::new(&config).unwrap();
    let request = Request::post("/v1").with_body(client.body("{}"));
    client.send(&request, &Policy::DEFAULT).await.map(|answer| answer.status())
}

#[tokio::test]
async fn a_certificate_of_the_files_authority_is_trusted() {
    assert_eq!(send("localhost", true).await.map_err(|failure| failure.message), Ok(200));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_for_another_name_holds_the_destination() {
    for (name, trusted, cause) in
        [("localhost", false, "UnknownIssuer"), ("other.example", true, "not valid for name")]
    {
        let failure = send(name, trusted).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Hold(HOLD)));
        let message = &failure.message;
        assert!(message.contains("certificate is not trusted (") && message.contains(cause), "{message}");
        assert!(message.contains("name its authority in `ca_file`"), "{message}");
        assert!(message.ends_with("; nothing was sent"), "{message}");
    }
}

/// A server that wants to see a certificate of the authority whose certificate is given back, with a certificate and key of it.
async fn serve_to_the_known(folder: &std::path::Path) -> u16 {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let of = |name: &str, key: &KeyPair| {
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(key, &authority).unwrap()
    };
    let (server_key, client_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let (server, client) = (of("localhost", &server_key), of("client.example", &client_key));
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("me.pem"), client.pem()).unwrap();
    std::fs::write(folder.join("me.key"), client_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.der().clone()], PrivateKeyDer::Pkcs8(server_key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if read_request(&mut stream).await.is_some() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_the_clients() {
    let folder = tempfile::tempdir().unwrap();
    let port = serve_to_the_known(folder.path()).await;
    let config =
        HttpConfig::new(format!("https://localhost:{port}")).with_ca_file(folder.path().join("ca.pem"));
    let known =
        config.clone().with_client_certificate(folder.path().join("me.pem"), folder.path().join("me.key"));
    for (config, taken) in [(known, true), (config, false)] {
        let client = Client::new(&config).unwrap();
        let request = Request::post("/v1").with_body(client.body("{}"));
        assert_eq!(client.send(&request, &Policy::DEFAULT).await.is_ok(), taken);
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let client = Client::new(&HttpConfig::new(url)).unwrap();
    let request = Request::post("").with_body(client.body("{}"));
    let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Backoff));
    assert!(failure.message.contains(": no connection ("), "{}", failure.message);
}
