//! Spans.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Attributes, ErrorInfo, Payload, Resource, SpanId, SpanType, Str, Timestamp, TraceContext, TraceId,
    payload,
};

/// The deepest chain of ancestors that is kept: deeper spans keep their nearest ones.
pub const MAX_DEPTH: usize = 256;

/// A unit of work.
///
/// `end` is absent while it runs; a span in [`crate::SpanRecord::Ended`] has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span it is a child of; absent on a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<SpanId>,
    /// Its ancestors in this process, the parent first.
    #[serde(default, with = "path", skip_serializing_if = "Option::is_none")]
    pub path: Option<Arc<Ancestor>>,
    /// Whether the parent is in another process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remote_parent: bool,
    /// What it is called.
    pub name: Str,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Its role in a call between services.
    #[serde(default, skip_serializing_if = "SpanKind::is_internal")]
    pub kind: SpanKind,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Status::is_unset")]
    pub status: Status,
    /// What it stands for.
    #[serde(rename = "type", default)]
    pub span_type: SpanType,
    /// What it was given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub input: Option<Payload>,
    /// What it gave back.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub output: Option<Payload>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<ErrorInfo>>,
    /// What happened during it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Other spans it is related to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether a score or feedback was given to it while it was open: no filter of span types takes it away then.
    ///
    /// Exporters need not send it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judged: bool,
    /// W3C trace flags; bit 0 is `sampled`.
    #[serde(default = "sampled")]
    pub trace_flags: u8,
    /// W3C `tracestate`, if any came or was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<Str>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// What is known of the whole trace.
    #[serde(default)]
    pub context: Arc<TraceContext>,
    /// What produced it.
    #[serde(default)]
    pub resource: Arc<Resource>,
}

fn sampled() -> u8 {
    1
}

impl Span {
    /// A running root span with everything optional left out.
    pub fn new(trace_id: TraceId, span_id: SpanId, name: impl Into<Str>, start: Timestamp) -> Self {
        Self::new_in(trace_id, span_id, name, start, TraceContext::none(), Resource::none())
    }

    /// [`Span::new`] with what it shares with others, so that nothing is allocated.
    #[inline]
    pub fn new_in(
        trace_id: TraceId,
        span_id: SpanId,
        name: impl Into<Str>,
        start: Timestamp,
        context: Arc<TraceContext>,
        resource: Arc<Resource>,
    ) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            path: None,
            remote_parent: false,
            name: name.into(),
            start,
            end: None,
            kind: SpanKind::Internal,
            status: Status::Unset,
            span_type: SpanType::Generic,
            input: None,
            output: None,
            error: None,
            events: Vec::new(),
            links: Vec::new(),
            judged: false,
            trace_flags: sampled(),
            trace_state: None,
            attributes: Attributes::new(),
            context,
            resource,
        }
    }

    /// How long it took; `None` while it runs.
    pub fn duration(&self) -> Option<Duration> {
        self.end.map(|end| end.since(self.start))
    }

    /// The trace flags, unless they say what nearly all do: that the trace is sampled, and perhaps that its id is random.
    pub const fn unusual_flags(&self) -> Option<u8> {
        match self.trace_flags {
            0b01 | 0b11 => None,
            unusual => Some(unusual),
        }
    }

    /// Whether nothing is above it, in this process or another.
    pub fn is_root(&self) -> bool {
        self.parent_span_id.is_none()
    }

    /// The id of the trace's root, where it is known in this process.
    ///
    /// `None` if the span or its topmost known ancestor has a parent elsewhere.
    pub fn root_span_id(&self) -> Option<SpanId> {
        match (&self.path, self.parent_span_id) {
            (Some(path), _) => path.iter().last().filter(|top| top.is_root).map(|top| top.span_id),
            (None, None) => Some(self.span_id),
            (None, Some(_)) => None,
        }
    }

    /// The ancestors known in this process, the parent first.
    pub fn ancestors(&self) -> impl Iterator<Item = &Ancestor> {
        self.path.iter().flat_map(|path| path.iter())
    }

    /// The reference to this span that logs, scores and exemplars carry.
    pub fn reference(&self) -> SpanRef {
        SpanRef { trace_id: self.trace_id, span_id: Some(self.span_id) }
    }
}

/// A place in a trace: a span, or the trace without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanRef {
    /// The trace.
    pub trace_id: TraceId,
    /// The span, if one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
}

/// A span's role in a call between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Within a service.
    #[default]
    Internal,
    /// It calls another service.
    Client,
    /// It serves a call.
    Server,
    /// It hands on a message.
    Producer,
    /// It takes a message.
    Consumer,
}

impl SpanKind {
    /// Whether it is [`SpanKind::Internal`].
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
    pub fn is_internal(&self) -> bool {
        *self == Self::Internal
    }
}

