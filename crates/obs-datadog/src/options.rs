//! Choices of a configuration.

use obs_core::Str;
use serde::Deserialize;

/// What traces become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Spans of LLM Observability.
    #[default]
    Llmobs,
    /// Spans of APM, by OTLP to an Agent.
    OtlpAgent,
    /// Spans by OTLP to Datadog's own intake for it, whose address must be given.
    OtlpIntake,
}

/// How logs name the trace that they belong to, in `dd.trace_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceIdFormat {
    /// All 128 bits as 32 digits of hex.
    #[default]
    Hex128,
    /// The lower 64 bits as a decimal number, as older tracers have it.
    Dec64,
}

/// What APM knows a program by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ApmConfig {
    /// The service; the same as `service`, under its name in other clients.
    pub service: Option<Str>,
    /// The environment; the same as `env`.
    pub env: Option<Str>,
    /// The version; the same as `version`.
    pub version: Option<Str>,
}

impl ApmConfig {
    /// This service, environment and version.
    pub fn new(service: impl Into<Str>, env: impl Into<Str>, version: impl Into<Str>) -> Self {
        Self { service: Some(service.into()), env: Some(env.into()), version: Some(version.into()) }
    }
}
