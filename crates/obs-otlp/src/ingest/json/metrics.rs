//! Metrics in JSON.

use obs_core::Record;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as wire, ExponentialHistogram, Gauge, Histogram, Metric, Sum, Summary, exemplar, number_data_point,
};
use serde_json::Value;

use super::fields::Fields;
use crate::ingest::collect::Source;
use crate::ingest::metrics;

const TEMPORALITIES: [&str; 3] = ["unspecified", "delta", "cumulative"];

pub(super) fn read(
    value: &Value,
    source: &mut Source,
    records: &mut Vec<Record>,
    refused: &mut Vec<(String, String)>,
) {
    match metric(value) {
        Ok(metric) => metrics::convert(&metric, source, records, refused),
        Err(reason) => refused.push((String::new(), reason)),
    }
}

fn metric(value: &Value) -> Result<Metric, String> {
    let fields = Fields::of(value)?;
    Ok(Metric {
        name: fields.string("name")?,
        description: fields.string("description")?,
        unit: fields.string("unit")?,
        metadata: fields.attributes("metadata")?,
        data: data(fields)?,
    })
}

fn data(fields: Fields<'_>) -> Result<Option<Data>, String> {
    let gauge = |kind: Fields<'_>| Ok(Data::Gauge(Gauge { data_points: kind.list("dataPoints", number)? }));
    let sum = |kind: Fields<'_>| {
        Ok(Data::Sum(Sum {
            data_points: kind.list("dataPoints", number)?,
            aggregation_temporality: temporality(kind)?,
            is_monotonic: kind.truth("isMonotonic")?,
        }))
    };
    let histogram = |kind: Fields<'_>| {
        Ok(Data::Histogram(Histogram {
            data_points: kind.list("dataPoints", explicit)?,
            aggregation_temporality: temporality(kind)?,
        }))
    };
    let exponential = |kind: Fields<'_>| {
        Ok(Data::ExponentialHistogram(ExponentialHistogram {
            data_points: kind.list("dataPoints", exponential)?,
            aggregation_temporality: temporality(kind)?,
        }))
    };
    let summary =
        |kind: Fields<'_>| Ok(Data::Summary(Summary { data_points: kind.list("dataPoints", summary)? }));
    Ok(match fields.message("gauge", gauge)? {
        Some(data) => Some(data),
        None => match fields.message("sum", sum)? {
            Some(data) => Some(data),
            None => match fields.message("histogram", histogram)? {
                Some(data) => Some(data),
                None => match fields.message("exponentialHistogram", exponential)? {
                    Some(data) => Some(data),
                    None => fields.message("summary", summary)?,
                },
            },
        },
    })
}

fn temporality(fields: Fields<'_>) -> Result<i32, String> {
    fields.name_of("aggregationTemporality", "AGGREGATION_TEMPORALITY_", &TEMPORALITIES)
}

fn number(value: &Value) -> Result<wire::NumberDataPoint, String> {
    let fields = Fields::of(value)?;
    let whole = fields.optional_i64("asInt")?.map(number_data_point::Value::AsInt);
    Ok(wire::NumberDataPoint {
        attributes: fields.attributes("attributes")?,
        start_time_unix_nano: fields.u64("startTimeUnixNano")?,
        time_unix_nano: fields.u64("timeUnixNano")?,
        exemplars: fields.list("exemplars", exemplar)?,
        flags: fields.u32("flags")?,
        value: match fields.optional_f64("asDouble")? {
            Some(number) => Some(number_data_point::Value::AsDouble(number)),
            None => whole,
        },
    })
}

fn explicit(value: &Value) -> Result<wire::HistogramDataPoint, String> {
    let fields = Fields::of(value)?;
    Ok(wire::HistogramDataPoint {
        attributes: fields.attributes("attributes")?,
        start_time_unix_nano: fields.u64("startTimeUnixNano")?,
        time_unix_nano: fields.u64("timeUnixNano")?,
        count: fields.u64("count")?,
        sum: fields.optional_f64("sum")?,
        bucket_counts: fields.u64s("bucketCounts")?,
        explicit_bounds: fields.f64s("explicitBounds")?,
        exemplars: fields.list("exemplars", exemplar)?,
        flags: fields.u32("flags")?,
        min: fields.optional_f64("min")?,
        max: fields.optional_f64("max")?,
    })
}

fn exponential(value: &Value) -> Result<wire::ExponentialHistogramDataPoint, String> {
    let fields = Fields::of(value)?;
    let buckets = |buckets: Fields<'_>| {
        Ok(wire::exponential_histogram_data_point::Buckets {
            offset: buckets.i32("offset")?,
            bucket_counts: buckets.u64s("bucketCounts")?,
        })
    };
    Ok(wire::ExponentialHistogramDataPoint {
        attributes: fields.attributes("attributes")?,
        start_time_unix_nano: fields.u64("startTimeUnixNano")?,
        time_unix_nano: fields.u64("timeUnixNano")?,
        count: fields.u64("count")?,
        sum: fields.optional_f64("sum")?,
        scale: fields.i32("scale")?,
        zero_count: fields.u64("zeroCount")?,
        positive: fields.message("positive", buckets)?,
        negative: fields.message("negative", buckets)?,
        flags: fields.u32("flags")?,
        exemplars: fields.list("exemplars", exemplar)?,
        min: fields.optional_f64("min")?,
        max: fields.optional_f64("max")?,
        zero_threshold: fields.f64("zeroThreshold")?,
    })
}

fn summary(value: &Value) -> Result<wire::SummaryDataPoint, String> {
    let fields = Fields::of(value)?;
    let quantile = |value: &Value| {
        let fields = Fields::of(value)?;
        Ok(wire::summary_data_point::ValueAtQuantile {
            quantile: fields.f64("quantile")?,
            value: fields.f64("value")?,
        })
    };
    Ok(wire::SummaryDataPoint {
        attributes: fields.attributes("attributes")?,
        start_time_unix_nano: fields.u64("startTimeUnixNano")?,
        time_unix_nano: fields.u64("timeUnixNano")?,
        count: fields.u64("count")?,
        sum: fields.f64("sum")?,
        quantile_values: fields.list("quantileValues", quantile)?,
        flags: fields.u32("flags")?,
    })
}

fn exemplar(value: &Value) -> Result<wire::Exemplar, String> {
    let fields = Fields::of(value)?;
    let whole = fields.optional_i64("asInt")?.map(exemplar::Value::AsInt);
    Ok(wire::Exemplar {
        filtered_attributes: fields.attributes("filteredAttributes")?,
        time_unix_nano: fields.u64("timeUnixNano")?,
        span_id: fields.id("spanId", 8)?,
        trace_id: fields.id("traceId", 16)?,
        value: match fields.optional_f64("asDouble")? {
            Some(number) => Some(exemplar::Value::AsDouble(number)),
            None => whole,
        },
    })
}
