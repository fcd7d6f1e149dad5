//! `obsctl demo`: a real run whose telemetry is checked in the files that it wrote.

use std::fs;
use std::path::Path;

use obs_core::{MetricValue, Record, Signal, Span, SpanType, Status};
use serde_json::json;

use crate::program::{ids, obsctl, records, stored_ids};

/// A small directory of documents about deliveries.
fn documents(folder: &Path) {
    let files = [
        (
            "docs/delivery.md",
            "# Delivery\n\nEach destination has a queue of its own.\nA destination that hangs stops its own thread and nothing else.\n\n## Loss\n\nA record that is lost is counted as dropped, with its reason.\n",
        ),
        (
            "docs/queue.md",
            "# Queue\n\nThe queue of a destination holds batches of records until they are delivered.\nA full queue drops the oldest record first.\n",
        ),
        ("docs/notes/cats.txt", "Cats sleep for most of the day.\n"),
    ];
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn spans(records: &[Record]) -> Vec<&Span> {
    let spans = records.iter().filter_map(|record| match record {
        Record::Span(span) => span.ended(),
        _ => None,
    });
    spans.collect()
}

fn count(spans: &[&Span], is: impl Fn(&SpanType) -> bool) -> usize {
    spans.iter().filter(|span| is(&span.span_type)).count()
}

#[test]
fn a_run_has_every_kind_of_step() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let shown = obsctl(folder.path(), &["demo"]).ended(0).stdout;
    let records = records(&folder.path().join("obs-demo/telemetry.jsonl"));
    let spans = spans(&records);

    assert!(count(&spans, |kind| matches!(kind, SpanType::WorkflowStep(_))) >= 12);
    for (what, wanted, found) in [
        ("workflow", 1, count(&spans, |kind| matches!(kind, SpanType::WorkflowRun(_)))),
        ("generation", 2, count(&spans, |kind| matches!(kind, SpanType::LlmGeneration(_)))),
        ("retrieval", 1, count(&spans, |kind| matches!(kind, SpanType::RagQuery(_)))),
        ("memory lookup", 1, count(&spans, |kind| matches!(kind, SpanType::MemoryLookup(_)))),
        ("memory update", 1, count(&spans, |kind| matches!(kind, SpanType::MemoryUpdate(_)))),
        ("evaluation", 1, count(&spans, |kind| matches!(kind, SpanType::EvalExecution(_)))),
    ] {
        assert_eq!(found, wanted, "{what}");
    }
    let tools: Vec<_> = spans.iter().filter(|span| matches!(span.span_type, SpanType::ToolCall(_))).collect();
    let failed: Vec<_> = tools.iter().filter(|span| span.status == Status::Error).collect();
    assert_eq!((tools.len(), failed.len()), (3, 1));
    assert!(failed[0].error.as_ref().is_some_and(|error| error.message.contains("notes.md")), "{failed:?}");
    let decisions = spans.iter().filter_map(|span| match &span.span_type {
        SpanType::AgentRun(run) => Some(&run.decisions),
        _ => None,
    });
    let decisions: Vec<_> = decisions.flatten().collect();
    assert!(!decisions.is_empty());
    assert!(decisions.iter().all(|made| made.reasoning.is_some() && !made.alternatives.is_empty()));

    for part in [
        "answer a question",
        "extractive-1",
        "word_count",
        "groundedness",
        "cannot read notes.md",
        "stops its own thread",
    ] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
}

