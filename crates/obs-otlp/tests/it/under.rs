//! What a caller adds to a record, or completes of it.

use std::sync::Arc;

use obs_core::{ErrorInfo, Metric, MetricValue, Resource, SpanId, Timestamp, TraceId};
use obs_otlp::encode::{AddedEvent, Encoding, MetricRequests, SpanParts, TraceRequests};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

#[test]
fn an_added_event_stands_behind_the_others_in_both_encodings() {
    let (trace_id, span_id) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
    let error = ErrorInfo::message("broken");
    let added = [AddedEvent {
        time: Timestamp::from_nanos(3),
        name: "child",
        error: Some(&error),
        attributes: &|to| to.i64("n", 1),
    }];
    let at = Timestamp::from_nanos;
    let parts = SpanParts { added: &added, ..SpanParts::new(trace_id, span_id, "root", at(1), at(5)) };
    let body = |encoding| {
        let mut requests = TraceRequests::new(encoding, 1, usize::MAX);
        requests.push(0, &Arc::default(), &parts, |_| {});
        requests.finish().remove(0).body
    };
    let read = ExportTraceServiceRequest::decode(&*body(Encoding::Protobuf)).unwrap();
    let json: ExportTraceServiceRequest = serde_json::from_slice(&body(Encoding::Json)).unwrap();
    assert_eq!(read, json);
    let event = &read.resource_spans[0].scope_spans[0].spans[0].events[0];
    let keys: Vec<_> = event.attributes.iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(
        (event.name.as_str(), event.time_unix_nano, keys),
        ("child", 3, vec!["exception.message", "n"])
    );
}

#[test]
fn a_metric_stands_under_the_resource_that_is_given() {
    let metric = Metric::new(Timestamp::from_nanos(1), "queue", MetricValue::Gauge(1.0));
    let mut requests = MetricRequests::new(Encoding::Protobuf, 9, usize::MAX);
    requests.push_under(0, &Arc::new(Resource::service("shop")), &metric).unwrap();
    let read = ExportMetricsServiceRequest::decode(&*requests.finish().remove(0).body).unwrap();
    assert_eq!(read.resource_metrics[0].resource.as_ref().unwrap().attributes[0].key, "service.name");
}
