//! Requests of metrics by another way: records into `opentelemetry-proto`'s messages.
//!
//! It shares no code with the encoder, and knows only records that the encoder takes.

use std::sync::Arc;

use obs_core::{Exemplar, ExpBuckets, Metric, MetricValue, Resource, Temporality, Timestamp};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as wire, AggregationTemporality, ResourceMetrics, ScopeMetrics,
};

use crate::oracle;

/// The request that holds these metrics.
pub(crate) fn request(metrics: &[&Metric]) -> ExportMetricsServiceRequest {
    let mut groups: Vec<(&Arc<Resource>, ResourceMetrics)> = Vec::new();
    for metric in metrics {
        // A number that is none makes a resource differ from itself, which is one group all the same.
        let same =
            |known: &Arc<Resource>| Arc::ptr_eq(known, &metric.resource) || **known == *metric.resource;
        let group = match groups.iter_mut().find(|(resource, _)| same(resource)) {
            Some((_, group)) => group,
            None => &mut groups.push_mut((&metric.resource, empty(&metric.resource))).1,
        };
        add(&mut group.scope_metrics[0].metrics, message(metric));
    }
    ExportMetricsServiceRequest { resource_metrics: groups.into_iter().map(|(_, group)| group).collect() }
}

fn empty(resource: &Resource) -> ResourceMetrics {
    ResourceMetrics {
        resource: oracle::resource(resource),
        scope_metrics: vec![ScopeMetrics { scope: oracle::scope(resource), ..ScopeMetrics::default() }],
        ..ResourceMetrics::default()
    }
}

/// Adds a metric of one point to those that are there: to the same metric's points, if it is there.
fn add(metrics: &mut Vec<wire::Metric>, new: wire::Metric) {
    let same = |old: &&mut wire::Metric| without_points(old) == without_points(&new);
    let Some(old) = metrics.iter_mut().find(same) else { return metrics.push(new) };
    match (old.data.as_mut(), new.data) {
        (Some(Data::Gauge(old)), Some(Data::Gauge(new))) => old.data_points.extend(new.data_points),
        (Some(Data::Sum(old)), Some(Data::Sum(new))) => old.data_points.extend(new.data_points),
        (Some(Data::Histogram(old)), Some(Data::Histogram(new))) => old.data_points.extend(new.data_points),
        (Some(Data::ExponentialHistogram(old)), Some(Data::ExponentialHistogram(new))) => {
            old.data_points.extend(new.data_points);
        }
        other => panic!("{other:?}"),
    }
}

fn without_points(metric: &wire::Metric) -> wire::Metric {
    let mut metric = metric.clone();
    match metric.data.as_mut() {
        Some(Data::Gauge(data)) => data.data_points.clear(),
        Some(Data::Sum(data)) => data.data_points.clear(),
        Some(Data::Histogram(data)) => data.data_points.clear(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.clear(),
        other => panic!("{other:?}"),
    }
    metric
}

fn message(metric: &Metric) -> wire::Metric {
    let delta = AggregationTemporality::Delta.into();
    let said = || match metric.temporality {
        Some(Temporality::Delta) => AggregationTemporality::Delta.into(),
        Some(Temporality::Cumulative) => AggregationTemporality::Cumulative.into(),
        None => panic!("the encoder takes no aggregate without a temporality"),
    };
    let sum = |value, is_monotonic, aggregation_temporality| {
        let data_points = vec![number(metric, value)];
        Data::Sum(wire::Sum { data_points, is_monotonic, aggregation_temporality })
    };
    let data = match metric.value {
        MetricValue::Add(value) => sum(value, true, delta),
        MetricValue::UpDown(value) => sum(value, false, delta),
        MetricValue::Gauge(value) => Data::Gauge(wire::Gauge { data_points: vec![number(metric, value)] }),
        MetricValue::Sum { value, monotonic } => sum(value, monotonic, said()),
        MetricValue::Sample(_) => Data::Histogram(wire::Histogram {
            data_points: vec![histogram(metric)],
            aggregation_temporality: delta,
        }),
        MetricValue::Histogram(_) => Data::Histogram(wire::Histogram {
            data_points: vec![histogram(metric)],
            aggregation_temporality: said(),
        }),
        MetricValue::ExpHistogram(_) => Data::ExponentialHistogram(wire::ExponentialHistogram {
            data_points: vec![exponential(metric)],
            aggregation_temporality: said(),
        }),
    };
    wire::Metric {
        name: metric.name.to_string(),
        unit: metric.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
        description: metric.description.as_ref().map(ToString::to_string).unwrap_or_default(),
        data: Some(data),
        ..wire::Metric::default()
    }
}

/// The start, which of a measurement is its time.
fn start(metric: &Metric) -> u64 {
    let measured =
        matches!(metric.value, MetricValue::Add(_) | MetricValue::UpDown(_) | MetricValue::Sample(_));
    let unknown = if measured { metric.time } else { Timestamp::default() };
    metric.start.unwrap_or(unknown).as_nanos()
}

fn attributes(metric: &Metric) -> Vec<KeyValue> {
    let mut pairs: Vec<KeyValue> = Vec::new();
    for (key, value) in metric.labels.iter() {
        if !pairs.iter().any(|pair| pair.key == key.as_str()) {
            pairs.push(oracle::pair(key, Some(any_value::Value::StringValue(value.to_string()))));
        }
    }
    pairs
}

fn number(metric: &Metric, value: f64) -> wire::NumberDataPoint {
    wire::NumberDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: start(metric),
        time_unix_nano: metric.time.as_nanos(),
        exemplars: exemplars(metric, Some(value), &[]),
        value: Some(wire::number_data_point::Value::AsDouble(value)),
        ..wire::NumberDataPoint::default()
    }
}

