//! Webhooks: the signal and its records in one document.

use anyhow::{Context, Result};
use obs_testkit::Captured;
use serde_json::json;

use super::{lines, list};
use crate::arrivals::place::Carrier;

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    let body = request.json().context("no JSON")?;
    let records = list(&body["records"])?.iter();
    records.map(|record| lines::record(&json!({ "signal": body["signal"], "record": record }))).collect()
}
