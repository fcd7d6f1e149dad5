//! What is sent.

/// Which of OTLP's three services a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Traces,
    Metrics,
    /// Logs, and the events that scores and feedback are.
    Logs,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// An export request before compression.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) body: Vec<u8>,
}
