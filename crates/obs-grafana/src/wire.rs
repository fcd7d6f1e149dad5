//! Requests; no logic.

use serde::{Serialize, Serializer};

/// Whose way a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Traces,
    Metrics,
    /// Logs, and the events that scores and feedback are.
    Logs,
}

/// A request before compression, in the form that its way has.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) body: Vec<u8>,
}

/// The labels of a stream, as an object.
pub(crate) struct Stream<'a>(pub(crate) &'a [(String, String)]);

impl Serialize for Stream<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
