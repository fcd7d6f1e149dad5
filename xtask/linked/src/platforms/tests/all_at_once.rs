//! The fixtures through all exporters at once, and what a change on the wire is found as.

use obs_core::{Level, Log, Record, Score, Target};
use obs_testkit::Captured;
use obs_testkit::fixtures::{at, trace_id, uuid};

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
        Self::of(source::fixtures()).await
    }

    async fn of(source: Source) -> Self {
        let stages = servers::start().await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_place_is_counted_and_told_with_its_reason() {
    let mut source = source::fixtures();
    let score = |nth: u32, target: Target| Record::Score(Score::new(uuid(nth), at(0), target, "fit", 0.5));
    let unknown = Target::Trace { trace_id: trace_id(9), root_span_id: None };
    source.records.push(score(901, unknown));
    source.records.push(score(902, Target::Session { session_id: "session-42".into() }));
    source.records.push(Record::Log(Log::new(at(0), Level::Info, "alone")));
    let delivery = Delivery::of(source).await;
    let mut rows = Vec::new();
    for (at, (platform, requests)) in delivery.sent.iter().enumerate() {
        let judged = delivery.judge(at, requests);
        assert_eq!(judged.faults, Vec::<String>::new(), "{}", platform.name());
        rows.push(("fixtures", platform.name(), judged.figures));
    }
    insta::assert_snapshot!(without_sizes(&figures::table(&rows)));
}

/// The table without its last columns, which change with every field that an exporter sends.
fn without_sizes(table: &str) -> String {
    let column = table.lines().next().and_then(|head| head.find("requests")).unwrap();
    let short = |line: &str| match line.char_indices().nth(column) {
        Some((at, _)) if !line.contains(" to ") => line[..at].trim_end().to_owned(),
        _ => line.to_owned(),
    };
    table.lines().map(short).collect::<Vec<_>>().join("\n")
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
