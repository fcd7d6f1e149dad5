//! Protobuf and JSON bodies of the same request give the same records.

use obs_otlp::ingest::{self, Kind};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    self as metrics, Metric, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::prelude::*;
use prost::Message;

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-1e9..1e9f64).prop_map(Value::DoubleValue),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Value::BytesValue),
    ]
    .prop_map(|value| AnyValue { value: Some(value) });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            prop::collection::vec(("[a-c]", inner), 0..3).prop_map(|pairs| AnyValue {
                value: Some(Value::KvlistValue(KeyValueList {
                    values: pairs.into_iter().map(pair).collect()
                }))
            }),
        ]
    })
}

fn pair((key, value): (String, AnyValue)) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

/// Names of every convention and of none, so that fields and leftovers both occur.
fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let names: Vec<String> = obs_otlp::conventions::ATTRIBUTES
        .iter()
        .map(|row| row.name.replace("{type}", "workflow_loop").replace('*', "0.message.role"))
        .collect();
    let name = prop_oneof![4 => prop::sample::select(names), 1 => "[a-z.]{1,8}"];
    prop::collection::vec((name, value()).prop_map(pair), 0..8)
}

fn kind_of_span() -> impl Strategy<Value = KeyValue> {
    prop::sample::select(obs_otlp::conventions::TYPES).prop_map(|row| {
        pair((row.attribute.into(), AnyValue { value: Some(Value::StringValue(row.value.into())) }))
    })
}

prop_compose! {
    fn spans()(
        ids in (any::<u128>(), any::<u64>(), any::<u64>()), times in (0u64..9, 0u64..9), enums in (-1i32..7, -1i32..4),
        flags in any::<u32>(), texts in (".{0,5}", ".{0,5}", ".{0,5}"), kind in kind_of_span(),
        attributes in attributes(), more in attributes(),
    ) -> Span {
        let mut attributes = attributes;
        attributes.push(kind);
        let event = span::Event { time_unix_nano: 3, name: "exception".into(), attributes: more.clone(), dropped_attributes_count: 1 };
        let link = span::Link { trace_id: ids.0.to_be_bytes().into(), span_id: ids.2.to_be_bytes().into(), attributes: more, ..span::Link::default() };
        Span {
            trace_id: ids.0.to_be_bytes().into(), span_id: ids.1.to_be_bytes().into(), parent_span_id: ids.2.to_be_bytes().into(),
            start_time_unix_nano: times.0, end_time_unix_nano: times.1, kind: enums.0, flags,
            name: texts.0, trace_state: texts.1, attributes, events: vec![event], links: vec![link],
            status: Some(Status { message: texts.2, code: enums.1 }), ..Span::default()
        }
    }
}

fn trace_request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    (prop::collection::vec(spans(), 1..4), attributes()).prop_map(|(spans, attributes)| {
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: attributes.clone(), ..Resource::default() }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "lib".into(),
                        attributes,
                        ..InstrumentationScope::default()
                    }),
                    spans,
                    schema_url: "s".into(),
                }],
                schema_url: "r".into(),
            }],
        }
    })
}

prop_compose! {
    fn log()(
        ids in (any::<u128>(), any::<u64>()), times in (0u64..9, 0u64..9), severity in 0i32..30, text in "[a-z]{0,5}",
        body in prop::option::of(value()), attributes in attributes(),
    ) -> LogRecord {
        LogRecord {
            trace_id: ids.0.to_be_bytes().into(), span_id: ids.1.to_be_bytes().into(), time_unix_nano: times.0,
            observed_time_unix_nano: times.1, severity_number: severity, severity_text: text, body, attributes,
            event_name: "gen_ai.evaluation.result".into(), ..LogRecord::default()
        }
    }
}

