//! What is counted, when, and what is not.

use std::sync::Arc;

use obs_core::{
    Cost, ErrorInfo, Exporter, LlmGeneration, MetricForm, MetricValue, Record, Signal, Signals, Span, SpanId,
    SpanType, Status, Timestamp, TraceId, Usage,
};
use obs_instrument::{AutomaticMetrics, MetricsOf, Observability, Sampling};
use obs_testkit::Scripted;

use super::{lines, number};
use crate::collect::{Arrived, Bench};

fn count(arrived: &Arrived, name: &str) -> f64 {
    arrived.metrics.iter().filter(|metric| metric.name == name).map(number).sum()
}

#[test]
fn a_start_is_told_while_the_span_is_open_and_not_again_at_its_end() {
    let bench = Bench::new();
    let mut agent = bench.obs.agent_run("answer");
    agent.agent("Ada");
    assert_eq!(count(&bench.arrived(), "mastra_agent_runs_started"), 0.0, "nothing is under it yet");
    agent.scope(|| bench.obs.tool_call("search").end());
    let arrived = bench.arrived();
    let started: Vec<_> = arrived.metrics.iter().filter(|metric| metric.name.ends_with("_started")).collect();
    assert_eq!(
        lines(started.iter().copied()),
        [
            "mastra_agent_runs_started counter agent=Ada service=test",
            "mastra_tool_calls_started counter tool=search agent=Ada"
        ],
    );
    agent.trace(|trace| trace.user_id = Some("u".into()));
    agent.scope(|| bench.obs.tool_call("search").end());
    agent.end();
    let arrived = bench.arrived();
    assert_eq!(count(&arrived, "mastra_agent_runs_started"), 1.0);
    assert_eq!(count(&arrived, "mastra_agent_runs_ended"), 1.0);
    assert_eq!(count(&arrived, "mastra_tool_calls_started"), 2.0);
    assert_eq!(arrived.span("answer").trace_flags, 3, "no mark of obs's own gets out");
}

#[test]
fn an_error_is_counted_once_however_many_ancestors_fail_with_it() {
    let bench = Bench::new();
    let fail = || "x".parse::<u8>().unwrap_err();
    let mut agent = bench.obs.agent_run("answer");
    let mut tool = agent.scope(|| bench.obs.tool_call("search"));
    tool.fail(&fail());
    tool.end();
    agent.fail(&fail());
    agent.end();
    let mut other = bench.obs.span("other");
    other.fail(&fail());
    other.end();
    let arrived = bench.arrived();
    let errors = arrived.metrics.iter().filter(|metric| metric.name == "mastra_errors_total");
    let error = "mastra_errors_total counter error_type=core::num::error::ParseIntError";
    assert_eq!(
        lines(errors),
        [
            format!("{error} span_type=generic agent=unknown"),
            format!("{error} span_type=tool_call agent=answer")
        ],
    );
    assert_eq!(count(&arrived, "mastra_agent_runs_ended"), 1.0);
}

fn call(at: u64, flags: u8) -> Span {
    let ids = (TraceId::new(at.into()).unwrap(), SpanId::new(at).unwrap());
    let mut span = Span::new(ids.0, ids.1, "chat", Timestamp::from_nanos(1_000));
    span.end = Some(Timestamp::from_nanos(500));
    span.trace_flags = flags;
    let cost = Cost { currency: "EUR".into(), partial: true, ..Cost::usd(0.25) };
    let call =
        LlmGeneration { usage: Usage::new(7, 3), cost: Some(Box::new(cost)), ..LlmGeneration::default() };
    span.span_type = SpanType::LlmGeneration(call);
    span
}

#[test]
fn spans_that_nobody_sees_count_and_are_nobodys_example() {
    let bench = Bench::new();
    let intake = bench.obs.pipeline().intake();
    intake.span_ended(call(1, 0));
    intake.span_ended(call(2, 1));
    let arrived = bench.arrived();
    assert_eq!(count(&arrived, "mastra_model_input_tokens"), 14.0);
    assert_eq!(count(&arrived, "mastra_model_cost"), 0.5);
    assert_eq!(count(&arrived, "mastra_model_duration_ms"), 0.0, "no time runs backwards");
    for metric in &arrived.metrics {
        let known = metric.exemplar.as_ref().map(|exemplar| exemplar.span.trace_id);
        assert!(known.is_none() || known == TraceId::new(2), "{metric:?}");
    }
    assert!(
        arrived
            .metrics
            .iter()
            .all(|metric| metric.labels.get("agent").is_none_or(|agent| agent == "unknown"))
    );
}

