//! Labels that would make a series for every trace.

use obs_core::{Labels, Metric, MetricValue};
use obs_instrument::{AutomaticMetrics, Cardinality};

use super::lines;
use crate::collect::{Arrived, Bench};

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

fn own<'a>(arrived: &'a Arrived, name: &str) -> &'a Metric {
    arrived.metrics.iter().find(|metric| metric.name == name).unwrap()
}

fn with(cardinality: Cardinality) -> Bench {
    Bench::with(|builder| builder.automatic_metrics(AutomaticMetrics::off().with_cardinality(cardinality)))
}

#[test]
fn cardinality_filter_blocks_label() {
    let bench = Bench::new();
    let meter = bench.obs.meter();
    let labels = [
        ("user_id", "u-1"),
        ("Trace_ID", "t"),
        ("tool", "search"),
        ("order", ID),
        ("mail", "to ann@example.com"),
    ];
    meter.counter("calls").add(1.0, labels);
    meter.gauge("depth").set(-5.0, [("sessionId", "s-1")]);
    bench.obs.tool_call(format!("search {ID}")).end();
    let arrived = bench.arrived();
    let kept = Labels::from([("tool", "search"), ("order", "[uuid]"), ("mail", "to [email]")]);
    assert_eq!(own(&arrived, "calls").labels, kept);
    assert_eq!(own(&arrived, "depth").labels, Labels::default());
    assert_eq!(own(&arrived, "depth").value, MetricValue::Gauge(-5.0), "a negative reading is one");
    let tool = "mastra_tool_calls_started counter tool=search [uuid] agent=unknown";
    assert_eq!(lines([own(&arrived, "mastra_tool_calls_started")]), [tool]);
}

#[test]
fn labels_can_be_blocked_besides_and_allowed_by_name() {
    let labels = [("user_id", "u-1"), ("run_id", ID), ("tenant", "t-1")];
    let told = |cardinality: Cardinality| {
        let bench = with(cardinality);
        bench.obs.meter().counter("calls").add(1.0, labels);
        own(&bench.arrived(), "calls").labels.clone()
    };
    let extended = Cardinality::default().with_blocked_label("Tenant").with_allowed_label("run_id");
    assert_eq!(told(extended.clone()), Labels::from([("run_id", "[uuid]")]));
    assert_eq!(told(extended.with_value_patterns([])), Labels::from([("run_id", ID)]));
    assert_eq!(told(Cardinality::default().with_own_metrics(false)), Labels::from(labels));
}

#[test]
fn what_is_beyond_the_limit_has_one_set_and_sums_stay_exact() {
    let bench = with(Cardinality::default().with_max_label_sets(4));
    let calls = bench.obs.meter().counter("calls");
    for at in 0..20 {
        calls.add(1.0, [("tool", format!("t-{at}"))]);
    }
    let arrived = bench.arrived();
    let overflow = Labels::from([("otel.metric.overflow", "true")]);
    let (beyond, within): (Vec<_>, Vec<_>) =
        arrived.metrics.iter().partition(|metric| metric.labels == overflow);
    assert_eq!((within.len(), beyond.len()), (3, 17));
}

#[test]
fn starts_share_the_sets_of_their_metric() {
    let cardinality = Cardinality::default().with_max_label_sets(2);
    let bench = Bench::with(|builder| {
        builder.automatic_metrics(AutomaticMetrics::default().with_cardinality(cardinality))
    });
    for at in 0..3 {
        let tool = bench.obs.tool_call(format!("t-{at}"));
        tool.scope(|| ());
        tool.end();
    }
    let arrived = bench.arrived();
    let started = arrived.metrics.iter().filter(|metric| metric.name == "mastra_tool_calls_started");
    let beyond = "mastra_tool_calls_started counter otel.metric.overflow=true";
    assert_eq!(lines(started), [beyond, beyond, "mastra_tool_calls_started counter tool=t-0 agent=unknown"],);
}
