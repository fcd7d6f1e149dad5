//! The metadata of rows: what has no field of its own, so that nothing is lost.

mod loose;
mod of_log;
mod of_span;
mod shared;
mod typed;

use serde::Serialize;

pub(crate) use loose::Loose;
pub(crate) use of_log::OfLog;
pub(crate) use of_span::OfSpan;
pub(crate) use shared::Shared;

/// The fields of obs, the trace's, and what the application adds; one object.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata<'a, O: Serialize> {
    #[serde(flatten)]
    pub(crate) own: O,
    #[serde(flatten)]
    pub(crate) shared: Shared<'a>,
    #[serde(flatten)]
    pub(crate) loose: Loose<'a>,
}
