//! Every id is a function of the record, so that what comes late, twice or from elsewhere lands where it belongs.

use obs_core::{
    Batch, Exporter, Feedback, Score, ScoreValue, Signal, Span, SpanId, SpanRecord, SpanRef, Target, TraceId,
};
use obs_langfuse::{Ingestion, LangfuseConfig, LangfuseExporter};
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};

use crate::support::Bench;

fn span(id: SpanId, parent: Option<SpanId>) -> Span {
    let mut span = Span::new(trace_id(1), id, "work", at(0));
    (span.end, span.parent_span_id) = (Some(at(0)), parent);
    span
}

fn traces(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

#[tokio::test]
async fn law_5_ids_are_hex_in_lower_case_for_spans_and_scores_alike() {
    let trace: TraceId = "DA8E78131D7A9924039C74C39A01E0A1".parse().unwrap();
    let observation: SpanId = "BB0D8046CC730839".parse().unwrap();
    let bench = Bench::start().await;
    let mut span = span(observation, None);
    span.trace_id = trace;
    let seen = bench.observations(&traces([span])).await;
    assert_eq!(seen[0].trace_id.to_bytes()[..2], [0xda, 0x8e]);
    let target = Target::Span { trace_id: trace, span_id: observation, root_span_id: None };
    let score = Score::new(uuid(1), at(0), target, "s", 1);
    let bodies = bench.bodies(&Batch::Scores([score].into_iter().collect())).await;
    assert_eq!(bodies[0]["traceId"], "da8e78131d7a9924039c74c39a01e0a1");
    assert_eq!(bodies[0]["observationId"], "bb0d8046cc730839");
}

#[tokio::test]
async fn a_root_has_no_parent_and_an_orphan_keeps_its_own() {
    let own = span(span_id(4), Some(span_id(4)));
    let batch = traces([span(span_id(1), None), span(span_id(2), Some(span_id(9_999))), own]);
    let seen = Bench::start().await.observations(&batch).await;
    let parents: Vec<_> = seen.iter().map(|seen| &*seen.parent).collect();
    assert_eq!(parents, [&[][..], &span_id(9_999).to_bytes(), &[]]);
    assert!(seen.iter().all(|seen| !seen.has("langfuse.internal.is_app_root")));
}

#[tokio::test]
async fn the_topmost_span_under_another_process_is_the_applications_root() {
    let mut remote = span(span_id(1), Some(span_id(8)));
    remote.remote_parent = true;
    let seen = Bench::start().await.observations(&traces([remote, span(span_id(2), Some(span_id(1)))])).await;
    assert_eq!(seen[0].attributes["langfuse.internal.is_app_root"], true);
    assert!(!seen[1].has("langfuse.internal.is_app_root"));
    assert_eq!(seen[0].parent, span_id(8).to_bytes());
}

#[tokio::test]
async fn order_and_requests_do_not_matter() {
    let (parent, child) = (span(span_id(1), None), span(span_id(2), Some(span_id(1))));
    let bench = Bench::start().await;
    let together = bench.observations(&traces([parent.clone(), child.clone()])).await;
    let mut apart = bench.observations(&traces([child])).await;
    apart.extend(bench.observations(&traces([parent])).await);
    for (a, b) in together.iter().zip(apart.iter().rev()) {
        assert_eq!((a.span_id, &a.parent, &a.attributes), (b.span_id, &b.parent, &b.attributes));
    }
}

#[tokio::test]
async fn a_span_that_takes_no_time_starts_and_ends_in_one_tick() {
    let seen = Bench::start().await.observations(&traces([span(span_id(1), None)])).await;
    assert_eq!((seen[0].start, seen[0].end), (at(0).as_nanos(), at(0).as_nanos()));
}

#[tokio::test]
async fn a_span_that_only_began_is_refused_and_one_without_an_end_says_so() {
    let mut running = span(span_id(1), None);
    running.end = None;
    let bench = Bench::start().await;
    let started = Batch::Traces([SpanRecord::Started(running.clone())].into_iter().collect());
    let receipt = bench.export(&started).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1));
    assert!(bench.server.take_requests().is_empty());
    let seen = bench.observations(&traces([running])).await;
    assert_eq!((seen[0].end, seen[0].metadata("endTime")), (seen[0].start, &"unknown".into()));
}

