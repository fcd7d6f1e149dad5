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

#[test]
fn law_1_summed_counters_lose_nothing_and_are_recorded_when_they_are_taken() {
    let bench = Bench::new();
    let counter = bench.obs.meter().counter("tokens").with_unit("{token}");
    let threads: Vec<_> = (0..4)
        .map(|at| {
            let tokens = counter.bind_summed([("model", "gpt-4o"), ("user_id", "u-1")]);
            std::thread::spawn(move || (0..10_000).for_each(|_| tokens.add(at + 1)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let arrived = bench.arrived();
    let counts = arrived.metrics.iter().map(|metric| match metric.value {
        MetricValue::Add(value) => value,
        ref other => panic!("{other:?}"),
    });
    assert_eq!(counts.sum::<f64>(), 100_000.0, "also of handles that are gone");
    let metric = &arrived.metrics[0];
    assert_eq!((metric.name.as_str(), metric.unit.as_deref()), ("tokens", Some("{token}")));
    assert_eq!(metric.labels, [("model", "gpt-4o")].into(), "the rules for labels hold");
    let terms = bench.obs.report().intake;
    assert!(terms.get(obs_core::Signal::Metrics).is_balanced(), "{terms:?}");
    assert_eq!(bench.arrived().metrics.len(), arrived.metrics.len(), "nothing twice");
}

#[test]
fn summed_counters_count_nothing_while_recording_is_off() {
    let bench = Bench::new();
    let calls = bench.obs.meter().counter("calls").bind_summed(());
    bench.obs.set_enabled(false);
    calls.add(1);
    bench.obs.set_enabled(true);
    calls.add(2);
    let arrived = bench.arrived();
    let values: Vec<_> = arrived.metrics.iter().map(|metric| metric.value.clone()).collect();
    assert_eq!(values, [MetricValue::Add(2.0)]);
}
