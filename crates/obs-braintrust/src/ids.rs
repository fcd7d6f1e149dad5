//! Ids of rows: each is a pure function of the record.

use obs_core::{Log, Span, SpanId, Str, TraceId};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::wire::Parents;

/// An id in Braintrust, where all of them are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Id {
    /// A span, and the row of a span: 16 hex digits.
    Span(SpanId),
    /// A trace, which is what Braintrust calls the root span's id: 32 hex digits.
    Trace(TraceId),
    /// What is neither, such as a log.
    Own(Uuid),
    /// A span made of such a thing: the first 16 hex digits of its id.
    Half(Uuid),
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Span(id) => id.serialize(serializer),
            Self::Trace(id) => id.serialize(serializer),
            Self::Own(id) => id.serialize(serializer),
            Self::Half(id) => {
                let mut hex = Uuid::encode_buffer();
                serializer.serialize_str(&id.simple().encode_lower(&mut hex)[..16])
            }
        }
    }
}

/// Where a row stands: its own id, its span, its trace, and what it is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) id: Id,
    pub(crate) span: Id,
    pub(crate) root: Id,
    /// `None` where nothing is known of it.
    pub(crate) parents: Option<Parents>,
}

impl Ids {
    /// Of a span's row: the row has the span's own id, so that scores find it.
    pub(crate) fn of_span(span: &Span) -> Self {
        let (id, root) = (Id::Span(span.span_id), Id::Trace(span.trace_id));
        Self { id, span: id, root, parents: Some(Parents(span.parent_span_id.map(Id::Span))) }
    }

    /// Of a log's row: it shares the span it was made under, and never its row.
    pub(crate) fn of_log(log: &Log, id: Uuid) -> Self {
        let (span, root) = match log.span {
            Some(at) => (at.span_id.map_or(Id::Half(id), Id::Span), Id::Trace(at.trace_id)),
            None => (Id::Own(id), Id::Own(id)),
        };
        Self { id: Id::Own(id), span, root, parents: None }
    }

    /// Of a log's row as a span below the one that the log was made under.
    pub(crate) fn of_child(log: &Log, id: Uuid) -> Self {
        let parent = log.span.and_then(|at| at.span_id).map(Id::Span);
        let root = log.span.map_or(Id::Own(id), |at| Id::Trace(at.trace_id));
        let span = if log.span.is_some() { Id::Half(id) } else { root };
        Self { id: Id::Own(id), span, root, parents: Some(Parents(parent)) }
    }
}

/// Which of Braintrust's objects rows go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The project's logs, or the experiment, of the configuration.
    Configured,
    /// An experiment that a record names.
    Experiment(Uuid),
}

impl Place {
    /// The experiment, where it is named as Braintrust names its own; any other name stays in the metadata.
    pub(crate) fn of(experiment: Option<&Str>) -> Self {
        experiment.and_then(|id| Uuid::parse_str(id).ok()).map_or(Self::Configured, Self::Experiment)
    }
}