/// How a span ended, in OpenTelemetry's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was said; readers take it as fine.
    #[default]
    Unset,
    /// Declared fine.
    Ok,
    /// Failed; [`Span::error`] says how.
    Error,
}

impl Status {
    /// Whether it is [`Status::Unset`].
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
    pub fn is_unset(&self) -> bool {
        *self == Self::Unset
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What.
    pub name: Str,
    /// Details.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A relation to another span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its W3C `tracestate`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<Str>,
    /// What the relation is.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// One span above another: what pure functions of a span need to know of it.
///
/// Chains are shared between siblings, at most [`MAX_DEPTH`] long, and dropped without recursion.
#[derive(Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub span_id: SpanId,
    /// When it began.
    pub start: Timestamp,
    /// Whether it is the trace's root: nothing above it in any process.
    pub is_root: bool,
    parent: Option<Arc<Self>>,
    depth: u16,
}

impl Ancestor {
    /// A link in the chain, above which stands `parent`.
    ///
    /// Where the chain would grow past [`MAX_DEPTH`], it begins anew here.
    pub fn new(span_id: SpanId, start: Timestamp, is_root: bool, parent: Option<Arc<Self>>) -> Self {
        let parent = parent.filter(|parent| usize::from(parent.depth) < MAX_DEPTH);
        let depth = parent.as_ref().map_or(1, |parent| parent.depth + 1);
        Self { span_id, start, is_root, parent, depth }
    }

    /// The ancestor above, if it is known in this process.
    pub fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    /// How many links the chain has from here, this one counted.
    pub fn depth(&self) -> usize {
        self.depth.into()
    }

    /// This one, then those above it.
    pub fn iter(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |at| at.parent.as_deref())
    }
}

impl Drop for Ancestor {
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut ancestor) = next.and_then(Arc::into_inner) {
            next = ancestor.parent.take();
        }
    }
}

/// The chain of ancestors as a list, because nested objects would hit the depth limit of JSON readers.
mod path {
    use super::{
        Ancestor, Arc, Deserialize, Deserializer, MAX_DEPTH, Serialize, Serializer, SpanId, Timestamp,
    };

    #[derive(Serialize, Deserialize)]
    struct Item {
        span_id: SpanId,
        start: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_root: bool,
    }

    #[expect(clippy::ref_option, reason = "the signature serde's `with` asks for")]
    pub(super) fn serialize<S: Serializer>(
        path: &Option<Arc<Ancestor>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let items = path.iter().flat_map(|path| path.iter());
        serializer.collect_seq(items.map(|a| Item { span_id: a.span_id, start: a.start, is_root: a.is_root }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<Ancestor>>, D::Error> {
        let mut items = Vec::<Item>::deserialize(deserializer)?;
        items.truncate(MAX_DEPTH);
        Ok(items.into_iter().rev().fold(None, |parent, item| {
            Some(Arc::new(Ancestor::new(item.span_id, item.start, item.is_root, parent)))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u64) -> SpanId {
        SpanId::new(value).unwrap()
    }

    fn chain(length: u64) -> Option<Arc<Ancestor>> {
        (1..=length).fold(None, |parent, at| {
            Some(Arc::new(Ancestor::new(id(at), Timestamp::from_nanos(at), at == 1, parent)))
        })
    }

    fn span(path: Option<Arc<Ancestor>>) -> Span {
        let mut span = Span::new(TraceId::new(7).unwrap(), id(9), "s", Timestamp::default());
        span.parent_span_id = path.as_ref().map(|parent| parent.span_id);
        span.path = path;
        span
    }

    #[test]
    fn the_root_is_a_function_of_the_path() {
        assert_eq!(span(None).root_span_id(), Some(id(9)));
        assert_eq!(span(chain(3)).root_span_id(), Some(id(1)));
        let mut remote = span(None);
        remote.parent_span_id = Some(id(4));
        assert_eq!(remote.root_span_id(), None);
        let deep = span(chain(MAX_DEPTH as u64 + 2));
        assert_eq!(deep.root_span_id(), None, "a chain that began anew does not know the root");
    }

    #[test]
    fn a_path_round_trips_as_a_flat_list() {
        let span = span(chain(200));
        let json = serde_json::to_string(&span).unwrap();
        assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), span);
    }

    #[test]
    fn chains_are_bounded_and_shared() {
        let parent = chain(MAX_DEPTH as u64).unwrap();
        assert_eq!(parent.depth(), MAX_DEPTH);
        assert_eq!(Ancestor::new(id(1), Timestamp::default(), false, Some(parent.clone())).depth(), 1);
        let (a, b) = (span(Some(parent.clone())), span(Some(parent)));
        assert!(Arc::ptr_eq(a.path.as_ref().unwrap(), b.path.as_ref().unwrap()));
    }

    #[test]
    fn a_span_stays_small_enough_to_move() {
        assert!(size_of::<Span>() <= 704, "{}", size_of::<Span>());
    }
}
