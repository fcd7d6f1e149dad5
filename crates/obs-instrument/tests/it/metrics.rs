use obs_core::MetricValue;

use crate::collect::Bench;

#[test]
fn metric_from_tool_context() {
    let bench = Bench::new();
    let meter = bench.obs.meter();
    let calls = meter.counter("tool_calls").with_unit("{call}").with_description("calls of tools");
    let tool = bench.obs.tool_call("search");
    tool.scope(|| calls.add(1.0, [("tool", "search")]));
    tool.end();
    meter.gauge("depth").set(-5.0, ());
    meter.histogram("seconds").bind([("k", "v")]).record(0.25);
    meter.up_down_counter("open").add(-1.0, [("k", "v")]);
    let arrived = bench.arrived();
    let by = |name: &str| arrived.metrics.iter().find(|metric| metric.name == name).unwrap();
    assert_eq!(by("tool_calls").value, MetricValue::Add(1.0));
    assert_eq!(by("tool_calls").unit.as_deref(), Some("{call}"));
    assert_eq!(by("tool_calls").labels.get("tool").unwrap(), "search");
    assert_eq!(by("tool_calls").exemplar.as_ref().unwrap().span, arrived.span("search").reference());
    assert_eq!(by("depth").value, MetricValue::Gauge(-5.0));
    assert_eq!(by("seconds").value, MetricValue::Sample(0.25));
    assert_eq!((&by("open").value, &by("open").exemplar), (&MetricValue::UpDown(-1.0), &None));
}

#[test]
fn environment_and_release_are_the_resource_s_so_that_series_have_them() {
    let names = ["deployment.environment.name", "service.version"];
    let told = |bench: Bench| {
        bench.obs.meter().counter("calls").add(1.0, ());
        let arrived = bench.arrived();
        names.map(|name| {
            arrived.metrics[0]
                .resource
                .attributes
                .get(name)
                .and_then(|value| value.as_str().map(str::to_owned))
        })
    };
    let bench = Bench::with(|builder| builder.environment("staging").release("1.2.3"));
    assert_eq!(told(bench), [Some("staging".into()), Some("1.2.3".into())]);
    let bench = Bench::with(|builder| builder.release("1.2.3").resource("service.version", "build-7"));
    assert_eq!(told(bench), [None, Some("build-7".into())], "what the resource says stands");
}