#[test]
fn what_is_recorded_is_measured_and_belongs_together() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    obsctl(folder.path(), &["demo", "--feedback", "a fine answer"]).ended(0);
    let records = records(&folder.path().join("obs-demo/telemetry.jsonl"));
    let spans = spans(&records);
    let root = spans.iter().find(|span| span.is_root()).unwrap();
    assert!(spans.iter().all(|span| span.trace_id == root.trace_id), "one run is one trace");
    assert!(
        spans.iter().all(|span| span.end.is_some_and(|end| end >= span.start && end <= root.end.unwrap()))
    );
    for span in &spans {
        if let SpanType::LlmGeneration(call) = &span.span_type {
            assert!(call.usage.input > Some(0) && call.usage.output > Some(0), "{call:?}");
            assert!(
                call.time_to_first_token.is_some_and(|time| time <= span.duration().unwrap()),
                "{call:?}"
            );
        }
    }
    let metric = |name: &str| {
        let values = records.iter().filter_map(|record| match record {
            Record::Metric(metric) if metric.name.as_str() == name => Some(metric.value.clone()),
            _ => None,
        });
        values.collect::<Vec<_>>()
    };
    let files = metric("demo.files").len();
    assert_eq!(files, 3, "a count for each file");
    assert!(matches!(metric("demo.index.terms")[..], [MetricValue::Gauge(terms)] if terms > 20.0));
    assert!(matches!(metric("demo.passage.bytes")[0], MetricValue::Sample(bytes) if bytes > 10.0));
    for record in &records {
        match record {
            Record::Log(log) => assert!(log.span.is_some_and(|span| span.trace_id == root.trace_id)),
            Record::Score(score) => assert_eq!(score.target.trace_id(), Some(root.trace_id)),
            Record::Feedback(feedback) => {
                assert_eq!(feedback.target.root_span_id(), Some(root.span_id));
                assert_eq!(feedback.kind.as_str(), "comment");
            }
            Record::Span(_) | Record::Metric(_) => {}
        }
    }
}

#[test]
fn both_files_hold_all_five_signals_with_the_same_ids_and_a_second_run_adds_to_them() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let out = folder.path().join("out");
    let run = || {
        obsctl(folder.path(), &["demo", "--out", "out", "--feedback", "up"]).ended(0);
        let lines = ids(&records(&out.join("telemetry.jsonl")));
        assert_eq!(lines, stored_ids(&out.join("obs.db")));
        lines
    };
    let first = run();
    for signal in Signal::ALL {
        assert!(first.iter().any(|(of, _)| *of == signal), "{signal} is missing");
    }
    let second = run();
    assert!(first.iter().all(|id| second.contains(id)), "the second run takes nothing");
    for signal in Signal::ALL {
        let count = |ids: &[(Signal, String)]| ids.iter().filter(|(of, _)| *of == signal).count();
        assert!(count(&second) > count(&first), "the second run adds to {signal}");
    }
    let records = records(&out.join("telemetry.jsonl"));
    let recalled = spans(&records).into_iter().filter_map(|span| match &span.span_type {
        SpanType::MemoryLookup(lookup) => Some(lookup.results.len()),
        _ => None,
    });
    assert_eq!(recalled.collect::<Vec<_>>(), [0, 1], "the second run remembers the first");
}

#[test]
fn the_json_is_one_document_with_the_answer_and_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let args = ["demo", "docs", "--question", "What does a full queue drop?", "--json"];
    let document = obsctl(folder.path(), &args).ended(0).json();
    assert!(document["answer"].as_str().unwrap().contains("drops the oldest record first"), "{document}");
    assert_eq!(document["groundedness"], json!(1.0));
    let shown = ["traces", "show", document["trace_id"].as_str().unwrap(), "--json"];
    assert_eq!(obsctl(folder.path(), &shown).ended(0).json(), document["trace"]);
}

#[test]
fn without_docs_the_current_directory_is_read_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("readme.md"), "# Parts\n\nThe main parts are a queue and a ledger.\n")
        .unwrap();
    let ran = obsctl(folder.path(), &["demo"]).ended(0);
    assert!(ran.stderr.contains("no ./docs here"), "{}", ran.stderr);
    assert!(ran.stdout.contains("The main parts are a queue and a ledger."), "{}", ran.stdout);
}

#[test]
fn a_run_that_fails_is_recorded_shown_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let ran = obsctl(folder.path(), &["demo", "empty"]).ended(1);
    assert!(ran.stderr.contains("holds no .md, .txt or .rs files"), "{}", ran.stderr);
    let list = obsctl(folder.path(), &["traces", "list", "--json"]).ended(0).json();
    assert_eq!(list[0]["status"], json!("error"));
    let unreachable = ["demo", "empty", "--base-url", "nonsense", "--model", "m"];
    assert!(obsctl(folder.path(), &unreachable).ended(1).stderr.contains("--base-url"));
    assert!(obsctl(folder.path(), &["demo", "gone"]).ended(1).stderr.contains("gone is not a directory"));
}
