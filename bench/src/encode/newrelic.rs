//! Spans for New Relic, which takes OTLP: what that costs beside the row of OTLP is New Relic's own.

use std::error::Error;

use obs_core::Batch;
use obs_newrelic::{NewRelicConfig, NewRelicExporter};

use super::tree::bytes;
use super::{Contest, against_records, calls};

/// A key of the right form.
const KEY: &str = "0123456789abcdef0123456789abcdef0123NRAL";

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = NewRelicExporter::new(NewRelicConfig::new(KEY))?;
    assert!(bytes(&exporter.encode(&calls::batch(1))) > 0, "the spans are taken");
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    Ok(against_records("model calls for New Relic", ["encode.newrelic", "value.records.newrelic"], ours))
}
