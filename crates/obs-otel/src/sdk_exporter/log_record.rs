//! OTLP's log records as the SDK's.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use obs_core::Level;
use opentelemetry::TraceFlags;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry_proto::tonic::logs::v1 as wire;
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};

use super::span_data::{span_id, time, trace_id};
use super::value::{of_log, read};

/// How many names of events are kept: the SDK's are static.
const MOST_NAMES: usize = 1_024;

/// A record of the SDK, which only a logger makes.
pub(super) fn log(log: &wire::LogRecord, logger: &SdkLogger) -> SdkLogRecord {
    let mut record = logger.create_log_record();
    record.set_timestamp(time(log.time_unix_nano));
    // An exporter that finds none panics.
    record.set_observed_timestamp(time(log.observed_time_unix_nano.max(log.time_unix_nano)));
    let level = Level::from_severity_number(log.severity_number);
    record.set_severity_number(severity(level));
    record.set_severity_text(text(level));
    if let Some(body) = of_log(&read(log.body.as_ref())) {
        record.set_body(body);
    }
    match kept(&log.event_name) {
        Some("") => {}
        Some(name) => record.set_event_name(name),
        None => record.add_attribute("event.name", log.event_name.clone()),
    }
    for pair in &log.attributes {
        let value = of_log(&read(pair.value.as_ref())).unwrap_or_else(|| AnyValue::String("null".into()));
        record.add_attribute(pair.key.clone(), value);
    }
    if !log.trace_id.is_empty() {
        let flags = TraceFlags::new((log.flags & 0xff) as u8);
        record.set_trace_context(trace_id(&log.trace_id), span_id(&log.span_id), Some(flags));
    }
    record
}

/// A logger that makes records and emits none.
pub(super) fn logger() -> SdkLogger {
    SdkLoggerProvider::builder().build().logger("obs")
}

/// The name, kept for as long as the process lives; `None` where too many are.
fn kept(name: &str) -> Option<&'static str> {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    if name.is_empty() {
        return Some("");
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    (names.len() < MOST_NAMES).then(|| {
        let name: &'static str = Box::leak(name.into());
        names.insert(name);
        name
    })
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::Trace => Severity::Trace,
        Level::Debug => Severity::Debug,
        Level::Info => Severity::Info,
        Level::Warn => Severity::Warn,
        Level::Error => Severity::Error,
        Level::Fatal => Severity::Fatal,
    }
}

/// The level's name, as OTLP's exporters write it.
const fn text(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Fatal => "FATAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_not_without_end() {
        let first = kept("order.failed");
        assert_eq!(first, Some("order.failed"));
        let beyond = (0..2 * MOST_NAMES).filter(|nth| kept(&format!("event {nth}")).is_none()).count();
        assert!(beyond >= MOST_NAMES, "{beyond}");
        assert_eq!(kept("order.failed").map(str::as_ptr), first.map(str::as_ptr));
        assert_eq!(kept(""), Some(""));

        let named = wire::LogRecord { event_name: "one too many".into(), ..wire::LogRecord::default() };
        let record = log(&named, &logger());
        let said: Vec<_> = record.attributes_iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!((record.event_name(), said), (None, vec!["event.name"]));
    }
}
