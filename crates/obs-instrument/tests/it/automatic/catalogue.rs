//! The catalogue: each metric with its name, kind and labels, from a run, once.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use obs_core::{Cost, InputTokens, ScoreValue, Usage};
use obs_instrument::{AUTOMATIC_METRICS, AutomaticMetric, AutomaticMetrics, GEN_AI_METRICS, Observability};

use super::{line, lines, number};
use crate::collect::{Arrived, Bench};

/// The catalogue that the metrics come from, written by hand: name, kind, labels.
const GIVEN: &[(&str, &str, &str)] = &[
    ("mastra_agent_runs_started", "counter", "agent, env, service"),
    ("mastra_agent_runs_ended", "counter", "agent, status, env, service"),
    ("mastra_agent_duration_ms", "histogram", "agent, status, env, service"),
    ("mastra_model_requests_started", "counter", "model, provider, agent"),
    ("mastra_model_requests_ended", "counter", "model, provider, agent, status"),
    ("mastra_model_duration_ms", "histogram", "model, provider, agent"),
    ("mastra_model_input_tokens", "counter", "model, provider, agent"),
    ("mastra_model_output_tokens", "counter", "model, provider, agent"),
    ("mastra_model_cache_read_tokens", "counter", "model, provider, agent"),
    ("mastra_model_cache_write_tokens", "counter", "model, provider, agent"),
    ("mastra_tool_calls_started", "counter", "tool, agent, env"),
    ("mastra_tool_calls_ended", "counter", "tool, agent, status, env"),
    ("mastra_tool_duration_ms", "histogram", "tool, agent, env"),
    ("mastra_workflow_runs_started", "counter", "workflow, env"),
    ("mastra_workflow_runs_ended", "counter", "workflow, status, env"),
    ("mastra_workflow_duration_ms", "histogram", "workflow, status, env"),
    ("mastra_scores_total", "counter", "scorer, entity_type, experiment"),
    ("mastra_feedback_total", "counter", "feedback_type, source, entity_type, experiment"),
];

/// What obs adds to it.
const ADDED: &[(&str, &str, &str)] = &[
    ("mastra_model_time_to_first_token_ms", "histogram", "model, provider, agent"),
    ("mastra_model_cost", "counter", "model, provider, agent, currency"),
    ("mastra_errors_total", "counter", "error_type, span_type, agent, env"),
];

/// What arrives from [`run`]: each line once.
const ARRIVES: &[&str] = &[
    "mastra_agent_duration_ms histogram agent=Ada status=ok env=test service=test",
    "mastra_agent_runs_ended counter agent=Ada status=ok env=test service=test",
    "mastra_agent_runs_started counter agent=Ada env=test service=test",
    "mastra_errors_total counter error_type=timeout span_type=mcp_tool_call agent=Ada env=test",
    "mastra_feedback_total counter feedback_type=thumbs source=app entity_type=agent experiment=e-1",
    "mastra_model_cache_read_tokens counter model=gpt-4o provider=openai agent=Ada",
    "mastra_model_cache_write_tokens counter model=gpt-4o provider=openai agent=Ada",
    "mastra_model_cost counter model=gpt-4o provider=openai agent=Ada currency=USD",
    "mastra_model_duration_ms histogram model=gpt-4o provider=openai agent=Ada",
    "mastra_model_input_tokens counter model=gpt-4o provider=openai agent=Ada",
    "mastra_model_output_tokens counter model=gpt-4o provider=openai agent=Ada",
    "mastra_model_requests_ended counter model=gpt-4o provider=openai agent=Ada status=ok",
    "mastra_model_requests_started counter model=gpt-4o provider=openai agent=Ada",
    "mastra_model_time_to_first_token_ms histogram model=gpt-4o provider=openai agent=Ada",
    "mastra_scores_total counter scorer=judge entity_type=agent experiment=e-1",
    "mastra_tool_calls_ended counter tool=files agent=Ada status=error env=test",
    "mastra_tool_calls_ended counter tool=search agent=Ada status=ok env=test",
    "mastra_tool_calls_started counter tool=files agent=Ada env=test",
    "mastra_tool_calls_started counter tool=search agent=Ada env=test",
    "mastra_tool_duration_ms histogram tool=files agent=Ada env=test",
    "mastra_tool_duration_ms histogram tool=search agent=Ada env=test",
    "mastra_workflow_duration_ms histogram workflow=triage status=ok env=test",
    "mastra_workflow_runs_ended counter workflow=triage status=ok env=test",
    "mastra_workflow_runs_started counter workflow=triage env=test",
];

#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server took too long")
    }
}

/// A workflow with an agent that calls a model and two tools, one of which fails, and that is judged.
fn run(obs: &Observability) {
    let mut workflow = obs.workflow_run("a run");
    workflow.fields(|run| run.workflow_id = Some("triage".into()));
    workflow.trace(|trace| trace.experiment_id = Some("e-1".into()));
    let in_workflow = workflow.enter();
    let mut agent = obs.agent_run("answer");
    agent.agent("Ada");
    let in_agent = agent.enter();
    let mut call = obs.llm_generation("chat");
    let input_details = InputTokens { cache_read: 20, cache_write_5m: 10, ..InputTokens::default() };
    let cost = Cost { input: Some(0.2), output: Some(0.3), ..Cost::usd(0.5) };
    call.model("gpt-4o").provider("openai").first_token().cost(cost);
    call.usage(Usage { input_details, ..Usage::new(100, 50) });
    call.score("relevance", ScoreValue::ratio(0.75)).scorer("judge", None);
    call.feedback("thumbs", true).source("app");
    call.end();
    obs.tool_call("search").end();
    let mut files = obs.mcp_tool_call("files");
    files.fail_with(|| obs_core::ErrorInfo {
        error_type: Some("timeout".into()),
        ..obs_core::ErrorInfo::message(Failed.to_string())
    });
    files.end();
    drop(in_agent);
    agent.end();
    drop(in_workflow);
    workflow.end();
}

