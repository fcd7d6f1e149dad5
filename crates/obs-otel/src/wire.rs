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
    pub(crate) items: Items,
}

/// What a collector counts when it refuses some of a request.
#[derive(Debug)]
pub(crate) enum Items {
    /// Each record is an item.
    Records,
    /// An item may have several records in it: how many each has, the most first.
    Families(Vec<usize>),
}

impl Items {
    /// Items of so many records.
    pub(crate) fn families(mut sizes: Vec<usize>) -> Self {
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        Self::Families(sizes)
    }

    /// How many records so many items are: nobody says which items, so that it is the most that they may be.
    pub(crate) fn records(&self, items: usize) -> usize {
        match self {
            Self::Records => items,
            Self::Families(sizes) => sizes.iter().take(items).sum(),
        }
    }
}
