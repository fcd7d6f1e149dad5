//! Ids: what joins events with spans and logs, whoever sends them.

use obs_core::{Batch, Level, Log, Score, Span, SpanRecord, SpanRef, Target};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};

use crate::otlp::{self, hex};
use crate::support::{Bench, events};

fn score() -> Batch {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: None };
    Batch::Scores(vec![Score::new(uuid(1), at(9), target, "relevance", 0.5)].into())
}

#[tokio::test]
async fn law_5_a_span_its_log_and_its_score_have_the_same_ids() {
    let bench = Bench::account().await;
    let span = Span::new(trace_id(1), span_id(3), "chat", at(1));
    let mut log = Log::new(at(2), Level::Info, "answered");
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(3)) });
    for batch in [Batch::Traces(vec![SpanRecord::Ended(span)].into()), Batch::Logs(vec![log].into()), score()]
    {
        bench.export(&batch).await.unwrap();
    }
    let requests = bench.server.take_requests();
    let (span, log) = (&otlp::spans(&requests[0])[0], &otlp::logs(&requests[1])[0]);
    let event = &events(&requests[2])[0];
    for name in ["trace.id", "trace_id"] {
        assert_eq!(event[name], hex(&span.trace_id));
        assert_eq!(event[name], hex(&log.trace_id));
    }
    for name in ["span.id", "span_id"] {
        assert_eq!(event[name], hex(&span.span_id));
        assert_eq!(event[name], hex(&log.span_id));
    }
}

#[tokio::test]
async fn law_5_a_score_is_the_same_event_in_every_process() {
    let (first, second) = (Bench::account().await, Bench::account().await);
    let made = first.exporter.encode(&score());
    assert_eq!(made, second.exporter.encode(&score()));
    assert_eq!(made, first.exporter.encode(&score()), "and when it is sent again");
}

#[tokio::test]
async fn a_judgement_outside_of_traces_has_no_made_up_ids() {
    let bench = Bench::account().await;
    let target = Target::Session { session_id: "s-1".into() };
    let events =
        bench.events(&Batch::Scores(vec![Score::new(uuid(1), at(9), target, "relevance", 0.5)].into())).await;
    assert!(!events[0].contains_key("trace.id") && !events[0].contains_key("span.id"));
    assert_eq!((&events[0]["target"], &events[0]["session.id"]), (&"session".into(), &"s-1".into()));
}
