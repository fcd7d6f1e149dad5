//! The id of a request is a pure function of its records.

use obs_core::{Batch, Exporter, Signal};
use obs_testkit::{Answer, CaptureServer, fixtures};
use obs_webhook::{Format, Shape, Template, WebhookConfig};

use crate::server::{self, many, sent};

async fn ids(batch: &Batch, change: impl FnOnce(WebhookConfig) -> WebhookConfig) -> Vec<String> {
    let (requests, _) = sent(batch, |config| change(config).with_idempotency_header("Idempotency-Key")).await;
    requests.iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn law_5_another_process_and_another_form_of_body_have_the_same_id() {
    let batch = many(3);
    let wanted = ids(&batch, |config| config).await;
    assert_eq!(wanted, ["msg_aeec65373d32b4d9711696342d39f92c"]);
    for change in [
        |config: WebhookConfig| config.with_format(Format::Ndjson),
        |config: WebhookConfig| config.with_format(Format::Form).with_shape(Shape::Array),
        |config: WebhookConfig| config.with_template(Template::per_batch("{{ now }}")),
    ] {
        assert_eq!(ids(&batch, change).await, wanted);
    }
}

#[tokio::test]
async fn law_5_other_records_have_other_ids() {
    let batch = many(6);
    let mut found = ids(&batch, |config| config.with_shape(Shape::Record)).await;
    found.extend(ids(&batch, |config| config.with_max_items(2)).await);
    for signal in Signal::ALL {
        found.extend(ids(&fixtures::batch(signal), |config| config).await);
    }
    let count = found.len();
    found.sort();
    found.dedup();
    assert_eq!((count, found.len()), (6 + 3 + 5, count));
}

#[tokio::test]
async fn law_5_what_is_left_of_a_batch_is_sent_again_under_the_ids_that_it_had() {
    let server = CaptureServer::start().await;
    let config = server::config(&server).with_max_items(2).with_idempotency_header("Idempotency-Key");
    let exporter = server::exporter(config);
    server.answer([Answer::status(200), Answer::status(503)]);
    let error = exporter.export(&many(6)).await.unwrap_err();
    assert_eq!(error.undelivered().len(), 4);
    let id = |at: usize| server.requests()[at].header("idempotency-key").unwrap().to_owned();
    let (first, failed) = (id(0), id(1));
    exporter.export(error.undelivered()).await.unwrap();
    assert_eq!((id(2) == failed, id(3) == failed, id(3) == first), (true, false, false));
}

/// A receiver that knows an id already drops what comes under it.
#[tokio::test]
async fn law_5_equal_records_have_ids_of_their_own_and_keep_them() {
    let logs = |count| server::logs(std::iter::repeat_n(server::log_of(1, "shop", None), count));
    let server = CaptureServer::start().await;
    let config = server::config(&server).with_shape(Shape::Record).with_idempotency_header("Idempotency-Key");
    let exporter = server::exporter(config);
    server.answer([Answer::status(200), Answer::status(503)]);
    let error = exporter.export(&logs(3)).await.unwrap_err();
    assert_eq!(error.undelivered().len(), 2);
    exporter.export(error.undelivered()).await.unwrap();
    let sent = server.take_requests();
    let id = |at: usize| sent[at].header("idempotency-key").unwrap();
    assert_eq!((sent.len(), id(1)), (4, id(2)), "the second keeps its id");
    assert!(id(0) != id(1) && id(0) != id(3) && id(1) != id(3));
    let mut apart = logs(1);
    if let (Batch::Logs(one), Batch::Logs(other)) = (&mut apart, logs(1)) {
        one.append(other);
    }
    exporter.export(&apart).await.unwrap();
    let sent = server.take_requests();
    assert_ne!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"), "of two segments");
}

#[tokio::test]
async fn nothing_has_an_id_where_nobody_asked_for_one() {
    let (requests, _) = sent(&many(1), |config| config).await;
    assert!(requests[0].headers.iter().all(|(_, value)| !value.starts_with("msg_")));
}
