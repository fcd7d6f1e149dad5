//! One metric with its points.

use obs_core::{Metric, Str, Temporality};

use super::point::{Kind, Point};
use super::{json as point_json, protobuf};
use crate::encode::group::RECORDS;
use crate::encode::{Encoding, json, wire};

/// What makes points those of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    name: Str,
    unit: Option<Str>,
    description: Option<Str>,
    kind: Kind,
}

impl Identity {
    pub(super) fn of(metric: &Metric, kind: Kind) -> Self {
        let Metric { name, unit, description, .. } = metric;
        Self { name: name.clone(), unit: unit.clone(), description: description.clone(), kind }
    }

    fn is(&self, metric: &Metric, kind: Kind) -> bool {
        let Self { name, unit, description, kind: own } = self;
        *own == kind && *name == metric.name && *unit == metric.unit && *description == metric.description
    }
}

/// A metric while its points are being written.
#[derive(Debug)]
pub(super) struct Message {
    identity: Identity,
    /// What stands before the data.
    head: Vec<u8>,
    pub(super) points: Vec<u8>,
    /// What stands behind the points in the data.
    tail: Vec<u8>,
    pub(super) count: usize,
    /// How wide the length of the last point was.
    width: usize,
}

impl Message {
    pub(super) fn new(encoding: Encoding, identity: Identity) -> Self {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        let unit = identity.unit.as_deref().unwrap_or_default();
        let description = identity.description.as_deref().unwrap_or_default();
        match encoding {
            Encoding::Protobuf => {
                wire::text(&mut head, wire::delimited(1), &identity.name);
                wire::text(&mut head, wire::delimited(2), description);
                wire::text(&mut head, wire::delimited(3), unit);
                tail_protobuf(&mut tail, identity.kind);
            }
            Encoding::Json => {
                head.push(b'{');
                json::field(&mut head, "name", &identity.name);
                json::field(&mut head, "description", description);
                json::field(&mut head, "unit", unit);
                json::name(&mut head, data(identity.kind).0);
                head.extend_from_slice(b"{\"dataPoints\":[");
                tail_json(&mut tail, identity.kind);
            }
        }
        Self { identity, head, points: Vec::new(), tail, count: 0, width: 1 }
    }

    /// Whether a point of this record and kind is one of its points.
    pub(super) fn is_of(&self, metric: &Metric, kind: Kind) -> bool {
        self.identity.is(metric, kind)
    }

    /// Adds a point.
    pub(super) fn push(&mut self, encoding: Encoding, scratch: &mut Vec<u8>, point: &Point<'_>) {
        match encoding {
            Encoding::Protobuf => {
                self.width = protobuf::write(&mut self.points, scratch, point, self.width);
            }
            Encoding::Json => {
                if self.count > 0 {
                    self.points.push(b',');
                }
                point_json::write(&mut self.points, scratch, point);
            }
        }
        self.count += 1;
    }

    /// Takes the last point back, before which the points had so many bytes.
    pub(super) fn truncate(&mut self, points: usize) {
        self.points.truncate(points);
        self.count -= 1;
    }

    /// How many bytes it has among others; none while it has no points.
    pub(super) fn bytes(&self, encoding: Encoding) -> usize {
        if self.count == 0 {
            return 0;
        }
        match encoding {
            Encoding::Protobuf => {
                wire::field_len(self.head.len() + wire::field_len(self.points.len() + self.tail.len()))
            }
            Encoding::Json => self.head.len() + self.points.len() + self.tail.len(),
        }
    }

    /// Appends it.
    pub(super) fn write(&self, encoding: Encoding, out: &mut Vec<u8>) {
        if encoding == Encoding::Protobuf {
            let of_points = self.points.len() + self.tail.len();
            wire::head(out, RECORDS, self.head.len() + wire::field_len(of_points));
            out.extend_from_slice(&self.head);
            wire::head(out, wire::delimited(data(self.identity.kind).1), of_points);
        } else {
            out.extend_from_slice(&self.head);
        }
        out.extend_from_slice(&self.points);
        out.extend_from_slice(&self.tail);
    }
}

/// The name of a kind's data, and its number.
const fn data(kind: Kind) -> (&'static str, u8) {
    match kind {
        Kind::Gauge => ("gauge", 5),
        Kind::Sum { .. } => ("sum", 7),
        Kind::Histogram(_) => ("histogram", 9),
        Kind::ExpHistogram(_) => ("exponentialHistogram", 10),
    }
}

/// A kind's temporality, and whether its sums only grow.
const fn shared(kind: Kind) -> (Option<u8>, bool) {
    match kind {
        Kind::Gauge => (None, false),
        Kind::Sum { temporality, monotonic } => (Some(number(temporality)), monotonic),
        Kind::Histogram(temporality) | Kind::ExpHistogram(temporality) => (Some(number(temporality)), false),
    }
}

/// OTLP's number of a temporality; zero, which is none, is never written.
const fn number(temporality: Temporality) -> u8 {
    match temporality {
        Temporality::Delta => 1,
        Temporality::Cumulative => 2,
    }
}

fn tail_protobuf(out: &mut Vec<u8>, kind: Kind) {
    let (temporality, monotonic) = shared(kind);
    if let Some(temporality) = temporality {
        out.extend_from_slice(&[wire::varint(2), temporality]);
    }
    if monotonic {
        out.extend_from_slice(&[wire::varint(3), 1]);
    }
}

fn tail_json(out: &mut Vec<u8>, kind: Kind) {
    let (temporality, monotonic) = shared(kind);
    out.push(b']');
    if let Some(temporality) = temporality {
        json::name(out, "aggregationTemporality");
        json::number(out, temporality.into());
    }
    if let Kind::Sum { .. } = kind {
        json::name(out, "isMonotonic");
        out.extend_from_slice(if monotonic { b"true" } else { b"false" });
    }
    out.extend_from_slice(b"}}");
}