/// A run with a call of a model, none of which is sampled.
fn unsampled(of: MetricsOf) -> Arrived {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never).metrics(of));
    let mut agent = bench.obs.agent_run("answer");
    agent.input("secret");
    agent.scope(|| {
        let mut call = bench.obs.llm_generation("chat");
        call.model("gpt-4o").provider("openai").usage(Usage::new(7, 3));
        call.end();
        bench.obs.info("not seen");
    });
    agent.score("good", true);
    agent.end();
    bench.arrived()
}

#[test]
fn sampled_out_traces_are_counted_and_leave_nothing_else_behind() {
    let arrived = unsampled(MetricsOf::All);
    assert_eq!((arrived.spans.len(), arrived.logs.len(), arrived.scores.len()), (0, 0, 0));
    let of = "model=gpt-4o provider=openai agent=answer";
    assert_eq!(
        lines(&arrived.metrics),
        [
            "mastra_agent_duration_ms histogram agent=answer status=ok service=test".to_owned(),
            "mastra_agent_runs_ended counter agent=answer status=ok service=test".to_owned(),
            "mastra_agent_runs_started counter agent=answer service=test".to_owned(),
            format!("mastra_model_cost counter {of} currency=USD"),
            format!("mastra_model_duration_ms histogram {of}"),
            format!("mastra_model_input_tokens counter {of}"),
            format!("mastra_model_output_tokens counter {of}"),
            format!("mastra_model_requests_ended counter {of} status=ok"),
            format!("mastra_model_requests_started counter {of}"),
        ],
    );
    assert!(arrived.metrics.iter().all(|metric| metric.exemplar.is_none()));
    assert!(unsampled(MetricsOf::Sampled).metrics.is_empty());
}

#[test]
fn hidden_spans_are_counted_whatever_the_sampling_of_metrics() {
    for of in [MetricsOf::All, MetricsOf::Sampled] {
        let bench =
            Bench::with(|builder| builder.exclude_span_types(["llm_generation"]).unwrap().metrics(of));
        let agent = bench.obs.agent_run("answer");
        agent.scope(|| {
            let mut call = bench.obs.llm_generation("chat");
            call.usage(Usage::new(7, 3));
            call.end();
        });
        agent.end();
        let arrived = bench.arrived();
        assert_eq!(arrived.spans.len(), 1, "{of:?}");
        assert_eq!(count(&arrived, "mastra_model_input_tokens"), 7.0, "{of:?}");
        assert_eq!(count(&arrived, "mastra_model_requests_started"), 1.0, "{of:?}");
    }
}

#[test]
fn without_a_span_s_destination_metrics_have_no_examples() {
    let bench = Bench::taking(Signals::NONE.with(Signal::Metrics));
    bench.obs.llm_generation("call").end();
    let arrived = bench.arrived();
    assert_eq!(count(&arrived, "mastra_model_requests_ended"), 1.0);
    assert!(arrived.metrics.iter().all(|metric| metric.exemplar.is_none()));
}

#[test]
fn nothing_is_counted_where_nobody_takes_metrics_or_they_are_switched_off() {
    let no_metrics = Bench::taking(Signals::ALL.without(Signal::Metrics));
    let off = Bench::with(|builder| builder.automatic_metrics(AutomaticMetrics::off()));
    for bench in [no_metrics, off] {
        let mut agent = bench.obs.agent_run("answer");
        agent.scope(|| bench.obs.tool_call("search").end());
        agent.fail_with(|| ErrorInfo::message("no"));
        agent.score("good", true);
        agent.end();
        let arrived = bench.arrived();
        assert_eq!((arrived.metrics.len(), arrived.spans.len()), (0, 2));
        assert_eq!(bench.obs.report().intake.get(Signal::Metrics).recorded, 0);
        assert!(arrived.spans.iter().all(|span| span.trace_flags == 3));
    }
    let bench = Bench::taking(Signals::NONE.with(Signal::Logs));
    assert!(!bench.obs.pipeline().intake().wants().contains(Signal::Scores));
}