/// Encodes everything in exporters that know nothing of each other, and what a queue on disk gives back, too.
#[test]
fn law_5_another_process_and_a_restart_send_the_same_bytes() {
    for ingestion in [Ingestion::Otlp, Ingestion::Legacy] {
        let exporter = || {
            let config = LangfuseConfig::new("pk-lf-1", "sk-lf-1").with_ingestion(ingestion);
            LangfuseExporter::new(config).unwrap()
        };
        let nasty = Signal::ALL.map(|signal| (fixtures::nasty(signal), true));
        let plain = Signal::ALL.map(fixtures::batch).into_iter().chain(fixtures::trace_batches());
        for (batch, is_nasty) in plain.map(|batch| (batch, false)).chain(nasty) {
            let first = exporter().encode(&batch);
            assert_eq!(first.is_empty(), batch.signal() == Signal::Metrics, "{}", batch.signal());
            assert!(exporter().encode(&batch) == first, "{}", batch.signal());
            // Of the nasty ones some come back from disk as something else, such as numbers that are none.
            if !is_nasty {
                assert!(exporter().encode(&through_json(&batch)) == first, "{} from disk", batch.signal());
            }
        }
    }
}

fn through_json(batch: &Batch) -> Batch {
    fn read<T: serde::Serialize + serde::de::DeserializeOwned>(
        records: &obs_core::Records<T>,
    ) -> obs_core::Records<T> {
        let again = |record: &T| serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap();
        records.iter().map(again).collect()
    }
    match batch {
        Batch::Traces(records) => Batch::Traces(read(records)),
        Batch::Metrics(records) => Batch::Metrics(read(records)),
        Batch::Logs(records) => Batch::Logs(read(records)),
        Batch::Scores(records) => Batch::Scores(read(records)),
        Batch::Feedback(records) => Batch::Feedback(read(records)),
    }
}

#[tokio::test]
async fn a_judgement_from_another_process_needs_no_more_than_the_ids() {
    let trace = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let bench = Bench::start().await;
    let score = Score::new(uuid(1), at(0), trace.clone(), "s", ScoreValue::numeric(1.0));
    let liked = Feedback::new(uuid(2), at(0), trace, "thumbs", true);
    for batch in
        [Batch::Scores([score].into_iter().collect()), Batch::Feedback([liked].into_iter().collect())]
    {
        let first = bench.bodies(&batch).await;
        assert_eq!(first[0]["traceId"], trace_id(1).to_string());
        assert_eq!(bench.bodies(&batch).await, first);
    }
}

#[tokio::test]
async fn logs_that_say_the_same_are_told_apart_and_keep_their_ids() {
    let mut log = obs_core::Log::new(at(0), obs_core::Level::Info, "again");
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(1)) });
    let batch = Batch::Logs([log.clone(), log].into_iter().collect());
    let bench = Bench::start().await;
    let ids = |seen: Vec<crate::support::Seen>| seen.iter().map(|seen| seen.span_id).collect::<Vec<_>>();
    let first = ids(bench.observations(&batch).await);
    assert_ne!(first[0], first[1]);
    assert_eq!(ids(bench.observations(&batch).await), first);
}

#[test]
fn the_address_of_a_trace_is_below_the_base() {
    let url = |config: LangfuseConfig| LangfuseExporter::new(config).unwrap().trace_url(trace_id(1)).unwrap();
    let config = || LangfuseConfig::new("pk-lf-1", "sk-lf-1");
    let trace = trace_id(1);
    assert_eq!(url(config()), format!("https://cloud.langfuse.com/trace/{trace}"));
    assert_eq!(
        url(config().with_region(obs_langfuse::Region::Jp)),
        format!("https://jp.cloud.langfuse.com/trace/{trace}")
    );
    assert_eq!(
        url(config().with_endpoint("https://h.example/lf/")),
        format!("https://h.example/lf/trace/{trace}")
    );
    assert_eq!(obs_langfuse::DESCRIPTOR.kind(), LangfuseExporter::new(config()).unwrap().descriptor().kind());
}
