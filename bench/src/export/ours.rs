//! obs, as an application has it.

use std::error::Error;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_instrument::Observability;
use obs_otel::{OtelConfig, OtelExporter};
use obs_pipeline::{DestinationSpec, LaneConfig};

use super::BATCH;
use crate::ours::span_copied;
use crate::payload::owned;

/// Room for all spans, as the peer's queue has it.
const ROOM: u64 = 1 << 30;

/// How long a flush may take; nobody comes near.
const PATIENCE: Duration = Duration::from_mins(1);

/// Without redaction, which the peer has none of.
pub(super) fn plain(port: u16, spans: usize) -> Result<(), Box<dyn Error>> {
    run(port, spans, false)
}

/// As it is by default.
pub(super) fn redacted(port: u16, spans: usize) -> Result<(), Box<dyn Error>> {
    run(port, spans, true)
}

fn run(port: u16, spans: usize, redact: bool) -> Result<(), Box<dyn Error>> {
    let exporter = OtelExporter::new(OtelConfig::new(format!("http://127.0.0.1:{port}")))?;
    let lane =
        LaneConfig { batch_size: Some(BATCH), max_memory_usage: Bytes::new(ROOM), ..LaneConfig::DEFAULT };
    let destination = DestinationSpec::new(exporter).with_config(lane);
    let obs = Observability::builder("bench").to(destination).configure(|pipeline| {
        let pipeline = pipeline.intake_bytes(ROOM as usize);
        if redact { pipeline } else { pipeline.without_redaction() }
    });
    let obs = obs.build()?;
    let texts = owned();
    for _ in 0..spans {
        span_copied(&obs, &texts);
    }
    let report = obs.flush(PATIENCE);
    if report.complete { Ok(()) } else { Err(format!("not delivered: {report}").into()) }
}
