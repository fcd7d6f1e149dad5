//! Points in protobuf.

use obs_core::{ExpBuckets, ExpHistogram};

use super::point::{Buckets, Data, Point};
use crate::encode::{Encoding, fields, wire};

/// The number of the exemplars in each kind of point, and of the attributes.
const NUMBER: [u8; 2] = [5, 7];
const HISTOGRAM: [u8; 2] = [8, 9];
const EXP_HISTOGRAM: [u8; 2] = [11, 1];

/// Appends a point; gives how wide its length is, which `width` guesses.
pub(super) fn write(out: &mut Vec<u8>, scratch: &mut Vec<u8>, point: &Point<'_>, width: usize) -> usize {
    let slot = wire::Slot::open(out, wire::delimited(1), width);
    match &point.data {
        Data::Number(number) => {
            times(out, point);
            double(out, 4, Some(*number));
            exemplars(out, NUMBER[0], point);
            attributes(out, scratch, NUMBER[1], point);
        }
        Data::Histogram(buckets) => {
            times(out, point);
            histogram(out, buckets);
            exemplars(out, HISTOGRAM[0], point);
            attributes(out, scratch, HISTOGRAM[1], point);
            double(out, 11, buckets.min);
            double(out, 12, buckets.max);
        }
        Data::ExpHistogram(histogram) => {
            attributes(out, scratch, EXP_HISTOGRAM[1], point);
            times(out, point);
            exponential(out, histogram);
            exemplars(out, EXP_HISTOGRAM[0], point);
            double(out, 12, histogram.min);
            double(out, 13, histogram.max);
            double(out, 14, Some(histogram.zero_threshold).filter(|threshold| *threshold != 0.0));
        }
    }
    slot.close(out)
}

fn times(out: &mut Vec<u8>, point: &Point<'_>) {
    wire::nanos(out, wire::fixed64(2), point.start.unwrap_or_default().as_nanos());
    wire::nanos(out, wire::fixed64(3), point.time.as_nanos());
}

fn histogram(out: &mut Vec<u8>, buckets: &Buckets<'_>) {
    wire::nanos(out, wire::fixed64(4), buckets.count);
    double(out, 5, buckets.sum);
    packed(out, 6, buckets.counts().map(u64::to_le_bytes));
    packed(out, 7, buckets.bounds.iter().map(|bound| bound.to_le_bytes()));
}

fn exponential(out: &mut Vec<u8>, histogram: &ExpHistogram) {
    wire::nanos(out, wire::fixed64(4), histogram.count);
    double(out, 5, Some(histogram.sum).filter(|sum| sum.is_finite()));
    signed(out, 6, histogram.scale);
    wire::nanos(out, wire::fixed64(7), histogram.zero_count);
    side(out, 8, &histogram.positive);
    side(out, 9, &histogram.negative);
}

/// The buckets of one sign, if there are any.
fn side(out: &mut Vec<u8>, field: u8, buckets: &ExpBuckets) {
    if *buckets == ExpBuckets::default() {
        return;
    }
    let slot = wire::Slot::open(out, wire::delimited(field), 1);
    signed(out, 1, buckets.offset);
    if !buckets.counts.is_empty() {
        let counts = wire::Slot::open(out, wire::delimited(2), 1);
        for count in &buckets.counts {
            wire::push(out, *count);
        }
        counts.close(out);
    }
    slot.close(out);
}

fn exemplars(out: &mut Vec<u8>, field: u8, point: &Point<'_>) {
    for (time, value, span) in point.exemplars() {
        let slot = wire::Slot::open(out, wire::delimited(field), 1);
        wire::nanos(out, wire::fixed64(2), time.as_nanos());
        double(out, 3, Some(value));
        if let Some(span_id) = span.span_id {
            wire::bytes(out, wire::delimited(4), &span_id.to_bytes());
        }
        wire::bytes(out, wire::delimited(5), &span.trace_id.to_bytes());
        slot.close(out);
    }
}

fn attributes(out: &mut Vec<u8>, scratch: &mut Vec<u8>, field: u8, point: &Point<'_>) {
    fields::write(out, scratch, Encoding::Protobuf, field, |to| point.labels(to));
}

/// A number that is there, also zero.
fn double(out: &mut Vec<u8>, field: u8, number: Option<f64>) {
    if let Some(number) = number {
        out.extend_from_slice(&wire::tagged(wire::fixed64(field), number.to_le_bytes()));
    }
}

/// A `sint32`, unless it is zero.
fn signed(out: &mut Vec<u8>, field: u8, number: i32) {
    if number != 0 {
        let zigzag = (number << 1) ^ (number >> 31);
        wire::number(out, wire::varint(field), u64::from(zigzag as u32));
    }
}

/// Numbers of eight bytes in one field, if there are any.
fn packed(out: &mut Vec<u8>, field: u8, numbers: impl ExactSizeIterator<Item = [u8; 8]>) {
    if numbers.len() > 0 {
        wire::head(out, wire::delimited(field), numbers.len() * 8);
        numbers.for_each(|number| out.extend_from_slice(&number));
    }
}