fn after_run(automatic: AutomaticMetrics) -> Arrived {
    let bench = Bench::with(|builder| builder.environment("test").automatic_metrics(automatic));
    run(&bench.obs);
    bench.arrived()
}

#[test]
fn the_catalogue_is_the_given_one_and_what_is_added() {
    let known = AUTOMATIC_METRICS.map(|metric| (metric.name, metric.kind, metric.labels.join(", ")));
    let known: BTreeSet<_> = known.iter().map(|(name, kind, labels)| (*name, *kind, &**labels)).collect();
    assert_eq!(known, GIVEN.iter().chain(ADDED).copied().collect());
    assert_eq!(known.len(), AUTOMATIC_METRICS.len());
}

#[test]
fn every_metric_of_the_catalogue_arrives_from_a_run_once() {
    let arrived = after_run(AutomaticMetrics::default());
    assert_eq!(lines(&arrived.metrics), ARRIVES);
    let seen: BTreeSet<_> = arrived.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(seen, AUTOMATIC_METRICS.iter().map(|metric| metric.name).collect());
    for metric in &arrived.metrics {
        let known = AUTOMATIC_METRICS.iter().find(|known| metric.name == known.name).unwrap();
        assert_eq!(metric.unit.as_deref(), Some(known.unit), "{}", known.name);
        assert_eq!(metric.description.as_deref(), Some(known.description), "{}", known.name);
        assert!(number(metric) >= 0.0, "{metric:?}");
        let expected = match known.name {
            "mastra_model_input_tokens" => 100.0,
            "mastra_model_output_tokens" => 50.0,
            "mastra_model_cache_read_tokens" => 20.0,
            "mastra_model_cache_write_tokens" => 10.0,
            "mastra_model_cost" => 0.5,
            _ if known.kind == "counter" => 1.0,
            _ => continue,
        };
        assert_eq!(number(metric), expected, "{}", known.name);
    }
    let priced = arrived.metrics.iter().filter_map(|metric| Some(metric.cost.as_ref()?.total));
    assert_eq!(priced.sum::<f64>(), 0.5, "counts of tokens carry the whole cost");
}

#[test]
fn exemplars_and_contexts_are_those_of_the_span() {
    let arrived = after_run(AutomaticMetrics::default());
    for (metric, span) in [("mastra_model_requests_ended", "chat"), ("mastra_tool_duration_ms", "search")] {
        let span = arrived.span(span);
        let metric = arrived.metrics.iter().find(|found| found.name == metric).unwrap();
        assert_eq!(metric.exemplar.as_ref().unwrap().span, span.reference());
        assert_eq!(metric.context, span.context);
        assert_eq!(metric.resource, span.resource);
    }
}

#[test]
fn another_prefix_changes_names_alone() {
    let arrived = after_run(AutomaticMetrics::default().with_prefix("app."));
    let renamed = |line: &&str| line.replacen("mastra_", "app.", 1);
    assert_eq!(lines(&arrived.metrics), ARRIVES.iter().map(renamed).collect::<Vec<_>>());
}

#[test]
fn the_conventions_names_come_beside_the_catalogue_or_in_its_place() {
    const DURATION: &str = "gen_ai.client.operation.duration histogram gen_ai.operation.name=chat gen_ai.provider.name=openai gen_ai.request.model=gpt-4o";
    const TOKENS: &str = "gen_ai.client.token.usage histogram gen_ai.operation.name=chat gen_ai.provider.name=openai gen_ai.request.model=gpt-4o gen_ai.token.type=";
    let expected = [DURATION.to_owned(), format!("{TOKENS}input"), format!("{TOKENS}output")];
    let alone = after_run(AutomaticMetrics::off().with_gen_ai(true));
    assert_eq!(lines(&alone.metrics), expected);
    for metric in &alone.metrics {
        let known = GEN_AI_METRICS.iter().find(|known| metric.name == known.name).unwrap();
        assert_eq!(metric.unit.as_deref(), Some(known.unit));
        assert!(metric.labels.iter().all(|(label, _)| known.labels.contains(&label.as_str())));
    }
    let both = after_run(AutomaticMetrics::default().with_gen_ai(true));
    let (of_gen_ai, rest): (Vec<_>, Vec<_>) =
        both.metrics.iter().partition(|metric| line(metric).starts_with("gen_ai."));
    assert_eq!(
        (lines(of_gen_ai), lines(rest)),
        (expected.to_vec(), ARRIVES.iter().map(|line| (*line).into()).collect())
    );
}

#[test]
fn the_documentation_has_a_row_for_every_automatic_metric_and_for_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let is_row = |line: &&str| line.starts_with("| `mastra_") || line.starts_with("| `gen_ai.client");
    let rows: Vec<&str> = page.lines().filter(is_row).collect();
    let expected = AUTOMATIC_METRICS.iter().chain(&GEN_AI_METRICS).map(|metric| {
        let AutomaticMetric { name, kind, unit, labels, description, when, .. } = metric;
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        format!("| `{name}` | {kind} | `{unit}` | {labels} | {description} | {when} |")
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}
