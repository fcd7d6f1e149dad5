//! Logs of an SDK.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use obs_core::Signal;
use obs_pipeline::Intake;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord as _, Severity};
use opentelemetry_proto::tonic::logs::v1::LogRecord as WireLog;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};

use super::inlet::Inlet;

/// Records the logs of an `opentelemetry_sdk` logger provider.
///
/// A log's target is the name of its scope, as OTLP's exporters have it; a `gen_ai.evaluation.result` event is a score.
#[derive(Debug)]
pub struct ObsLogProcessor {
    inlet: Inlet,
}

impl ObsLogProcessor {
    /// Records into this intake.
    pub fn new(intake: Intake) -> Self {
        Self { inlet: Inlet::new(intake) }
    }

    /// Lets `force_flush` and `shutdown` wait for delivery: `flush` has that long, and says whether all was delivered.
    ///
    /// Default: they wait for nothing, since a log is in the intake when it was emitted.
    #[must_use]
    pub fn with_flush(mut self, flush: impl Fn(Duration) -> bool + Send + Sync + 'static) -> Self {
        self.inlet.set_flush(flush);
        self
    }

    /// Ignores logs whose target or scope lies in or below one of these: `h2`, `hyper`, `reqwest`.
    ///
    /// `obs` is ignored in any case.
    #[must_use]
    pub fn ignoring(mut self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.inlet.ignore(targets);
        self
    }
}

impl LogProcessor for ObsLogProcessor {
    fn emit(&self, data: &mut SdkLogRecord, scope: &InstrumentationScope) {
        let target = data.target().map_or(scope.name(), AsRef::as_ref);
        if !self.inlet.wants(Signal::Logs) || self.inlet.ignores(target) || self.inlet.ignores(scope.name()) {
            return;
        }
        let scope = named(scope, data.target());
        if data.observed_timestamp().is_none() {
            // Whoever converts a record without this time panics, the next processor's exporter included.
            let now = self.inlet.intake.clock().now();
            data.set_observed_timestamp(UNIX_EPOCH + Duration::from_nanos(now.as_nanos()));
        }
        let wire = WireLog::from(&*data);
        for record in self.inlet.read(Signal::Logs, &scope, |scoped| scoped.log(&wire)) {
            self.inlet.put(record);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inlet.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inlet.shut_down(timeout)
    }

    fn event_enabled(&self, _: Severity, target: &str, _: Option<&str>) -> bool {
        self.inlet.wants(Signal::Logs) && !self.inlet.ignores(target)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inlet.set_resource(resource);
    }
}

/// The scope under the name of the target.
fn named<'s>(
    scope: &'s InstrumentationScope,
    target: Option<&Cow<'static, str>>,
) -> Cow<'s, InstrumentationScope> {
    let Some(target) = target.filter(|target| **target != scope.name()) else {
        return Cow::Borrowed(scope);
    };
    let mut named =
        InstrumentationScope::builder(target.clone()).with_attributes(scope.attributes().cloned());
    if let Some(version) = scope.version() {
        named = named.with_version(version.to_owned());
    }
    if let Some(schema_url) = scope.schema_url() {
        named = named.with_schema_url(schema_url.to_owned());
    }
    Cow::Owned(named.build())
}
