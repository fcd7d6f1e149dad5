//! Ids of runs, and where a run stands in its tree: pure functions of a span.

use obs_core::{Ancestor, MAX_DEPTH, Span, SpanId, Timestamp, TraceId};
use serde::Deserialize;
use uuid::{Builder, Uuid};

/// How the id of a run follows from the ids of its span.
///
/// All of them are computed, so that a retry, a restart and another process come to the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunIds {
    /// Eight zero bytes and the span id: what LangSmith itself does with spans that come by OTLP, so that both ways and
    /// other services of a trace agree.
    /// The default.
    #[default]
    OtelPadded,
    /// A UUID of version 7: the milliseconds of the span's start, then a hash of trace id and span id.
    /// A score knows no start, so that only scores of experiments find their target.
    Uuid7,
    /// The trace id as a UUID for the root, [`RunIds::OtelPadded`] for all other runs.
    /// A score of a trace finds its target without knowing the root; one of a span must know it.
    TraceRoot,
}

/// A span as ids are made of it.
#[derive(Debug, Clone, Copy)]
struct Level {
    span_id: SpanId,
    start: Timestamp,
    /// Nothing is above it in any process.
    is_root: bool,
}

impl RunIds {
    fn of(self, trace_id: TraceId, level: Level) -> Uuid {
        match self {
            Self::Uuid7 => uuid7(trace_id, level.span_id, level.start),
            Self::TraceRoot if level.is_root => of_trace(trace_id),
            Self::OtelPadded | Self::TraceRoot => padded(level.span_id),
        }
    }
}

/// The run of a span that comes by OTLP.
pub(crate) fn padded(span_id: SpanId) -> Uuid {
    Uuid::from_u128(u128::from(span_id.get()))
}

/// A trace id read as a UUID.
pub(crate) fn of_trace(trace_id: TraceId) -> Uuid {
    Uuid::from_u128(trace_id.get())
}

/// A UUID of version 7 whose random bits are all 64 of the span id, changed by the trace alone, and ten of the trace: two
/// spans of a trace never meet.
fn uuid7(trace_id: TraceId, span_id: SpanId, start: Timestamp) -> Uuid {
    let trace = trace_id.get();
    let trace = mixed(mixed((trace >> 64) as u64) ^ trace as u64);
    let hash = u128::from(mixed(trace)) << 64 | u128::from(span_id.get() ^ trace);
    let mut random = [0; 10];
    random.copy_from_slice(&spread(hash).to_be_bytes()[6..]);
    Builder::from_unix_timestamp_millis(start.as_millis(), &random).into_uuid()
}

/// The lower 74 bits with room for the four bits of the version and the two of the variant.
fn spread(hash: u128) -> u128 {
    const LOW: u128 = (1 << 62) - 1;
    (hash >> 62 & 0xfff) << 64 | hash & LOW
}

/// Spreads the bits of a number over all of it, one to one.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Where a run stands in its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The run's id.
    pub(crate) id: Uuid,
    /// The run at the top of its tree.
    pub(crate) trace_id: Uuid,
    /// The run above it; `None` at the top.
    pub(crate) parent: Option<Uuid>,
    /// Whether the top of its tree is the root of the trace.
    pub(crate) is_whole: bool,
    /// The stamps and ids from the top down to this run.
    pub(crate) dotted_order: String,
}

impl Place {
    /// The place of a span, which follows from its path.
    ///
    /// The topmost span that is known of here is the top of the tree, be it the trace's root or not: LangSmith needs the
    /// start of all that is above a run, and knows no parent elsewhere.
    pub(crate) fn of(ids: RunIds, span: &Span) -> Self {
        let own = Level { span_id: span.span_id, start: span.start, is_root: span.is_root() };
        let above = known_path(span);
        let depth = above.map_or(0, Ancestor::depth) + 1;
        let mut levels = Vec::with_capacity(depth);
        levels.push(own);
        let level = |a: &Ancestor| Level { span_id: a.span_id, start: a.start, is_root: a.is_root };
        levels.extend(above.into_iter().flat_map(Ancestor::iter).map(level));
        let mut place = Self {
            id: ids.of(span.trace_id, own),
            trace_id: Uuid::nil(),
            parent: None,
            is_whole: levels.last().is_some_and(|top| top.is_root),
            dotted_order: String::with_capacity(depth * (STAMP + 37)),
        };
        let mut latest = Timestamp::default();
        let mut id = None;
        for level in levels.into_iter().rev() {
            place.parent = id;
            let next = ids.of(span.trace_id, level);
            match id {
                None => place.trace_id = next,
                Some(_) => place.dotted_order.push('.'),
            }
            id = Some(next);
            // A clock that was set back must not put a child before its parent.
            latest = latest.max(level.start);
            push_stamp(&mut place.dotted_order, latest);
            place.dotted_order.push_str(next.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        place
    }
}

/// How long the stamp of one level of a dotted order is.
const STAMP: usize = 22;

/// Appends a time as a level of a dotted order begins: `20261121T095833120000Z`.
fn push_stamp(out: &mut String, time: Timestamp) {
    out.extend(time.rfc3339().micros().encode(&mut [0; 30]).split(['-', ':', '.']));
}

/// The ancestors that the place of a span follows from.
///
/// Below a chain that is full the path begins anew, so the last span of the chain is the top of a tree itself: its
/// children see nothing above it.
fn known_path(span: &Span) -> Option<&Ancestor> {
    let path = span.path.as_deref()?;
    let fits = span.parent_span_id == Some(path.span_id) && path.depth() < MAX_DEPTH;
    (fits && path.iter().all(|ancestor| ancestor.span_id != span.span_id)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_has_microseconds_rounded_down() {
        for (nanos, stamp) in [
            (0, "19700101T000000000000Z"),
            (1_763_700_000_000_000_999, "20251121T044000000000Z"),
            (1_763_700_000_123_456_789, "20251121T044000123456Z"),
            (u64::MAX, "25540721T233433709551Z"),
        ] {
            let mut out = String::new();
            push_stamp(&mut out, Timestamp::from_nanos(nanos));
            assert_eq!((out.as_str(), out.len()), (stamp, STAMP));
        }
    }
}
