//! Signatures, as a receiver checks them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use obs_core::{Exporter, Level, Log, Timestamp};
use obs_http::Compression;
use obs_testkit::fixtures::at;
use obs_testkit::{Answer, CaptureServer, Captured};
use obs_webhook::{Format, SignatureError, Signing, WebhookExporter, verify};

use crate::server::{self, NOW, SECRET, logs, many};

fn check(signing: &Signing, request: &Captured, body: &[u8]) -> Result<(), SignatureError> {
    let header = |name: &str| request.header(&name.to_ascii_lowercase());
    verify(signing, header, body, NOW, Duration::from_mins(5))
}

fn every() -> [Signing; 4] {
    let svix = Signing::standard(SECRET)
        .with_signature_header("Svix-Signature")
        .with_timestamp_header("Svix-Timestamp")
        .with_id_header("Svix-Id");
    [Signing::new(SECRET), Signing::standard(SECRET), Signing::github(SECRET), svix]
}

#[tokio::test]
async fn every_form_is_verified_by_its_receiver() {
    for signing in every() {
        for format in [Format::Json, Format::Ndjson, Format::Form] {
            let change = |config: obs_webhook::WebhookConfig| {
                config.with_signing(signing.clone()).with_format(format).with_max_items(2)
            };
            let (requests, receipt) = server::sent(&many(4), change).await;
            assert_eq!((requests.len(), receipt.delivered), (2, 4));
            for request in &requests {
                assert_eq!(check(&signing, request, &request.body), Ok(()), "{signing:?}");
                assert!(check(&signing, request, b"{}").is_err());
            }
        }
    }
}

/// The capture server decompresses; so the signature must not fit what it shows.
#[tokio::test]
async fn the_bytes_as_they_go_over_the_wire_are_signed() {
    let signing = Signing::new(SECRET);
    let batch = logs([Log::new(at(1), Level::Info, "x".repeat(4_000))]);
    let (requests, _) = server::sent(&batch, |mut config| {
        config.http.compression = Some(Compression::Gzip);
        config.with_signing(signing.clone())
    })
    .await;
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    assert_eq!(check(&signing, &requests[0], &requests[0].body), Err(SignatureError::Mismatch));
    let sent = obs_http::Body::compressed(requests[0].body.clone(), Compression::Gzip);
    assert_eq!(check(&signing, &requests[0], &sent.bytes()), Ok(()));
}

#[tokio::test]
async fn a_retry_is_signed_anew_with_its_time_and_the_same_id() {
    let server = CaptureServer::start().await;
    let seconds = Arc::new(AtomicU64::new(1_000));
    let clock = Arc::clone(&seconds);
    let config = server::config(&server).with_signing(Signing::standard(SECRET));
    let exporter = WebhookExporter::new(config)
        .unwrap()
        .with_clock(move || Timestamp::from_nanos(clock.load(Ordering::Relaxed) * 1_000_000_000));
    server.answer([Answer::status(503)]);
    let error = exporter.export(&many(2)).await.unwrap_err();
    seconds.store(1_060, Ordering::Relaxed);
    exporter.export(error.undelivered()).await.unwrap();
    let requests = server.requests();
    let header = |at: usize, name: &str| requests[at].header(name).unwrap().to_owned();
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    assert_eq!([header(0, "webhook-timestamp"), header(1, "webhook-timestamp")], ["1000", "1060"]);
    assert_ne!(header(0, "webhook-signature"), header(1, "webhook-signature"));
}

#[tokio::test]
async fn law_6_the_secret_is_sent_nowhere() {
    for signing in every() {
        let (requests, _) = server::sent(&many(1), |config| config.with_signing(signing.clone())).await;
        let bodies: String =
            requests.iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
        assert!(bodies.contains("message 0"));
        let sent = format!("{requests:?} {bodies}");
        let secret = SECRET.strip_prefix("whsec_").unwrap();
        assert!(!sent.contains(secret) && !format!("{signing:?}").contains(secret));
    }
}
