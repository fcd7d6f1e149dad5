//! A config for each preset, with what its backend must have.

use obs_core::Secret;

use crate::{OtelConfig, Preset};

impl OtelConfig {
    /// Sends to a Phoenix on this machine; `with_endpoint` and `with_api_key` for another.
    pub fn phoenix() -> Self {
        Self::of(Preset::Phoenix)
    }

    /// Sends to Arize AX: the id of a space, its key, and the project's name.
    pub fn arize(
        space_id: impl Into<Secret>,
        api_key: impl Into<Secret>,
        project: impl Into<String>,
    ) -> Self {
        Self::of(Preset::Arize).with_space_id(space_id).with_api_key(api_key).with_project(project)
    }

    /// Sends to Honeycomb's region in the United States; `with_region("eu")` for the other.
    pub fn honeycomb(api_key: impl Into<Secret>) -> Self {
        Self::of(Preset::Honeycomb).with_api_key(api_key)
    }

    /// Sends to SigNoz Cloud, to the region `us`, `eu` or `in`.
    pub fn signoz(api_key: impl Into<Secret>, region: impl Into<String>) -> Self {
        Self::of(Preset::Signoz).with_api_key(api_key).with_region(region)
    }

    /// Sends to Dash0, to a region such as `eu-west-1`.
    pub fn dash0(api_key: impl Into<Secret>, region: impl Into<String>) -> Self {
        Self::of(Preset::Dash0).with_api_key(api_key).with_region(region)
    }

    /// Sends to the Sentry project of this DSN.
    pub fn sentry(dsn: impl Into<Secret>) -> Self {
        Self::of(Preset::Sentry).with_dsn(dsn)
    }

    /// Sends to Laminar.
    pub fn laminar(api_key: impl Into<Secret>) -> Self {
        Self::of(Preset::Laminar).with_api_key(api_key)
    }

    /// Sends to Traceloop.
    pub fn traceloop(api_key: impl Into<Secret>) -> Self {
        Self::of(Preset::Traceloop).with_api_key(api_key)
    }

    /// Sends to an MLflow server on this machine, into the experiment of this id.
    pub fn mlflow(experiment_id: impl Into<String>) -> Self {
        Self::of(Preset::Mlflow).with_project(experiment_id)
    }

    /// Sends to a Jaeger on this machine.
    pub fn jaeger() -> Self {
        Self::of(Preset::Jaeger)
    }

    /// Sends to Grafana's image `otel-lgtm` on this machine.
    pub fn grafana_lgtm() -> Self {
        Self::of(Preset::GrafanaLgtm)
    }

    /// Sends to a Datadog Agent on this machine that takes OTLP.
    pub fn datadog_agent() -> Self {
        Self::of(Preset::DatadogAgent)
    }
}
