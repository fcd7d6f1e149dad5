//! Defects of another library's scores and costs: none of them is to come back here.

use std::sync::Arc;
use std::time::Duration;

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{InputTokens, OutputTokens, TraceId, Usage};
use obs_instrument::Observability;
use obs_instrument::cost::Prices;
use obs_store::{StoreConfig, StoreExporter};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::collect::Bench;

/// There, judgements went to one default instance, whichever had recorded the trace.
#[test]
fn defect_scores_go_to_the_instance_that_was_asked_and_to_no_default() {
    let (first, second) = (Bench::new(), Bench::new());
    second.obs.trace(TraceId::new(7).unwrap()).score("quality", 1);
    second.obs.scores([second.obs.new_score(first.obs.span("s").target().unwrap(), "other", 1)]);
    assert_eq!(second.arrived().scores.len(), 2);
    assert_eq!(first.arrived().scores.len(), 0);
}

/// There, a score of a trace was sent to the row whose id is the trace's, which is no row.
#[test]
fn defect_19_a_score_of_a_trace_lands_on_the_row_of_its_root() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(CaptureServer::start());
    server.answer_with(|request| {
        let project =
            request.path.ends_with("project").then(|| json!({"id": "7f1ad2a8-2c2f-4d6c-9b8e-5f7f6a1c0d11"}));
        Some(Answer::json(
            &project.unwrap_or_else(|| json!({"status": "success", "row_ids": [], "objects": []})),
        ))
    });
    let config = || BraintrustConfig::new("sk-planted").with_project("support").with_endpoint(server.url());
    let folder = tempfile::tempdir().unwrap();
    let store = StoreExporter::new(StoreConfig::new(folder.path().join("obs.db"))).unwrap();
    let reader = Arc::new(store.reader());
    let recorder = Observability::builder("recorder").to(store).build().unwrap();
    let root = recorder.agent_run("root");
    let (trace_id, root_id) = (root.trace_id().unwrap(), root.span_id().unwrap());
    root.end();
    assert!(recorder.flush(Duration::from_secs(20)).complete);
    let judge = Observability::builder("judge")
        .to(BraintrustExporter::new(config()).unwrap())
        .reader(reader)
        .build()
        .unwrap();
    judge.trace(trace_id).score("quality", 1);
    assert!(judge.flush(Duration::from_secs(20)).complete);
    let rows: Vec<serde_json::Value> = server
        .requests()
        .iter()
        .filter(|request| request.path.ends_with("feedback"))
        .filter_map(|request| Some(request.json()?["feedback"][0].clone()))
        .collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["id"], root_id.to_string());
    assert_ne!(rows[0]["id"], trace_id.to_string());
}

/// There, a judgement that came with a context of its own had nothing of the trace's metadata.
#[test]
fn defect_judgements_have_the_metadata_of_what_they_judge() {
    let bench = Bench::new();
    let mut root = bench.obs.agent_run("root");
    root.trace(|trace| {
        trace.organization_id = Some("acme".into());
        trace.metadata.push("tier", "gold");
    });
    root.score("live", 1);
    root.score_trace("whole", 1);
    root.feedback("thumbs", true);
    root.end();
    let arrived = bench.arrived();
    let contexts = arrived.scores.iter().map(|score| &score.context);
    for context in contexts.chain(arrived.feedback.iter().map(|feedback| &feedback.context)) {
        assert_eq!(context.organization_id.as_deref(), Some("acme"));
        assert_eq!(context.metadata.get("tier").and_then(|tier| tier.as_str()), Some("gold"));
    }
    assert_eq!(arrived.scores[0].target.root_span_id(), Some(arrived.span("root").span_id));
}

/// There, a row under the answering model's dated name, with half the price and none for cached input, was taken first.
#[test]
fn defect_cost_a_dated_row_never_hides_its_base() {
    let table = |dated: &str| {
        let rows = r#"{"provider": "openai", "model": "gpt-4o-mini", "prices": {"input": 0.15, "output": 0.6, "cache_read": 0.075}}"#;
        Prices::from_json(&format!(r#"{{"version": 1, "models": [{rows}, {dated}]}}"#))
    };
    let batch = r#"{"provider": "openai", "model": "gpt-4o-mini-2024-07-18", "prices": {"input": 0.075, "output": 0.3}}"#;
    let error = table(batch).unwrap_err().to_string();
    assert!(error.contains("`gpt-4o-mini-2024-07-18` lacks `cache_read`"), "{error}");
    let whole = r#"{"provider": "openai", "model": "gpt-4o-mini-2024-07-18", "prices": {"input": 0.2, "output": 0.8, "cache_read": 0.1}}"#;
    let found = table(whole).unwrap().find(Some("openai"), "gpt-4o-mini-2024-07-18").cloned().unwrap();
    assert_eq!(found.prices.input, 0.2, "a row that has every price is its own");
}

/// There, cached and reasoning tokens that had no price of their own counted nothing: a fifth of the true amount.
#[test]
fn defect_cost_what_has_no_price_of_its_own_is_not_free() {
    let bench = Bench::new();
    let mut call = bench.obs.llm_generation("call");
    call.provider("openai").model("gpt-4o").response("gpt-4o-mini-2024-07-18", "r-1");
    call.usage(Usage {
        input_details: InputTokens { cache_read: 1024, ..InputTokens::default() },
        output_details: OutputTokens { reasoning: 20, ..OutputTokens::default() },
        ..Usage::new(1200, 80)
    });
    call.end();
    let arrived = bench.arrived();
    let cost = arrived.span("call").span_type.cost().unwrap();
    assert!(
        (cost.input.unwrap() - 1.032e-4).abs() < 1e-9 && (cost.output.unwrap() - 4.8e-5).abs() < 1e-9,
        "{cost:?}"
    );
}
