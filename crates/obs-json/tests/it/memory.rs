//! Records in memory are found by what they are.

use obs_core::{Exporter, Level, Signal};
use obs_json::{JsonExporter, Lines, Memory};
use obs_testkit::fixtures;

async fn filled() -> Memory {
    let (exporter, memory) = JsonExporter::memory();
    for batch in Signal::ALL.map(fixtures::batch).into_iter().chain(fixtures::trace_batches()) {
        exporter.export(&batch).await.unwrap();
    }
    memory
}

#[tokio::test]
async fn every_question_finds_its_records_and_no_others() {
    let memory = filled().await;
    let all = fixtures::batch(Signal::Traces).len() - 1 + fixtures::trace().spans.len();
    assert_eq!(memory.spans().len(), all, "starts are no spans that ended");
    assert_eq!(memory.unfinished_spans().len(), 1);
    assert_eq!(memory.unfinished_spans()[0].name, "still running");
    assert_eq!(memory.spans_named("recall").len(), 1);
    assert!(memory.spans_of_type("tool_call").iter().all(|span| span.span_type.name() == "tool_call"));
    assert_eq!(memory.spans_of_type("tool_call").len(), 4);
    assert_eq!(memory.span(fixtures::span_id(7_700)).unwrap().name, "support request");
    assert_eq!(memory.span(fixtures::span_id(4_242)), None);
    assert_eq!(memory.trace_ids(), [fixtures::trace_id(1), fixtures::trace_id(77)]);
    assert_eq!(memory.logs_at(Level::Error).len(), 2);
    assert_eq!(memory.logs_where(|log| log.span.is_none()).len(), 1);
    assert_eq!(memory.metrics_named("requests").len(), 1);
    assert_eq!(memory.scores_named("resolved").len(), 1);
    assert_eq!(memory.feedback_of_kind("rating").len(), 6);
    assert_eq!(memory.metrics().len(), memory.len(Signal::Metrics));
    assert_eq!(memory.scores().len(), memory.len(Signal::Scores));
    assert_eq!(memory.feedback().len(), memory.len(Signal::Feedback));
    assert_eq!(memory.logs().len(), memory.len(Signal::Logs));
}

#[tokio::test]
async fn a_trace_is_found_whole() {
    let trace = filled().await.trace(fixtures::trace_id(77));
    assert_eq!(trace, fixtures::trace());
}

#[tokio::test]
async fn its_lines_are_those_of_a_file_and_clearing_forgets_them() {
    let memory = filled().await;
    let lines = memory.lines();
    let read: Vec<_> = Lines::new(lines.as_bytes(), "memory").map(Result::unwrap).collect();
    assert_eq!(read, memory.records());
    assert!(!memory.is_empty());
    memory.clear();
    assert!(memory.is_empty() && memory.lines().is_empty());
}
