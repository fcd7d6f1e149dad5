//! What is told of every export, for debugging.

use serde::Deserialize;

/// What is told of every export as `tracing` events under `obs::inspect`; nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct InspectConfig {
    /// That an export began, and what it came to.
    pub trace_exports: bool,
    /// The records themselves, as they are after redaction.
    pub log_payloads: bool,
    /// How long it took, and how many records and bytes a second that is.
    pub measure_performance: bool,
    /// Whether every record survives its canonical JSON unchanged; one that does not is told with the difference.
    pub validate_schemas: bool,
}

impl InspectConfig {
    /// The default, as a constant: nothing is told.
    pub const DEFAULT: Self = Self {
        trace_exports: false,
        log_payloads: false,
        measure_performance: false,
        validate_schemas: false,
    };

    /// Whether anything is told.
    pub const fn is_on(self) -> bool {
        self.trace_exports || self.log_payloads || self.measure_performance || self.validate_schemas
    }
}

super::hinted!(InspectConfig);
