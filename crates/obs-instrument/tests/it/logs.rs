use std::sync::Arc;

use obs_core::{Level, Payload, Signal, Value};
use obs_instrument::Observability;
use obs_testkit::Scripted;

use crate::collect::Bench;

#[test]
fn log_from_tool_correlates() {
    let bench = Bench::new();
    let tool = bench.obs.tool_call("search");
    tool.scope(|| {
        bench.obs.warn("slow").with("ms", 1200).data(Payload::from("{\"a\":1}"));
    });
    tool.log(Level::Debug, "direct").event_name("tool.hint");
    tool.end();
    bench.obs.info("outside");
    let arrived = bench.arrived();
    let tool = arrived.span("search");
    let by = |message: &str| arrived.logs.iter().find(|log| log.message == message).unwrap();
    assert_eq!(by("slow").span, Some(tool.reference()));
    assert_eq!(by("slow").attributes.get("ms"), Some(&Value::I64(1200)));
    assert_eq!((by("slow").level, by("direct").level), (Level::Warn, Level::Debug));
    assert_eq!(by("direct").span, Some(tool.reference()));
    assert_eq!(by("outside").span, None);
    assert_eq!(by("outside").resource.service_name(), Some("test"));
}

#[test]
fn log_from_workflow_step_correlates() {
    let bench = Bench::new();
    let run = bench.obs.workflow_run("run");
    run.scope(|| {
        let step = bench.obs.workflow_step("step");
        step.scope(|| bench.obs.info("in the step"));
    });
    drop(run);
    let arrived = bench.arrived();
    assert_eq!(arrived.logs[0].span, Some(arrived.span("step").reference()));
}

#[test]
fn every_level_has_its_name_and_below_the_least_nothing_is_made() {
    let bench = Bench::with(|builder| builder.min_level(Level::Info));
    let logger = bench.obs.logger("billing").with_min_level(Level::Error);
    let say = || {
        let (obs, logger) = (&bench.obs, &logger);
        for (level, record) in [
            (Level::Trace, obs.log(Level::Trace, "m")),
            (Level::Debug, obs.debug("m")),
            (Level::Info, obs.info("m")),
            (Level::Warn, obs.warn("m")),
            (Level::Error, obs.error("m")),
            (Level::Fatal, obs.fatal("m")),
        ] {
            assert_eq!(record.is_recording(), obs.is_level_enabled(level), "{level:?}");
        }
        logger.warn("l");
        logger.error("l");
        obs.span("s").log(Level::Debug, "s");
    };
    say();
    bench.obs.set_min_level(Level::Debug);
    logger.clone().set_min_level(Level::Fatal);
    say();
    let made =
        bench.obs.log_with(Level::Trace, || -> &str { panic!("below the least level") }).is_recording();
    assert!(!made && bench.obs.log_with(Level::Debug, || format!("{}", 1)).is_recording());
    let arrived = bench.arrived();
    let levels = |message: &str| -> String {
        let of = arrived.logs.iter().filter(|log| log.message == message);
        of.map(|log| &log.level.as_str()[..1]).collect()
    };
    assert_eq!((levels("m"), levels("l"), levels("s")), ("iwefdiwef".into(), "e".into(), "d".into()));
}

#[test]
fn a_logger_names_its_component_and_correlates() {
    let bench = Bench::new();
    let logger = bench.obs.logger("billing");
    let span = bench.obs.workflow_step("charge");
    span.scope(|| {
        logger.warn("no price").with("sku", "A-7");
    });
    span.end();
    logger.info("outside");
    let arrived = bench.arrived();
    for log in &arrived.logs {
        assert_eq!(log.resource.scope.as_ref().unwrap().name, "billing");
        assert_eq!(log.resource.service_name(), Some("test"));
    }
    assert_eq!(arrived.logs[0].span, Some(arrived.span("charge").reference()));
    assert_eq!((arrived.logs[1].span, arrived.span("charge").resource.scope.is_some()), (None, false));
}

/// An error that has another one for its source.
#[derive(Debug)]
struct Wraps(std::num::ParseIntError);

impl std::fmt::Display for Wraps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the list is broken")
    }
}

impl std::error::Error for Wraps {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_attached_with_its_type_and_sources() {
    let bench = Bench::new();
    let cause = "x".parse::<u8>().unwrap_err();
    bench.obs.error("no price").error(&cause);
    bench.obs.error("no price").error(&Wraps(cause));
    let arrived = bench.arrived();
    let get = |at: usize, key: &str| arrived.logs[at].attributes.get(key).and_then(Value::as_str);
    assert_eq!(get(0, "exception.type"), Some("core::num::error::ParseIntError"));
    assert_eq!(get(0, "exception.message"), Some("invalid digit found in string"));
    assert_eq!(get(0, "exception.stacktrace"), None);
    assert_eq!(get(1, "exception.message"), Some("the list is broken"));
    assert_eq!(get(1, "exception.stacktrace"), Some("caused by: invalid digit found in string"));
}

#[test]
fn a_logger_does_not_keep_its_instance_alive() {
    let exporter = Scripted::new([]);
    let obs = Observability::builder("test").to(Arc::clone(&exporter)).build().unwrap();
    let logger = obs.logger("late");
    logger.info("before the end");
    drop(obs);
    assert!(exporter.is_closed(), "the last handle ends it");
    assert_eq!(exporter.delivered(Signal::Logs), 1);
    assert!(!logger.fatal("after the end").is_recording());
}
