//! Metrics.

use std::sync::Arc;

use obs_core::{
    Exemplar, ExpBuckets, ExpHistogram, Histogram, Labels, Metric, MetricValue, Record, SpanRef, Str,
    Temporality, Timestamp, TraceContext,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{self as wire, metric::Data};

use super::collect::Source;
use super::value::text;
use super::{pairs, spans};

/// Set on a point that stands for a series having ended.
const NO_RECORDED_VALUE: u32 = 1;

/// Every point of a metric, or the reason why one is refused.
pub(super) fn convert(
    metric: &wire::Metric,
    source: &mut Source,
    records: &mut Vec<Record>,
    refused: &mut Vec<(String, String)>,
) {
    let mut add = |kind: &str, at: usize, point: Result<Vec<Metric>, String>| match point {
        Ok(points) => records.extend(points.into_iter().map(Record::Metric)),
        Err(reason) => refused.push((format!(".{kind}.dataPoints[{at}]"), reason)),
    };
    let base = match base(metric, source) {
        Ok(base) => base,
        Err(reason) => return refused.push((String::new(), reason)),
    };
    match &metric.data {
        Some(Data::Gauge(gauge)) => {
            for (at, point) in gauge.data_points.iter().enumerate() {
                add("gauge", at, number(&base, point, None, MetricValue::Gauge));
            }
        }
        Some(Data::Sum(sum)) => {
            let value = |value| MetricValue::Sum { value, monotonic: sum.is_monotonic };
            for (at, point) in sum.data_points.iter().enumerate() {
                let temporality = temporality(sum.aggregation_temporality);
                add("sum", at, temporality.and_then(|temporality| number(&base, point, temporality, value)));
            }
        }
        Some(Data::Histogram(histogram)) => {
            for (at, point) in histogram.data_points.iter().enumerate() {
                let temporality = temporality(histogram.aggregation_temporality);
                add("histogram", at, temporality.and_then(|temporality| explicit(&base, point, temporality)));
            }
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            for (at, point) in histogram.data_points.iter().enumerate() {
                let temporality = temporality(histogram.aggregation_temporality);
                let point = temporality.and_then(|temporality| exponential(&base, point, temporality));
                add("exponentialHistogram", at, point);
            }
        }
        Some(Data::Summary(summary)) => {
            for (at, point) in summary.data_points.iter().enumerate() {
                add("summary", at, quantiles(&base, point));
            }
        }
        None => refused.push((String::new(), NO_DATA.into())),
    }
}

const NO_DATA: &str = "it holds none of gauge, sum, histogram, exponentialHistogram and summary";

/// What every point of a metric shares.
fn base(metric: &wire::Metric, source: &mut Source) -> Result<Metric, String> {
    if metric.name.is_empty() {
        return Err("the metric has no name".into());
    }
    let stated = |text: &String| Some(text).filter(|text| !text.is_empty()).map(Str::from);
    let mut base = Metric::new(Timestamp::default(), Str::copied(&metric.name), MetricValue::Gauge(0.0));
    base.unit = stated(&metric.unit);
    base.description = stated(&metric.description);
    base.resource = source.resource.clone();
    let metadata = pairs::attributes(&metric.metadata).map_err(|why| format!("metadata: {why}"))?;
    base.context = source.context(TraceContext { metadata, ..TraceContext::default() });
    Ok(base)
}

fn point(
    base: &Metric,
    attributes: &[KeyValue],
    [start, time]: [u64; 2],
    flags: u32,
) -> Result<Metric, String> {
    if flags & NO_RECORDED_VALUE != 0 {
        return Err("the point is flagged as having no recorded value: its series has ended".into());
    }
    let mut point = base.clone();
    point.time = Timestamp::from_nanos(time);
    point.start = Some(start).filter(|start| *start != 0).map(Timestamp::from_nanos);
    point.labels = labels(attributes)?;
    Ok(point)
}

fn labels(attributes: &[KeyValue]) -> Result<Labels, String> {
    Ok(pairs::pairs(attributes)?.into_iter().map(|(key, value)| (key, text(value))).collect())
}

fn temporality(temporality: i32) -> Result<Option<Temporality>, String> {
    match wire::AggregationTemporality::try_from(temporality) {
        Ok(wire::AggregationTemporality::Unspecified) => Ok(None),
        Ok(wire::AggregationTemporality::Delta) => Ok(Some(Temporality::Delta)),
        Ok(wire::AggregationTemporality::Cumulative) => Ok(Some(Temporality::Cumulative)),
        Err(_) => Err(format!("aggregationTemporality {temporality} is none of OTLP's, 0 to 2")),
    }
}

fn number(
    base: &Metric,
    wire: &wire::NumberDataPoint,
    temporality: Option<Temporality>,
    value: impl Fn(f64) -> MetricValue,
) -> Result<Vec<Metric>, String> {
    let mut out =
        point(base, &wire.attributes, [wire.start_time_unix_nano, wire.time_unix_nano], wire.flags)?;
    out.value = value(match wire.value {
        Some(wire::number_data_point::Value::AsDouble(number)) => number,
        Some(wire::number_data_point::Value::AsInt(number)) => number as f64,
        None => return Err("the point has no value: neither asDouble nor asInt".into()),
    });
    out.temporality = temporality;
    out.exemplar = exemplar(&wire.exemplars);
    Ok(vec![out])
}

fn explicit(
    base: &Metric,
    wire: &wire::HistogramDataPoint,
    temporality: Option<Temporality>,
) -> Result<Vec<Metric>, String> {
    let mut out =
        point(base, &wire.attributes, [wire.start_time_unix_nano, wire.time_unix_nano], wire.flags)?;
    let bounds: Arc<[f64]> = wire.explicit_bounds.as_slice().into();
    if !bounds.is_sorted_by(|a, b| a < b) {
        return Err("explicitBounds must ascend".into());
    }
    let counts = match (wire.bucket_counts.as_slice(), bounds.len()) {
        ([], 0) => vec![wire.count],
        (counts, bounds) if counts.len() == bounds + 1 => counts.to_vec(),
        (counts, bounds) => {
            let counts = counts.len();
            return Err(format!(
                "{counts} bucketCounts do not fit {bounds} explicitBounds, which need one more"
            ));
        }
    };
    out.value = MetricValue::Histogram(Box::new(Histogram {
        count: wire.count,
        sum: wire.sum.unwrap_or(f64::NAN),
        min: wire.min,
        max: wire.max,
        bounds,
        counts,
        exemplars: exemplars(&wire.exemplars).collect(),
    }));
    out.temporality = temporality;
    Ok(vec![out])
}

fn exponential(
    base: &Metric,
    wire: &wire::ExponentialHistogramDataPoint,
    temporality: Option<Temporality>,
) -> Result<Vec<Metric>, String> {
    let mut out =
        point(base, &wire.attributes, [wire.start_time_unix_nano, wire.time_unix_nano], wire.flags)?;
    let buckets = |buckets: &Option<wire::exponential_histogram_data_point::Buckets>| {
        buckets.as_ref().map_or_else(ExpBuckets::default, |buckets| ExpBuckets {
            offset: buckets.offset,
            counts: buckets.bucket_counts.clone(),
        })
    };
    out.value = MetricValue::ExpHistogram(Box::new(ExpHistogram {
        count: wire.count,
        sum: wire.sum.unwrap_or(f64::NAN),
        min: wire.min,
        max: wire.max,
        scale: wire.scale,
        zero_count: wire.zero_count,
        zero_threshold: wire.zero_threshold,
        positive: buckets(&wire.positive),
        negative: buckets(&wire.negative),
        exemplars: exemplars(&wire.exemplars).collect(),
    }));
    out.temporality = temporality;
    Ok(vec![out])
}

/// A summary has no form of its own in the record, so its parts become series, named as Prometheus names them.
fn quantiles(base: &Metric, wire: &wire::SummaryDataPoint) -> Result<Vec<Metric>, String> {
    let out = point(base, &wire.attributes, [wire.start_time_unix_nano, wire.time_unix_nano], wire.flags)?;
    let part = |suffix: &str, value: f64| Metric {
        name: format!("{}{suffix}", out.name).into(),
        value: MetricValue::Sum { value, monotonic: suffix == "_count" },
        temporality: Some(Temporality::Cumulative),
        unit: out.unit.clone().filter(|_| suffix == "_sum"),
        ..out.clone()
    };
    let mut parts = vec![part("_sum", wire.sum), part("_count", wire.count as f64)];
    parts.extend(wire.quantile_values.iter().map(|at| {
        let quantile = (Str::from_static("quantile"), Str::from(at.quantile.to_string()));
        Metric {
            labels: out.labels.iter().cloned().chain([quantile]).collect(),
            value: MetricValue::Gauge(at.value),
            start: None,
            ..out.clone()
        }
    }));
    Ok(parts)
}

/// The latest exemplar that names a trace; a number has room for one.
fn exemplar(of: &[wire::Exemplar]) -> Option<Exemplar> {
    exemplars(of).max_by_key(|exemplar| exemplar.time)
}

/// The exemplars that name a trace.
fn exemplars(exemplars: &[wire::Exemplar]) -> impl Iterator<Item = Exemplar> {
    let read = |exemplar: &wire::Exemplar| {
        let value = match exemplar.value? {
            wire::exemplar::Value::AsDouble(number) => number,
            wire::exemplar::Value::AsInt(number) => number as f64,
        };
        Some(Exemplar {
            span: SpanRef {
                trace_id: spans::trace_id(&exemplar.trace_id, "").ok()?,
                span_id: spans::span_id(&exemplar.span_id, "").ok(),
            },
            value: Some(value),
            time: Some(Timestamp::from_nanos(exemplar.time_unix_nano)),
        })
    };
    exemplars.iter().filter_map(read)
}
