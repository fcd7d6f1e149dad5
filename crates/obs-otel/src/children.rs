//! Children as events of their root, for backends where each span is paid for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use obs_core::{Event, Link, Records, Span, SpanId, SpanRecord, TraceId};
use obs_otlp::encode::{AddedEvent, Fields, SpanParts, TraceRequests, genai};

use crate::OtelExporter;
use crate::resource::OfBatch;
use crate::traces::{attributes, name};

/// The longest chain of parents that is followed within a batch.
const DEEPEST: usize = 256;

/// Which spans of a batch become events: the children of each root, by position.
pub(crate) type Families = BTreeMap<usize, Vec<usize>>;

/// The children whose root is in the same batch and has the same resource and scope; all others are spans, since an event has no resource of its own.
pub(crate) fn families(exporter: &OtelExporter, records: &Records<SpanRecord>) -> Families {
    let ended = || records.iter().enumerate().filter_map(|(at, record)| Some((at, record.ended()?)));
    let key = |span: &Span| (span.trace_id, span.span_id);
    let parents: HashMap<_, _> = ended().map(|(_, span)| (key(span), span.parent_span_id)).collect();
    let roots: HashMap<_, _> =
        ended().filter(|(_, span)| is_top(span)).map(|(at, span)| (key(span), at)).collect();
    let mut families = Families::new();
    for (at, span) in ended().filter(|(_, span)| !is_top(span)) {
        let root = root_of(span, &parents, &roots);
        let of_one = |root: &usize| {
            records.get(*root).is_some_and(|root| of_one_resource(exporter, span, root.span()))
        };
        if let Some(root) = root.filter(of_one) {
            families.entry(root).or_default().push(at);
        }
    }
    families
}

/// Whether both go out under the same resource and scope.
fn of_one_resource(exporter: &OtelExporter, a: &Span, b: &Span) -> bool {
    Arc::ptr_eq(&a.resource, &b.resource) || exporter.complete(&a.resource) == exporter.complete(&b.resource)
}

/// Whether nothing of this process is above it.
fn is_top(span: &Span) -> bool {
    span.parent_span_id.is_none() || span.remote_parent
}

type Known<T> = HashMap<(TraceId, SpanId), T>;

fn root_of(span: &Span, parents: &Known<Option<SpanId>>, roots: &Known<usize>) -> Option<usize> {
    let top = span.ancestors().last().map(|top| top.span_id);
    let mut next = top.or(span.parent_span_id);
    for _ in 0..DEEPEST {
        let above = (span.trace_id, next?);
        if let Some(root) = roots.get(&above) {
            return Some(*root);
        }
        next = parents.get(&above).copied().flatten();
    }
    None
}

/// Adds a root with its children as events: each child's own, then those that it had itself.
pub(crate) fn push<'a>(
    exporter: &'a OtelExporter,
    requests: &mut TraceRequests,
    resources: &mut OfBatch<'a>,
    at: usize,
    root: &'a Span,
    children: &[&'a Span],
) {
    let put = attributes(exporter.conventions());
    let names: Vec<_> = children.iter().map(|child| name(exporter, child)).collect();
    let says: Vec<_> =
        children.iter().map(|child| move |to: &mut Fields<'_>| of_child(root, child, put, to)).collect();
    let own: Vec<(&Span, &Event)> =
        children.iter().flat_map(|child| child.events.iter().map(|event| (*child, event))).collect();
    let own_says: Vec<_> = own
        .iter()
        .map(|(child, event)| {
            move |to: &mut Fields<'_>| {
                to.display(SPAN_ID, child.span_id);
                to.attributes(&event.attributes);
            }
        })
        .collect();
    let of_children = children.iter().zip(&names).zip(&says).map(|((child, name), says)| AddedEvent {
        time: child.start,
        name,
        error: child.error.as_deref().filter(|_| child.status == obs_core::Status::Error),
        attributes: says,
    });
    let of_their_own = own.iter().zip(&own_says).map(|((_, event), says)| AddedEvent {
        time: event.time,
        name: &event.name,
        error: None,
        attributes: says,
    });
    let mut added: Vec<AddedEvent<'_>> = of_children.chain(of_their_own).collect();
    added.sort_by_key(|event| event.time);
    let of_children = children.iter().flat_map(|child| child.links.iter().map(|link| link_of(child, link)));
    let links: Vec<Link> = root.links.iter().cloned().chain(of_children).collect();
    let name = name(exporter, root);
    let parts = SpanParts {
        name: &name,
        kind: genai::kind(root),
        added: &added,
        links: &links,
        ..SpanParts::of(root, root.end.unwrap_or(root.start))
    };
    requests.push(at, resources.complete(&root.resource), &parts, |to| put(root, to));
}

const SPAN_ID: &str = "obs.span.id";

/// A child's link, which says whose it was.
fn link_of(child: &Span, link: &Link) -> Link {
    let mut link = link.clone();
    link.attributes.insert(SPAN_ID, child.span_id.to_string());
    link
}

/// What a child was as a span, and its attributes.
fn of_child(root: &Span, child: &Span, put: fn(&Span, &mut Fields<'_>), to: &mut Fields<'_>) {
    to.display(SPAN_ID, child.span_id);
    if let Some(parent) = child.parent_span_id {
        to.display("obs.span.parent_id", parent);
    }
    let kind = match genai::kind(child) {
        obs_core::SpanKind::Internal => "internal",
        obs_core::SpanKind::Client => "client",
        obs_core::SpanKind::Server => "server",
        obs_core::SpanKind::Producer => "producer",
        obs_core::SpanKind::Consumer => "consumer",
    };
    to.str("obs.span.kind", kind);
    let status = match child.status {
        obs_core::Status::Unset => "unset",
        obs_core::Status::Ok => "ok",
        obs_core::Status::Error => "error",
    };
    to.str("obs.span.status", status);
    let nanos = child.duration().map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    to.u64("obs.span.duration_ns", nanos);
    if let Some(state) = &child.trace_state {
        to.str("obs.span.trace_state", state);
    }
    if child.trace_flags != root.trace_flags {
        to.u64("obs.span.trace_flags", child.trace_flags.into());
    }
    put(child, to);
}