#[test]
fn what_embeddings_cost_is_counted() {
    let bench = Bench::new();
    let mut embedding = bench.obs.embedding("vectors");
    let cost = Cost { currency: "EUR".into(), ..Cost::usd(0.25) };
    embedding.fields(|call| (call.model, call.cost) = (Some("m".into()), Some(Box::new(cost))));
    embedding.end();
    let arrived = bench.arrived();
    assert_eq!(
        lines(&arrived.metrics),
        ["mastra_model_cost counter model=m provider=unknown agent=unknown currency=EUR"]
    );
    assert_eq!(count(&arrived, "mastra_model_cost"), 0.25);
}

#[test]
fn a_judgement_of_a_run_is_one_of_its_agent() {
    let bench = Bench::new();
    let agent = bench.obs.agent_run("answer");
    agent.score("good", true);
    agent.feedback_trace("thumbs", true);
    agent.end();
    let arrived = bench.arrived();
    let judged = arrived.metrics.iter().filter(|metric| metric.labels.get("entity_type").is_some());
    assert_eq!(
        lines(judged),
        [
            "mastra_feedback_total counter feedback_type=thumbs source=unknown entity_type=agent",
            "mastra_scores_total counter scorer=good entity_type=agent",
        ],
    );
}

#[test]
fn law_1_accounting_holds_for_what_is_made_of_others() {
    let bench = Bench::new();
    for at in 1..500 {
        let mut span = call(at, (at % 2) as u8);
        span.status = if at % 3 == 0 { Status::Error } else { Status::Unset };
        bench.obs.pipeline().intake().span_ended(span);
    }
    let arrived = bench.arrived();
    let terms = bench.obs.report();
    let metrics = terms.intake.get(Signal::Metrics);
    assert!(metrics.is_balanced(), "{metrics:?}");
    assert_eq!(metrics.sealed, arrived.metrics.len() as u64);
    assert_eq!(count(&arrived, "mastra_model_requests_ended"), 499.0);
}

/// A destination of series, such as Prometheus.
fn of_series() -> (Observability, Arc<Scripted>) {
    let exporter = Scripted::builder([]);
    let descriptor = exporter.descriptor().clone().with_metric_form(MetricForm::Cumulative);
    let exporter = exporter.with_descriptor(descriptor).shared();
    let automatic = AutomaticMetrics::default().with_bounds("mastra_tool_duration_ms", [1.0, 2.0]);
    let builder = Observability::builder("test").to(Arc::clone(&exporter)).automatic_metrics(automatic);
    (builder.build().unwrap(), exporter)
}

#[test]
fn series_have_the_bounds_that_are_advised() {
    let (obs, exporter) = of_series();
    obs.agent_run("answer").end();
    obs.tool_call("search").end();
    obs.flush(std::time::Duration::from_secs(20));
    let bounds = |name: &str| {
        let records = exporter.records();
        let found = records.iter().find_map(|record| match record {
            Record::Metric(metric) if metric.name == name => Some(metric.value.clone()),
            _ => None,
        });
        let Some(MetricValue::Histogram(histogram)) = found else { panic!("{found:?}") };
        histogram.bounds.to_vec()
    };
    assert_eq!(bounds("mastra_tool_duration_ms"), [1.0, 2.0]);
    let agent = bounds("mastra_agent_duration_ms");
    assert_eq!((agent.first(), agent.last()), (Some(&10.0), Some(&655_360.0)));
}

#[test]
fn a_number_that_is_none_is_refused_and_counted_and_a_negative_reading_is_not() {
    let (obs, exporter) = of_series();
    let meter = obs.meter();
    for value in [f64::NAN, f64::INFINITY, -1.0, 2.0] {
        meter.counter("calls").add(value, ());
    }
    meter.histogram("sizes").record(f64::NAN, ());
    meter.gauge("depth").set(-5.0, ());
    let report = obs.flush(std::time::Duration::from_secs(20));
    let metrics = report.destinations[0].signals.get(Signal::Metrics);
    assert!(metrics.is_balanced(), "{metrics:?}");
    assert_eq!((metrics.rejected, metrics.delivered), (4, 2), "{metrics:?}");
    let values: Vec<_> = exporter
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Metric(metric) => Some(metric.value),
            _ => None,
        })
        .collect();
    assert!(values.contains(&MetricValue::Gauge(-5.0)), "{values:?}");
    assert!(values.contains(&MetricValue::Sum { value: 2.0, monotonic: true }), "{values:?}");
}
