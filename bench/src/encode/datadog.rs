//! Spans for Datadog's LLM Observability.

use std::error::Error;

use obs_core::{Batch, Timestamp};
use obs_datadog::{DatadogConfig, DatadogExporter};

use super::records::START;
use super::tree::bytes;
use super::{Contest, against_records, calls};

/// Datadog's own libraries for LLM Observability are written in Python and JavaScript, so that there is no peer.
pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    // Of the time of the spans, since what is a day old is refused.
    let exporter =
        DatadogExporter::new(DatadogConfig::new("key"))?.with_clock(|| Timestamp::from_nanos(START));
    assert!(bytes(&exporter.encode(&calls::batch(1))) > 0, "the spans are taken");
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    Ok(against_records("model calls for Datadog", ["encode.datadog", "value.records.datadog"], ours))
}
