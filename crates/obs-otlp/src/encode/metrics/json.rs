//! Points in JSON.

use obs_core::{ExpBuckets, ExpHistogram};

use super::point::{Buckets, Data, Point};
use crate::encode::{Encoding, fields, json};

/// Appends a point.
pub(super) fn write(out: &mut Vec<u8>, scratch: &mut Vec<u8>, point: &Point<'_>) {
    out.push(b'{');
    if let Some(start) = point.start {
        json::name(out, "startTimeUnixNano");
        json::quoted(out, start.as_nanos());
    }
    json::name(out, "timeUnixNano");
    json::quoted(out, point.time.as_nanos());
    fields::write(out, scratch, Encoding::Json, 0, |to| point.labels(to));
    match &point.data {
        Data::Number(number) => double(out, "asDouble", Some(*number)),
        Data::Histogram(buckets) => histogram(out, buckets),
        Data::ExpHistogram(histogram) => exponential(out, histogram),
    }
    exemplars(out, point);
    out.push(b'}');
}

fn histogram(out: &mut Vec<u8>, buckets: &Buckets<'_>) {
    json::name(out, "count");
    json::quoted(out, buckets.count);
    double(out, "sum", buckets.sum);
    list(out, "bucketCounts", buckets.counts(), json::quoted);
    list(out, "explicitBounds", buckets.bounds.iter(), |out, bound| json::float(out, *bound));
    double(out, "min", buckets.min);
    double(out, "max", buckets.max);
}

fn exponential(out: &mut Vec<u8>, histogram: &ExpHistogram) {
    json::name(out, "count");
    json::quoted(out, histogram.count);
    double(out, "sum", Some(histogram.sum).filter(|sum| sum.is_finite()));
    json::name(out, "scale");
    json::signed(out, histogram.scale);
    json::name(out, "zeroCount");
    json::quoted(out, histogram.zero_count);
    double(out, "zeroThreshold", Some(histogram.zero_threshold));
    side(out, "positive", &histogram.positive);
    side(out, "negative", &histogram.negative);
    double(out, "min", histogram.min);
    double(out, "max", histogram.max);
}

/// The buckets of one sign, if there are any.
fn side(out: &mut Vec<u8>, name: &str, buckets: &ExpBuckets) {
    if *buckets == ExpBuckets::default() {
        return;
    }
    json::name(out, name);
    out.push(b'{');
    json::name(out, "offset");
    json::signed(out, buckets.offset);
    list(out, "bucketCounts", buckets.counts.iter(), |out, count| json::quoted(out, *count));
    out.push(b'}');
}

fn exemplars(out: &mut Vec<u8>, point: &Point<'_>) {
    list(out, "exemplars", point.exemplars(), |out, (time, value, span)| {
        out.push(b'{');
        json::name(out, "timeUnixNano");
        json::quoted(out, time.as_nanos());
        double(out, "asDouble", Some(value));
        if let Some(span_id) = span.span_id {
            json::name(out, "spanId");
            json::hex(out, &span_id.to_hex());
        }
        json::name(out, "traceId");
        json::hex(out, &span.trace_id.to_hex());
        out.push(b'}');
    });
}

fn double(out: &mut Vec<u8>, name: &str, number: Option<f64>) {
    if let Some(number) = number {
        json::name(out, name);
        json::float(out, number);
    }
}

/// A list of what there is; an empty one is left out.
fn list<T>(
    out: &mut Vec<u8>,
    name: &str,
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    let mut elements = elements.into_iter().peekable();
    if elements.peek().is_none() {
        return;
    }
    json::name(out, name);
    out.push(b'[');
    for (nth, element) in elements.enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}