fn histogram(metric: &Metric) -> wire::HistogramDataPoint {
    let mut point = wire::HistogramDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: start(metric),
        time_unix_nano: metric.time.as_nanos(),
        ..wire::HistogramDataPoint::default()
    };
    match &metric.value {
        MetricValue::Sample(value) => {
            (point.count, point.sum, point.min, point.max) = (1, Some(*value), Some(*value), Some(*value));
            point.exemplars = exemplars(metric, Some(*value), &[]);
        }
        MetricValue::Histogram(histogram) => {
            (point.count, point.min, point.max) = (histogram.count, histogram.min, histogram.max);
            point.sum = Some(histogram.sum).filter(|sum| sum.is_finite());
            point.bucket_counts.clone_from(&histogram.counts);
            point.explicit_bounds = histogram.bounds.to_vec();
            if point.explicit_bounds.pop_if(|bound| *bound == f64::INFINITY).is_some() {
                let beyond = point.bucket_counts.pop().unwrap();
                *point.bucket_counts.last_mut().unwrap() += beyond;
            }
            point.exemplars = exemplars(metric, None, &histogram.exemplars);
        }
        other => panic!("{other:?}"),
    }
    point
}

fn exponential(metric: &Metric) -> wire::ExponentialHistogramDataPoint {
    let MetricValue::ExpHistogram(histogram) = &metric.value else { panic!("{metric:?}") };
    let side = |buckets: &ExpBuckets| {
        let there = *buckets != ExpBuckets::default();
        there.then(|| Buckets { offset: buckets.offset, bucket_counts: buckets.counts.clone() })
    };
    wire::ExponentialHistogramDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: start(metric),
        time_unix_nano: metric.time.as_nanos(),
        count: histogram.count,
        sum: Some(histogram.sum).filter(|sum| sum.is_finite()),
        scale: histogram.scale,
        zero_count: histogram.zero_count,
        positive: side(&histogram.positive),
        negative: side(&histogram.negative),
        exemplars: exemplars(metric, None, &histogram.exemplars),
        min: histogram.min,
        max: histogram.max,
        zero_threshold: histogram.zero_threshold,
        ..wire::ExponentialHistogramDataPoint::default()
    }
}

fn exemplars(metric: &Metric, own: Option<f64>, others: &[Exemplar]) -> Vec<wire::Exemplar> {
    let own = metric.exemplar.iter().map(|exemplar| (exemplar, exemplar.value.or(own)));
    let others = others.iter().map(|exemplar| (exemplar, exemplar.value));
    let wire = |(exemplar, value): (&Exemplar, Option<f64>)| {
        Some(wire::Exemplar {
            time_unix_nano: exemplar.time.unwrap_or(metric.time).as_nanos(),
            span_id: exemplar.span.span_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
            trace_id: exemplar.span.trace_id.to_bytes().to_vec(),
            value: Some(wire::exemplar::Value::AsDouble(value?)),
            ..wire::Exemplar::default()
        })
    };
    own.chain(others).filter_map(wire).collect()
}
