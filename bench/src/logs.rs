//! A log record with three fields, correlated with the current span.

use std::error::Error;

use crate::Effort;
use crate::case::{Case, measure};
use crate::table::{Goal, Row, of};
use crate::{ours, peers};

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    Ok(vec![ours::log()?, peers::otel::log()])
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut cases = cases()?;
    let costs = measure(&mut cases, effort.rounds);
    let (ours, peer) = (of(&cases, &costs, "obs.log"), of(&cases, &costs, "otel.log"));
    Ok(vec![Row::ratio(
        "log record with correlation",
        ours.nanos,
        "otel.log",
        peer.nanos,
        Goal::AtMost(0.25),
    )])
}
