//! The fixtures through all exporters at once, and what a change on the wire is found as.

use obs_testkit::Captured;

use super::*;
use crate::platforms::judge::Judged;

/// One delivery of the fixtures to all platforms, with what each was sent.
struct Delivery {
    source: Source,
    report: Report,
    sent: Vec<(&'static dyn crate::platform::Platform, Vec<Captured>)>,
}

impl Delivery {
    async fn new() -> Self {
        let (source, stages) = (source::fixtures(), servers::start().await.unwrap());
        let report = deliver(&source, &stages).unwrap();
        let sent = stages.iter().map(|stage| (stage.platform, stage.server.requests())).collect();
        Self { source, report, sent }
    }

    fn judge(&self, at: usize, requests: &[Captured]) -> Judged {
        judge(self.sent[at].0, &self.source.records, requests, &self.report)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law_1_accounting_every_record_arrives_at_every_platform_and_a_loss_is_found() {
    let delivery = Delivery::new().await;
    for (at, (platform, requests)) in delivery.sent.iter().enumerate() {
        let name = platform.name();
        let judged = delivery.judge(at, requests);
        assert_eq!(judged.faults, Vec::<String>::new(), "{name}");
        for (gone, request) in requests.iter().enumerate() {
            let mut rest = requests.clone();
            rest.remove(gone);
            let asks = request.method == "GET" || request.path == "/v1/project";
            assert_eq!(delivery.judge(at, &rest).faults.is_empty(), asks, "{name}: {}", request.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_was_sent_is_found() {
    let delivery = Delivery::new().await;
    let changes = [
        ("langfuse", r#""output":90"#, r#""output":91"#, "output tokens in all"),
        ("langfuse", "search docs", "search logs", "name is \"search logs\""),
        ("braintrust", r#""completion_tokens":90"#, r#""completion_tokens":91"#, "output tokens in all"),
        ("braintrust", r#""type":"tool""#, r#""type":"task""#, "type is"),
        ("braintrust", r#"{"relevance":0.83}"#, r#"{"relevance":0.84}"#, "value is 0.84"),
        ("langsmith", r#""output_tokens":90"#, r#""output_tokens":91"#, "output tokens in all"),
        ("langsmith", r#""run_type":"tool""#, r#""run_type":"tols""#, "type is \"tols\""),
    ];
    for (name, from, to, said) in changes {
        let at = delivery.sent.iter().position(|(platform, _)| platform.name() == name).unwrap();
        let mut requests = delivery.sent[at].1.clone();
        for request in &mut requests {
            replace(&mut request.body, from.as_bytes(), to.as_bytes());
        }
        let faults = delivery.judge(at, &requests).faults.join("\n");
        assert!(faults.contains(said), "{said}: {faults}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_says_other_than_the_source_is_found() {
    let mut delivery = Delivery::new().await;
    let requests = delivery.sent[0].1.clone();
    delivery.source.records.pop();
    let faults = delivery.judge(0, &requests).faults.join("\n");
    assert!(
        faults.contains("feedback: 1 delivered, 0 refused and 0 waiting, of 0 that it takes"),
        "{faults}"
    );
}

/// Overwrites every occurrence by as many bytes.
fn replace(body: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    for at in 0..body.len().saturating_sub(from.len() - 1) {
        if body[at..].starts_with(from) {
            body[at..at + to.len()].copy_from_slice(to);
        }
    }
}
