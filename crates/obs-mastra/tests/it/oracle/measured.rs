//! Logs and metrics.

use obs_core::{Batch, Level, Log, Metric, MetricValue, Payload, Signal};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::{Field, hold, hold_attributes, hold_correlation, or_null, time};
use crate::server::{lenient, sent};

fn data(payload: &Payload) -> Value {
    match lenient(&serde_json::to_string(payload).unwrap()) {
        object @ Value::Object(_) => object,
        other => json!({ "value": other }),
    }
}

const LOG: &[Field<Log>] = &[
    ("time", "/timestamp", |log| time(log.time)),
    ("trace", "/traceId", |log| or_null(log.span.map(|span| span.trace_id))),
    ("span", "/spanId", |log| or_null(log.span.and_then(|span| span.span_id))),
    ("level", "/level", |log| json!(if log.level == Level::Trace { Level::Debug } else { log.level })),
    ("finest level", "/metadata/level", |log| or_null(Some("trace").filter(|_| log.level == Level::Trace))),
    ("message", "/message", |log| json!(log.message)),
    ("event", "/metadata/eventName", |log| or_null(log.event_name.clone())),
    ("document", "/data", |log| log.data.as_ref().map_or(Value::Null, data)),
    ("session", "/correlationContext/sessionId", |log| or_null(log.context.session_id.clone())),
    ("experiment", "/correlationContext/experimentId", |log| or_null(log.context.experiment_id.clone())),
];

const METRIC: &[Field<Metric>] = &[
    ("time", "/timestamp", |metric| time(metric.time)),
    ("trace", "/traceId", |metric| or_null(metric.exemplar.as_ref().map(|exemplar| exemplar.span.trace_id))),
    ("span", "/spanId", |metric| {
        or_null(metric.exemplar.as_ref().and_then(|exemplar| exemplar.span.span_id))
    }),
    ("name", "/name", |metric| json!(metric.name)),
    ("value", "/value", |metric| json!(number(metric))),
    ("unit", "/metadata/unit", |metric| or_null(metric.unit.clone())),
    ("what it is", "/metadata/description", |metric| or_null(metric.description.clone())),
    ("since", "/metadata/startTime", |metric| metric.start.map_or(Value::Null, time)),
    ("temporality", "/metadata/temporality", |metric| or_null(metric.temporality)),
    ("histogram", "/metadata/histogram", |metric| match &metric.value {
        MetricValue::Histogram(histogram) => or_null(Some(histogram)),
        MetricValue::ExpHistogram(histogram) => or_null(Some(histogram)),
        _ => Value::Null,
    }),
    ("cost", "/costContext/estimatedCost", |metric| {
        or_null(metric.cost.as_ref().map(|cost| cost.total).filter(|total| total.is_finite()))
    }),
    ("session", "/correlationContext/sessionId", |metric| or_null(metric.context.session_id.clone())),
];

fn number(metric: &Metric) -> f64 {
    match &metric.value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => *value,
        MetricValue::Histogram(histogram) => histogram.sum,
        MetricValue::ExpHistogram(histogram) => histogram.sum,
    }
}

#[tokio::test]
async fn every_item_says_what_its_log_says() {
    let batches = [
        fixtures::batch(Signal::Logs),
        fixtures::nasty(Signal::Logs),
        fixtures::trace_batches().swap_remove(1),
    ];
    for batch in batches {
        let Batch::Logs(records) = batch.clone() else { panic!("no logs") };
        let sent = sent(batch).await;
        assert_eq!(sent.items.len(), records.len());
        for ((_, item), log) in sent.items.iter().zip(records.iter()) {
            hold(LOG, log, item);
            hold_correlation(&log.context, &log.resource, item);
            hold_attributes(&log.attributes, "attributes", item);
        }
    }
}

#[tokio::test]
async fn every_item_says_what_its_metric_says() {
    for batch in [fixtures::batch(Signal::Metrics), fixtures::nasty(Signal::Metrics)] {
        let Batch::Metrics(records) = batch.clone() else { panic!("no metrics") };
        let sent = sent(batch).await;
        let told: Vec<_> = records.iter().filter(|metric| number(metric).is_finite()).collect();
        assert_eq!((sent.items.len(), sent.receipt.delivered), (told.len(), told.len()));
        for ((_, item), metric) in sent.items.iter().zip(told) {
            hold(METRIC, metric, item);
            hold_correlation(&metric.context, &metric.resource, item);
            let told: usize = item["labels"].as_object().unwrap().len();
            let twice = item["metadata"]["labels"].as_array().cloned().unwrap_or_default();
            assert_eq!(told + twice.len(), metric.labels.len());
            for (name, value) in metric.labels.iter() {
                let pair = json!([name, value]);
                assert!(
                    item["labels"][name.as_str()] == json!(value) || twice.contains(&pair),
                    "{pair} is lost"
                );
            }
        }
    }
}
