//! When a span began and ended, whatever the source says of it.

use obs_core::{Batch, Span, SpanRecord, Timestamp};
use obs_testkit::fixtures::{at, span_id, trace_id};
use serde_json::{Value, json};

use crate::server::sent;

fn span(end: Option<Timestamp>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "step", at(0));
    span.end = end;
    span
}

async fn times(record: SpanRecord) -> (Value, Value) {
    let sent = sent(Batch::Traces(vec![record].into())).await;
    let metrics = &sent.row()["metrics"];
    (metrics["start"].clone(), metrics["end"].clone())
}

#[tokio::test]
async fn a_span_that_ended_has_an_end_that_is_not_before_its_start() {
    let start = json!(1_768_471_200.0);
    let before = Timestamp::from_nanos(at(0).as_nanos() - 5_000_000_000);
    for (end, wanted) in [
        (None, start.clone()),
        (Some(before), start.clone()),
        (Some(at(0)), start.clone()),
        (Some(at(500_000)), json!(1_768_471_200.5)),
    ] {
        assert_eq!(times(SpanRecord::Ended(span(end))).await, (start.clone(), wanted), "{end:?}");
    }
}

#[tokio::test]
async fn a_span_that_only_started_runs() {
    assert_eq!(times(SpanRecord::Started(span(None))).await, (json!(1_768_471_200.0), Value::Null));
}
