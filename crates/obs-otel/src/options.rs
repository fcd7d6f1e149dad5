//! What a user chooses from.

use serde::Deserialize;

/// How requests are written and carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP; OTLP's default, which every receiver on port 4318 takes.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    /// JSON over HTTP: larger, and readable on the way.
    #[serde(rename = "http/json")]
    HttpJson,
    /// Protobuf over gRPC, which receivers take on port 4317; needs the feature `grpc`.
    #[serde(rename = "grpc")]
    Grpc,
}

impl Protocol {
    /// OTLP's own name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "http/protobuf" => Some(Self::HttpProtobuf),
            "http/json" => Some(Self::HttpJson),
            "grpc" => Some(Self::Grpc),
            _ => None,
        }
    }

    /// OTLP's own name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
            Self::Grpc => "grpc",
        }
    }
}

/// Whose names the attributes of spans have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Conventions {
    /// OpenTelemetry's GenAI conventions, at [`SEMCONV`](crate::SEMCONV).
    #[default]
    #[serde(rename = "gen_ai")]
    GenAi,
    /// OpenInference, which Phoenix and Arize read.
    OpenInference,
    /// Both beside each other, for a collector that serves several backends; payloads go out twice.
    Both,
}

/// Since when the points of series count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Temporality {
    /// Since the series began; OTLP's default, which Prometheus and its kind need.
    #[default]
    Cumulative,
    /// Since the point before, which Datadog and its kind want.
    Delta,
    /// What needs the least memory, which is delta here.
    LowMemory,
}

impl Temporality {
    /// OTLP's own name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "cumulative" => Some(Self::Cumulative),
            "delta" => Some(Self::Delta),
            "lowmemory" => Some(Self::LowMemory),
            _ => None,
        }
    }
}

/// What samples of a distribution become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[non_exhaustive]
pub enum Histograms {
    /// Buckets with bounds that are chosen beforehand; every backend reads them.
    #[default]
    #[serde(rename = "explicit_bucket_histogram")]
    Explicit,
    /// Base-2 exponential buckets, which fit themselves to the samples.
    #[serde(rename = "base2_exponential_bucket_histogram")]
    Exponential,
}

impl Histograms {
    /// OTLP's own name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "explicit_bucket_histogram" => Some(Self::Explicit),
            "base2_exponential_bucket_histogram" => Some(Self::Exponential),
            _ => None,
        }
    }
}
