//! Functions of the application's that make bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use obs_core::{Batch, ErrorKind};
use obs_webhook::{Format, Shape, WebhookPayload};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{log_of, logs, many, sent};

/// The messages of a batch of logs.
fn said(batch: &Batch) -> Vec<String> {
    let Batch::Logs(logs) = batch else { unreachable!() };
    logs.iter().map(|log| log.message.to_string()).collect()
}

#[tokio::test]
async fn a_function_makes_the_body_of_each_request() {
    let (requests, receipt) = sent(&many(5), |config| {
        config.with_max_items(2).with_payload_transformer(|batch| {
            Ok(WebhookPayload::json(&json!({"n": batch.len(), "said": said(batch)}))?)
        })
    })
    .await;
    assert_eq!((requests.len(), receipt.delivered), (3, 5));
    assert_eq!(requests[2].json().unwrap(), json!({"n": 1, "said": ["message 4"]}));
}

#[tokio::test]
async fn what_it_fails_for_is_refused_and_sinks_nobody() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let batch = logs([log_of(1, "a", None), log_of(2, "bad", None), log_of(3, "a", None)]);
    let (requests, receipt) = sent(&batch, |config| {
        config.with_payload_transformer(move |batch| {
            seen.fetch_add(1, Ordering::Relaxed);
            if said(batch).iter().any(|said| said == "message 2") {
                return Err("two is unlucky".into());
            }
            Ok(WebhookPayload::json(&said(batch))?)
        })
    })
    .await;
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
    assert_eq!(requests[0].json().unwrap(), json!(["message 1", "message 3"]));
    assert_eq!(receipt.rejected[0].kind, ErrorKind::Encode);
    assert_eq!(&*receipt.rejected[0].reason, "the function failed: two is unlucky");
    assert_eq!(calls.load(Ordering::Relaxed), 5, "together, each alone, and the good ones");
}

#[tokio::test]
async fn a_type_that_is_no_header_costs_its_record_and_no_other() {
    for bad in ["text/x\n", "", "text/ä"] {
        let (requests, receipt) = sent(&many(4), |config| {
            config.with_shape(Shape::Record).with_payload_transformer(move |batch| {
                let said = said(batch);
                let given = if said == ["message 1"] { bad } else { "text/plain" };
                Ok(WebhookPayload::new(said.concat()).with_content_type(given))
            })
        })
        .await;
        assert_eq!((receipt.delivered, receipt.rejected_count(), requests.len()), (3, 1, 3), "{bad:?}");
        assert_eq!(receipt.rejected[0].kind, ErrorKind::Encode);
        assert!(receipt.rejected[0].reason.contains("content_type"), "{}", receipt.rejected[0].reason);
    }
}

#[tokio::test]
async fn records_that_only_fail_together_are_tried_alone_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let (requests, receipt) = sent(&many(64), |config| {
        config.with_payload_transformer(move |batch| {
            seen.fetch_add(1, Ordering::Relaxed);
            if batch.len() > 1 {
                Err("one at a time".into())
            } else {
                Ok(WebhookPayload::json(&said(batch))?)
            }
        })
    })
    .await;
    assert_eq!((requests.len(), receipt.delivered), (64, 64));
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls <= 3 * 64, "{calls} calls for 64 records");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever fails, alone or together, every record is delivered once or refused once, in its order.
    #[test]
    fn law_1_accounting_holds_whatever_a_function_fails_for(
        bad in proptest::collection::vec(any::<bool>(), 0..40),
        together in 1_usize..12,
        max_items in 1_usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fails = bad.clone();
        let (requests, receipt) = runtime.block_on(sent(&many(bad.len() as u64), |config| {
            config.with_max_items(max_items).with_payload_transformer(move |batch| {
                let said = said(batch);
                let is_bad = |said: &String| fails[said["message ".len()..].parse::<usize>().unwrap()];
                if said.len() > together || said.iter().any(is_bad) {
                    return Err("it fails".into());
                }
                Ok(WebhookPayload::json(&said)?)
            })
        }));
        let sent: Vec<Value> =
            requests.iter().flat_map(|request| request.json().unwrap().as_array().unwrap().clone()).collect();
        let good = (0..bad.len()).filter(|at| !bad[*at]);
        let wanted: Vec<Value> = good.map(|at| format!("message {at}").into()).collect();
        prop_assert_eq!(&sent, &wanted);
        prop_assert_eq!((receipt.delivered, receipt.rejected_count()), (wanted.len(), bad.len() - wanted.len()));
    }
}

#[tokio::test]
async fn another_type_is_sent_as_it_is_and_json_is_held_to_be_json() {
    let (requests, _) = sent(&many(1), |config| {
        config.with_payload_transformer(|_| {
            Ok(WebhookPayload::new([0xff, 0x00]).with_content_type("application/octet-stream"))
        })
    })
    .await;
    assert_eq!(requests[0].body, [0xff, 0x00]);
    assert_eq!(requests[0].header("content-type"), Some("application/octet-stream"));
    let (requests, receipt) =
        sent(&many(1), |config| config.with_payload_transformer(|_| Ok(WebhookPayload::new("{")))).await;
    assert!(requests.is_empty() && receipt.rejected[0].reason.contains("no JSON"));
}

#[tokio::test]
async fn a_form_holds_what_was_made() {
    let (requests, _) = sent(&many(1), |config| {
        config
            .with_format(Format::Form)
            .with_form_value("token", "t 1")
            .with_payload_transformer(|_| Ok(WebhookPayload::new("{\"a\": \"b&c\"}")))
    })
    .await;
    assert_eq!(requests[0].body, b"token=t+1&payload=%7B%22a%22%3A+%22b%26c%22%7D");
    assert_eq!(requests[0].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn with_one_record_a_request_it_sees_one() {
    let (requests, _) = sent(&many(3), |config| {
        config
            .with_shape(Shape::Record)
            .with_payload_transformer(|batch| Ok(WebhookPayload::json(&said(batch))?))
    })
    .await;
    let made: Vec<Value> = requests.iter().map(|request| request.json().unwrap()).collect();
    assert_eq!(made, [json!(["message 0"]), json!(["message 1"]), json!(["message 2"])]);
}
