//! Records of the crate `log`. Its logger is one for the process, so all of it is one test.

use obs_core::{Level, Value};
use obs_tracing::CodeAttributes;
use tracing::info_span;

use crate::collect::Bench;

#[test]
fn a_record_of_log_is_a_log_with_its_own_metadata() {
    obs_tracing::log::install().unwrap();
    assert!(obs_tracing::log::install().is_err(), "there is one logger");
    let bench = Bench::new();
    let arrived = bench.run_with(
        |layer| layer.with_event_code(CodeAttributes::All).ignoring(["noisy"]),
        || {
            let _span = info_span!("request").entered();
            log::warn!(target: "library::part", "careful: {}", 7);
            log::error!(target: "obs::http", "of obs itself");
            log::error!(target: "noisy::part", "ignored");
        },
    );
    assert_eq!(arrived.logs.len(), 1);
    let log = arrived.log("careful: 7");
    assert_eq!((log.level, log.span), (Level::Warn, Some(arrived.span("request").reference())));
    assert_eq!(log.attributes.get("target"), Some(&Value::from("library::part")));
    assert_eq!(log.attributes.get("code.module.name"), Some(&Value::from("it::log_records")));
    assert!(log.attributes.get("code.line.number").is_some());
    let bridged = log.attributes.iter().any(|(key, _)| key.starts_with("log."));
    assert!(!bridged && log.event_name.is_none(), "{log:?}");
}