fn metric() -> impl Strategy<Value = Metric> {
    let number = (any::<i64>(), attributes(), any::<bool>()).prop_map(|(number, attributes, monotonic)| {
        let value = Some(metrics::number_data_point::Value::AsInt(number));
        let point = metrics::NumberDataPoint { value, attributes, time_unix_nano: 4, ..Default::default() };
        Data::Sum(metrics::Sum {
            data_points: vec![point],
            aggregation_temporality: 2,
            is_monotonic: monotonic,
        })
    });
    let histogram =
        (prop::collection::vec(any::<u64>(), 0..4), -1e3..1e3f64).prop_map(|(bucket_counts, sum)| {
            let explicit_bounds = (1..bucket_counts.len()).map(|at| at as f64).collect();
            let point = metrics::HistogramDataPoint {
                bucket_counts,
                explicit_bounds,
                sum: Some(sum),
                count: 3,
                ..Default::default()
            };
            Data::Histogram(metrics::Histogram { data_points: vec![point], aggregation_temporality: 1 })
        });
    let exponential = (any::<i32>(), any::<u64>()).prop_map(|(scale, count)| {
        let buckets =
            metrics::exponential_histogram_data_point::Buckets { offset: scale, bucket_counts: vec![count] };
        let point = metrics::ExponentialHistogramDataPoint {
            scale,
            count,
            sum: Some(1.0),
            positive: Some(buckets),
            ..Default::default()
        };
        Data::ExponentialHistogram(metrics::ExponentialHistogram {
            data_points: vec![point],
            aggregation_temporality: 1,
        })
    });
    let summary = (0.0..1.0f64).prop_map(|quantile| {
        let quantile_values = vec![metrics::summary_data_point::ValueAtQuantile { quantile, value: 2.0 }];
        let point = metrics::SummaryDataPoint { quantile_values, count: 1, sum: 2.0, ..Default::default() };
        Data::Summary(metrics::Summary { data_points: vec![point] })
    });
    prop_oneof![number, histogram, exponential, summary].prop_map(|data| Metric {
        name: "m".into(),
        unit: "s".into(),
        data: Some(data),
        ..Metric::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn traces_are_the_same(request in trace_request()) {
        let json = serde_json::to_string(&request).unwrap();
        let direct = ingest::traces(&request);
        prop_assert_eq!(&ingest::protobuf(Kind::Traces, &request.encode_to_vec()).unwrap(), &direct);
        prop_assert_eq!(ingest::json(&json).unwrap(), direct);
    }

    #[test]
    fn logs_are_the_same(log in log()) {
        let scoped = ScopeLogs { log_records: vec![log], ..ScopeLogs::default() };
        let group = ResourceLogs { scope_logs: vec![scoped], ..ResourceLogs::default() };
        let request = ExportLogsServiceRequest { resource_logs: vec![group] };
        let json = serde_json::to_string(&request).unwrap();
        let direct = ingest::logs(&request);
        prop_assert_eq!(&ingest::protobuf(Kind::Logs, &request.encode_to_vec()).unwrap(), &direct);
        prop_assert_eq!(ingest::json(&json).unwrap(), direct);
    }

    #[test]
    fn metrics_are_the_same(metric in metric()) {
        let scoped = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
        let group = ResourceMetrics { scope_metrics: vec![scoped], ..ResourceMetrics::default() };
        let request = ExportMetricsServiceRequest { resource_metrics: vec![group] };
        let json = serde_json::to_string(&request).unwrap();
        let direct = ingest::metrics(&request);
        prop_assert_eq!(&ingest::protobuf(Kind::Metrics, &request.encode_to_vec()).unwrap(), &direct);
        prop_assert_eq!(ingest::json(&json).unwrap(), direct);
    }

    /// Every string of an attribute is somewhere in the record: in a field, or still in the attributes.
    #[test]
    fn no_text_is_lost(kind in kind_of_span(), rows in prop::sample::subsequence(obs_otlp::conventions::ATTRIBUTES, 1..12)) {
        let mut attributes: Vec<KeyValue> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                let name = row.name.replace("{type}", "tool_call").replace('*', "0.message.role");
                pair((name, AnyValue { value: Some(Value::StringValue(format!("text-{at}-"))) }))
            })
            .collect();
        attributes.retain(|pair| pair.key != kind.key);
        attributes.push(kind);
        let expected = attributes.clone();
        let span = Span {
            trace_id: vec![1; 16], span_id: vec![1; 8], start_time_unix_nano: 1, end_time_unix_nano: 2, attributes, ..Span::default()
        };
        let scoped = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
        let group = ResourceSpans { scope_spans: vec![scoped], ..ResourceSpans::default() };
        let ingested = ingest::traces(&ExportTraceServiceRequest { resource_spans: vec![group] });
        prop_assert_eq!(&ingested.refused, &[]);
        let mut line = Vec::new();
        ingested.records[0].write_line(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        for pair in expected {
            if let Some(Value::StringValue(text)) = pair.value.unwrap().value {
                prop_assert!(!text.starts_with("text-") || line.contains(&text), "{} is lost: {}", pair.key, line);
            }
        }
    }
}
