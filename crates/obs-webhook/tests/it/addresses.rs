//! Where requests go.

use obs_core::{Batch, ErrorKind, Exporter, Signal, Signals};
use obs_testkit::fixtures::NASTY_TEXTS;
use obs_testkit::{CaptureServer, fixtures};
use obs_webhook::{WebhookConfig, WebhookExporter};

use crate::server::{self, log_of, logs, messages};

#[tokio::test]
async fn records_go_to_their_service_s_address_in_their_order() {
    let server = CaptureServer::start().await;
    let address = format!("{}/in/{{team}}/{{service}}?env={{environment}}&v=1", server.url());
    let config =
        WebhookConfig::new(address).with_url_value("team", "a b").with_url_value("environment", "none");
    let batch = logs([
        log_of(0, "shop", Some("production")),
        log_of(1, "search", None),
        log_of(2, "shop", Some("production")),
        log_of(3, "shop", None),
    ]);
    let receipt = server::exporter(config).export(&batch).await.unwrap();
    assert_eq!(receipt.delivered, 4);
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| (request.path.clone(), request.query.clone().unwrap(), messages(request)))
        .collect();
    let sent_to = |path: &str, query: &str, said: &[&str]| {
        (
            path.to_owned(),
            query.to_owned(),
            said.iter().map(|nth| format!("message {nth}")).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        sent,
        [
            sent_to("/in/a%20b/shop", "v=1&env=production", &["0", "2"]),
            sent_to("/in/a%20b/search", "v=1&env=none", &["1"]),
            sent_to("/in/a%20b/shop", "v=1&env=none", &["3"]),
        ]
    );
}

#[tokio::test]
async fn law_6_no_name_of_a_service_reaches_another_address() {
    let server = CaptureServer::start().await;
    let config = WebhookConfig::new(format!("{}/in/{{service}}/end", server.url()));
    let exporter = server::exporter(config);
    let names = [
        ".",
        "..",
        "../..",
        "a/../../b",
        "x?y#z",
        "//other",
        "\\\\other",
        "%2e%2e",
        "@other:1",
        "http://other",
    ];
    for name in NASTY_TEXTS.into_iter().chain(names) {
        let receipt = exporter.export(&logs([log_of(1, name, None)])).await.unwrap();
        let requests = server.take_requests();
        if name == "." || name == ".." {
            assert_eq!((receipt.rejected_count(), requests.len()), (1, 0));
            assert_eq!(receipt.rejected[0].kind, ErrorKind::Encode);
            continue;
        }
        assert_eq!((receipt.delivered, requests.len()), (1, 1), "{name:?}");
        let path = &requests[0].path;
        let parts: Vec<_> = path.split('/').collect();
        assert!(parts.len() == 4 && parts[1] == "in" && parts[3] == "end", "{name:?} made {path}");
        assert_eq!(requests[0].query, None);
    }
}

/// A client that is given a longer address fails before it sends, for which nobody but the record is to blame.
#[tokio::test]
async fn law_6_no_long_name_holds_up_the_others() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(WebhookConfig::new(format!("{}/in/{{service}}/{{host}}", server.url())));
    for (unit, times, sent) in [
        ("x", 1 << 10, true),
        ("x", 1_025, false),
        ("ä", 512, true),
        ("ä", 15_000, false),
        ("ä", 50_000, false),
    ] {
        let batch = logs([log_of(1, &unit.repeat(times), None), log_of(2, "shop", None)]);
        let receipt = exporter.export(&batch).await.unwrap();
        let requests = server.take_requests();
        assert_eq!((receipt.delivered, requests.len()), if sent { (2, 2) } else { (1, 1) }, "{times} {unit}");
        for rejection in &receipt.rejected {
            assert_eq!(rejection.kind, ErrorKind::Encode);
            assert!(
                rejection.reason.contains("1024") && rejection.reason.len() < 200,
                "{}",
                rejection.reason
            );
        }
    }
}

#[tokio::test]
async fn a_signal_has_an_address_of_its_own_or_is_not_taken() {
    let server = CaptureServer::start().await;
    let config = WebhookConfig::default()
        .with_endpoint_of(Signal::Logs, format!("{}/logs", server.url()))
        .with_endpoint_of(Signal::Scores, format!("{}/other/{{signal}}", server.url()));
    let exporter = server::exporter(config);
    assert_eq!(exporter.descriptor().signals(), Signals::NONE.with(Signal::Logs).with(Signal::Scores));
    for signal in Signal::ALL {
        let outcome = exporter.export(&fixtures::batch(signal)).await;
        let path = server.take_requests().first().map(|request| request.path.clone());
        match signal {
            Signal::Logs => assert_eq!(path.as_deref(), Some("/logs")),
            Signal::Scores => assert_eq!(path.as_deref(), Some("/other/scores")),
            _ => assert_eq!((outcome.unwrap_err().kind(), path), (ErrorKind::Unsupported, None)),
        }
    }
}

#[tokio::test]
async fn signals_narrow_what_is_taken() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(server::config(&server).with_signals([Signal::Traces]));
    assert_eq!(exporter.descriptor().signals(), Signals::NONE.with(Signal::Traces));
    let error = exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Unsupported, 0));
}

#[tokio::test]
async fn law_6_keys_in_addresses_are_shown_nowhere() {
    const KEY: &str = "T0ABC1234XYZ9876543210";
    for address in [
        "http://127.0.0.1:1/services/{key}",
        "http://127.0.0.1:1/in/{{service}}/{key}",
        "http://127.0.0.1:1/in/{{service}}?token={key}",
    ] {
        let address = address.replace("{key}", KEY).replace("{{", "{").replace("}}", "}");
        let exporter = WebhookExporter::new(WebhookConfig::new(address)).unwrap();
        let error = exporter.export(&logs([log_of(1, "shop", None)])).await.unwrap_err();
        let told = format!("{error} {error:#?} {exporter:?} {:?}", exporter.check().await);
        assert!(!told.contains(KEY), "{told}");
    }
}

#[test]
fn what_obs_http_refuses_is_refused_with_the_field_s_name() {
    let said = |config: WebhookConfig| WebhookExporter::new(config).unwrap_err().to_string();
    let secret = |address: &str| WebhookConfig::new(address).with_header("x-key", "hunter2hunter2");
    assert!(said(secret("http://api.example.com/in/{service}")).contains("plain http"));
    assert!(said(WebhookConfig::new("http://169.254.169.254/{signal}")).contains("link-local"));
    assert!(said(WebhookConfig::new("https://u:hunter2@h/{signal}")).contains("set `auth`"));
    let own = WebhookConfig::default().with_endpoint_of(Signal::Logs, "ftp://h/{signal}");
    assert!(said(own).starts_with("endpoints.logs: "));
    assert!(said(WebhookConfig::new("h.example.com/{sevice}")).contains("did you mean {service}?"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, other) = (CaptureServer::start().await, CaptureServer::start().await);
    let there = obs_testkit::Answer::status(307).with_header("location", &other.url());
    server.answer_always(there);
    let error = server::exporter(server::config(&server)).export(&server::many(1)).await.unwrap_err();
    assert_eq!((error.kind(), other.requests().len()), (ErrorKind::Config, 0));
    assert_eq!(error.undelivered(), &server::many(1));
    assert!(matches!(error.undelivered(), Batch::Logs(_)));
}
