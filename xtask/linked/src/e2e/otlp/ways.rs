//! The ways into an OTLP receiver, chosen by OpenTelemetry's own variables.

use anyhow::{Result, anyhow};
use obs_core::{Env, Temporality};
use obs_otel::{OtelConfig, OtelExporter};
use obs_pipeline::DestinationSpec;

/// The most bytes of a request: the test agent takes no more than a mebibyte.
const MOST: u64 = 900 << 10;

/// How requests are written and carried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) protocol: &'static str,
    pub(super) compression: &'static str,
    pub(super) temporality: Temporality,
}

const fn way(protocol: &'static str, compression: &'static str, temporality: Temporality) -> Way {
    Way { protocol, compression, temporality }
}

/// Straight into the test agent.
pub(super) const DIRECT: &[Way] = &[
    way("http/protobuf", "gzip", Temporality::Cumulative),
    way("http/protobuf", "none", Temporality::Delta),
    way("http/json", "none", Temporality::Cumulative),
    way("http/json", "gzip", Temporality::Delta),
    way("grpc", "gzip", Temporality::Cumulative),
];

/// Through a collector.
pub(super) const HOPS: &[Way] = &[
    way("http/protobuf", "gzip", Temporality::Cumulative),
    way("http/json", "gzip", Temporality::Cumulative),
    way("grpc", "gzip", Temporality::Cumulative),
];

impl Way {
    pub(super) fn name(&self) -> String {
        let Self { protocol, compression, temporality } = self;
        let temporality = match temporality {
            Temporality::Cumulative => "cumulative",
            Temporality::Delta => "delta",
        };
        let compression = if *compression == "none" { "plain" } else { compression };
        format!("{protocol}, {compression}, {temporality}")
    }

    /// An exporter into the receiver on these ports.
    pub(super) fn destination(&self, http: u16, grpc: u16) -> Result<DestinationSpec> {
        let port = if self.protocol == "grpc" { grpc } else { http };
        let temporality = match self.temporality {
            Temporality::Cumulative => "cumulative",
            Temporality::Delta => "delta",
        };
        let env = Env::of([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", self.protocol.to_owned()),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", self.compression.to_owned()),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality.to_owned()),
        ]);
        let config = OtelConfig::from_vars(&env).map(|config| config.with_max_request_size(MOST));
        let exporter = config.and_then(OtelExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }
}
