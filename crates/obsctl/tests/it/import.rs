//! `obsctl import`.

use std::path::Path;

use obs_core::{Record, Signal, SpanRecord};
use serde_json::json;

use crate::program::{data, obsctl, records, stored};

#[test]
fn spans_and_logs_reach_both_files_whatever_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["import", &data("agent-otlp.jsonl"), &data("single-otlp.json"), "--out", "new/out", "--json"];
    let counts = obsctl(folder.path(), &args).ended(0).json();
    assert_eq!((&counts["spans"], &counts["logs"], &counts["refused"]), (&json!(4), &json!(1), &json!([])));
    let out = folder.path().join("new/out");
    let store = out.join("obs.db");
    assert_eq!((stored(&store, Signal::Traces), stored(&store, Signal::Logs)), (4, 1));
    let records = records(&out.join("telemetry.jsonl"));
    assert_eq!(records.len(), 5);
    let depth = |name: &str| {
        let span = records.iter().find_map(|record| match record {
            Record::Span(SpanRecord::Ended(span)) if span.name.as_str() == name => Some(span),
            _ => None,
        });
        span.unwrap_or_else(|| panic!("{name} is missing")).ancestors().count()
    };
    assert_eq!(depth("invoke_agent shopper"), 0);
    assert_eq!(depth("execute_tool price_of"), 1, "the path is built though the parent comes last");
}

#[test]
fn the_list_shows_models_tokens_and_errors() {
    let folder = tempfile::tempdir().unwrap();
    obsctl(folder.path(), &["import", &data("agent-otlp.jsonl")]).ended(0);
    let list =
        obsctl(folder.path(), &["traces", "list", "--db", "obs-import/obs.db", "--json"]).ended(0).json();
    let trace = &list[0];
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(trace["models"], json!(["small-1"]));
    assert_eq!((&trace["usage"]["input"], &trace["usage"]["output"]), (&json!(120), &json!(30)));
    assert_eq!((&trace["spans"], &trace["errors"]), (&json!(3), &json!(1)));
    let table = obsctl(folder.path(), &["traces", "list", "--db", "obs-import/obs.db"]).ended(0).stdout;
    assert!(table.contains("small-1") && table.contains("120/30") && table.contains("1 failed"), "{table}");
}

#[test]
fn costs_are_estimated_by_prices_that_are_named_and_not_without() {
    let folder = tempfile::tempdir().unwrap();
    let prices = json!({"version": 1, "models": [
        {"provider": "openai", "model": "small-1", "prices": {"input": 100, "output": 200}},
    ]});
    std::fs::write(folder.path().join("prices.json"), prices.to_string()).unwrap();
    let list = |args: &[&str]| {
        let data = data("agent-otlp.jsonl");
        let import = [&["import", data.as_str()], args].concat();
        obsctl(folder.path(), &import).ended(0);
        obsctl(folder.path(), &["traces", "list", "--db", args[1]]).ended(0).stdout
    };
    let plain = list(&["--out", "plain"]);
    assert!(plain.contains("COST") && !plain.contains('$'), "{plain}");
    let priced = list(&["--out", "priced", "--prices", "prices.json"]);
    assert!(priced.contains(" $0.018 "), "120 tokens at 100 and 30 at 200 a million: {priced}");
    let import = ["import", &data("agent-otlp.jsonl"), "--prices", "none.json"];
    assert!(obsctl(folder.path(), &import).ended(1).stderr.contains("none.json"));
}

#[test]
fn a_bad_line_is_named_counted_and_does_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let broken = data("broken-otlp.jsonl");
    let ran = obsctl(folder.path(), &["import", &broken, "--json"]).ended(3);
    assert!(ran.stderr.contains(&format!("{broken}:2:")), "{}", ran.stderr);
    let counts = ran.json();
    assert_eq!(counts["spans"], json!(2));
    assert_eq!(counts["refused"].as_array().map(Vec::len), Some(1));
    assert_eq!(stored(&folder.path().join("obs-import/obs.db"), Signal::Traces), 2);
}

#[test]
fn a_missing_file_is_an_error_that_names_it_and_the_others_are_imported() {
    let folder = tempfile::tempdir().unwrap();
    let ran = obsctl(folder.path(), &["import", "gone.jsonl", &data("single-otlp.json")]).ended(3);
    assert!(ran.stderr.contains("gone.jsonl"), "{}", ran.stderr);
    let ran = obsctl(folder.path(), &["import", "gone.jsonl", "--out", "other"]).ended(1);
    assert!(ran.stderr.contains("gone.jsonl"), "{}", ran.stderr);
}

/// Real telemetry beside the checkout, where somebody has put it.
#[test]
fn real_telemetry_is_imported_whole() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let shared = beside.join("shared").join("data");
    let files = ["genai-otlp.jsonl", "mastra-agent-otlp.jsonl"].map(|name| shared.join(name));
    if !files.iter().all(|file| file.exists()) {
        eprintln!("skipped: no real telemetry in {}", shared.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [genai, mastra] = files.each_ref().map(|file| file.to_str().unwrap());
    let counts = obsctl(folder.path(), &["import", genai, mastra, "--json"]).ended(0).json();
    assert_eq!((&counts["spans"], &counts["logs"]), (&json!(227), &json!(5)));
    let list = ["traces", "list", "--db", "obs-import", "--json", "--limit", "1000"];
    let list = obsctl(folder.path(), &list).ended(0).json();
    let spans: u64 = list.as_array().unwrap().iter().filter_map(|trace| trace["spans"].as_u64()).sum();
    assert_eq!(spans, 227);

    obsctl(folder.path(), &["import", mastra, "--out", "mastra"]).ended(0);
    let list = obsctl(folder.path(), &["traces", "list", "--db", "mastra", "--json"]).ended(0).json();
    let traces: Vec<_> =
        list.as_array().unwrap().iter().map(|trace| (&trace["spans"], &trace["errors"])).collect();
    assert_eq!(traces, [(&json!(3), &json!(0)), (&json!(9), &json!(1))], "a workflow and an agent run");
    let id = list[1]["trace_id"].as_str().unwrap();
    let trace = obsctl(folder.path(), &["traces", "show", id, "--db", "mastra", "--json"]).ended(0).json();
    let roots = trace["spans"].as_array().unwrap().iter().filter(|span| span["parent_span_id"].is_null());
    assert_eq!(roots.count(), 1, "one whole tree");
    let failed = trace["spans"].as_array().unwrap().iter().find(|span| !span["error"].is_null()).unwrap();
    let logs = trace["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 5);
    assert!(
        logs.iter().all(|log| log["span"]["span_id"] == failed["span_id"]),
        "under the failing tool call"
    );
}
