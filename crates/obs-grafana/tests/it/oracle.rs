//! Every request read by code that shares nothing with the exporter, and compared with the records by a table.

use std::collections::BTreeMap;

use obs_core::{Batch, Log, Metric, MetricValue, Records, Signal, Target};
use obs_testkit::fixtures;

use crate::prom::{COUNTER, GAUGE, HISTOGRAM, TimeSeries, WriteRequest};
use crate::support::{Bench, Entry};

/// A row: what it is, where it stands, and how to read it off the record; `None` where the record has none.
type Row<T> = (&'static str, &'static str, fn(&T) -> Option<String>);

fn attribute(log: &Log, key: &str) -> Option<String> {
    let value = log.attributes.get(key).or_else(|| log.resource.attributes.get(key))?;
    Some(match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string(value).unwrap(),
    })
}

fn metadata(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// What stands beside the line, by its name there.
const LOG: &[Row<Log>] = &[
    ("trace", "trace_id", |log| log.span.map(|span| span.trace_id.to_string())),
    ("span", "span_id", |log| log.span?.span_id.map(|id| id.to_string())),
    ("event", "event_name", |log| log.event_name.as_ref().map(ToString::to_string)),
    ("document", "obs_log_data", |log| log.data.as_ref().map(|data| data.as_str().to_owned())),
    ("severity", "severity_number", |log| Some(log.level.severity_number().to_string())),
    ("attribute", "order", |log| attribute(log, "order")),
    ("number", "attempt", |log| attribute(log, "attempt")),
    ("resource", "host_name", |log| attribute(log, "host.name")),
    ("scope", "scope_name", |log| log.resource.scope.as_ref().map(|scope| scope.name.to_string())),
    ("scope's version", "scope_version", |log| {
        log.resource.scope.as_ref()?.version.as_ref().map(ToString::to_string)
    }),
    ("trace's name", "langfuse_trace_name", |log| log.context.name.as_ref().map(ToString::to_string)),
    ("user", "user_id", |log| log.context.user_id.as_ref().map(ToString::to_string)),
    ("session", "session_id", |log| log.context.session_id.as_ref().map(ToString::to_string)),
    ("conversation", "gen_ai_conversation_id", |log| log.context.thread_id.as_ref().map(ToString::to_string)),
    ("request", "mastra_metadata_requestId", |log| log.context.request_id.as_ref().map(ToString::to_string)),
    ("tenant", "mastra_metadata_organizationId", |log| {
        log.context.organization_id.as_ref().map(ToString::to_string)
    }),
    ("experiment", "mastra_metadata_experimentId", |log| {
        log.context.experiment_id.as_ref().map(ToString::to_string)
    }),
    ("tags", "tag_tags", |log| metadata(&log.context.tags).filter(|tags| tags != "[]")),
    ("free metadata", "metadata", |log| metadata(&log.context.metadata).filter(|json| json != "{}")),
    ("entity", "obs_entity_id", |log| log.context.entity.as_ref()?.id.as_ref().map(ToString::to_string)),
    ("parent entity", "obs_parent_entity_id", |log| {
        log.context.parent_entity.as_ref()?.id.as_ref().map(ToString::to_string)
    }),
];

/// The labels of a stream.
const STREAM: &[Row<Log>] = &[
    ("service", "service_name", |log| log.resource.service_name().map(ToOwned::to_owned)),
    ("environment", "deployment_environment", |log| {
        log.context.environment.as_ref().map(ToString::to_string)
    }),
    ("level", "level", |log| Some(log.level.to_string())),
];

fn compare<T>(table: &[Row<T>], record: &T, found: &BTreeMap<String, String>) {
    for (what, place, read) in table {
        assert_eq!(found.get(*place), read(record).as_ref(), "{what} at {place}");
    }
}

#[tokio::test]
async fn every_field_of_a_log_stands_at_its_place_in_loki() {
    let bench = Bench::direct().await;
    let Batch::Logs(logs) = fixtures::batch(Signal::Logs) else { unreachable!() };
    let mut seen = 0;
    for stream in bench.pushed(&Batch::Logs(logs.clone())).await {
        for Entry(time, line, pairs) in &stream.values {
            let log = logs.iter().find(|log| log.time.as_nanos().to_string() == *time).unwrap();
            assert_eq!(line, &*log.message);
            compare(LOG, log, pairs);
            compare(STREAM, log, &stream.stream);
            assert!(!stream.stream.keys().any(|name| name.contains("trace") || name.contains("span")));
            seen += 1;
        }
    }
    assert_eq!(seen, logs.len());
}

#[tokio::test]
async fn every_field_of_a_score_and_of_a_feedback_stands_at_its_place_in_loki() {
    let bench = Bench::direct().await;
    for batch in [fixtures::batch(Signal::Scores), fixtures::batch(Signal::Feedback)] {
        let streams = bench.pushed(&batch).await;
        let entries: Vec<&Entry> = streams.iter().flat_map(|stream| &stream.values).collect();
        assert_eq!(entries.len(), batch.len());
        for judged in judgements(&batch) {
            let entry =
                entries.iter().find(|entry| entry.2.values().any(|value| *value == judged.id)).unwrap();
            let pairs = &entry.2;
            let get = |key: &str| pairs.get(key).map(String::as_str);
            assert_eq!(get("event_name"), Some("gen_ai.evaluation.result"));
            assert_eq!(get("gen_ai_evaluation_name"), Some(&*judged.name));
            let number = judged.value.as_f64().map(|number| number.to_string());
            assert_eq!(get("gen_ai_evaluation_score_value"), number.as_deref());
            assert_eq!(get("gen_ai_evaluation_explanation"), judged.comment.as_deref());
            assert_eq!(get("trace_id"), judged.target.trace_id().map(|id| id.to_string()).as_deref());
            let span_id = judged.target.span_id().or_else(|| judged.target.root_span_id());
            assert_eq!(get("span_id"), span_id.map(|id| id.to_string()).as_deref());
            if let Target::ExperimentRun { run_id } = &judged.target {
                assert_eq!(get("obs_evaluation_target_run_id"), Some(&**run_id));
            }
            if let Target::Session { session_id } = &judged.target {
                assert_eq!(get("obs_evaluation_target_session_id"), Some(&**session_id));
            }
            assert_eq!(entry.nanos(), judged.time);
            assert!(entry.1.starts_with(&*judged.name), "{}", entry.1);
        }
    }
}

struct Judged {
    id: String,
    name: String,
    time: u64,
    target: Target,
    value: obs_core::ScoreValue,
    comment: Option<String>,
}

fn judgements(batch: &Batch) -> Vec<Judged> {
    macro_rules! judged {
        ($records:expr, $name:ident) => {
            $records
                .iter()
                .map(|one| Judged {
                    id: one.id.to_string(),
                    name: one.$name.to_string(),
                    time: one.time.as_nanos(),
                    target: one.target.clone(),
                    value: one.value.clone(),
                    comment: one.comment.as_ref().map(ToString::to_string),
                })
                .collect()
        };
    }
    match batch {
        Batch::Scores(scores) => judged!(scores, name),
        Batch::Feedback(feedback) => judged!(feedback, kind),
        _ => Vec::new(),
    }
}

/// A metric of the fixtures, and how its series are called, worked out by hand from the compatibility document.
const METRICS: &[(&str, &str, i32)] = &[
    ("temperature", "temperature_celsius", GAUGE),
    ("requests.total", "requests_seconds_total", COUNTER),
    ("balance", "balance_seconds", GAUGE),
    ("latency.explicit", "latency_explicit_seconds", HISTOGRAM),
    ("latency.exponential", "latency_exponential_seconds", HISTOGRAM),
];

fn series<'a>(request: &'a WriteRequest, name: &str, bound: Option<&str>) -> &'a TimeSeries {
    let fits = |series: &&TimeSeries| series.name() == name && series.labels().get("le").copied() == bound;
    let found: Vec<_> = request.timeseries.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "{name} {bound:?}");
    found[0]
}

fn value(request: &WriteRequest, name: &str, bound: Option<&str>, time: i64) -> f64 {
    let [sample] = &series(request, name, bound).samples[..] else { panic!("{name}: not one sample") };
    assert_eq!(sample.timestamp, time, "{name}");
    sample.value
}

fn compare_metric(request: &WriteRequest, metric: &Metric, name: &str, kind: i32) {
    let family = request.metadata.iter().find(|one| one.metric_family_name == name).unwrap();
    assert_eq!((family.kind, &*family.unit), (kind, metric.unit.as_deref().unwrap_or_default()), "{name}");
    assert_eq!(family.help, metric.description.as_deref().unwrap_or_default());
    let time = i64::try_from(metric.time.as_nanos() / 1_000_000).unwrap();
    match &metric.value {
        MetricValue::Gauge(expected) | MetricValue::Sum { value: expected, .. } => {
            assert_eq!(value(request, name, None, time), *expected, "{name}");
        }
        MetricValue::Histogram(histogram) => {
            let mut below = 0;
            for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
                below += count;
                let bound = format!("{bound}");
                assert_eq!(value(request, &format!("{name}_bucket"), Some(&bound), time), below as f64);
            }
            let count = histogram.count as f64;
            assert_eq!(value(request, &format!("{name}_bucket"), Some("+Inf"), time), count);
            assert_eq!(value(request, &format!("{name}_count"), None, time), count);
            assert_eq!(value(request, &format!("{name}_sum"), None, time), histogram.sum);
            let exemplars = request.timeseries.iter().filter(|one| one.name() == format!("{name}_bucket"));
            assert_eq!(exemplars.map(|one| one.exemplars.len()).sum::<usize>(), histogram.exemplars.len());
        }
        MetricValue::ExpHistogram(histogram) => {
            let [native] = &series(request, name, None).histograms[..] else { panic!("{name}: not one") };
            assert_eq!((native.count_int, native.sum), (Some(histogram.count), histogram.sum));
            assert_eq!((native.schema, native.timestamp), (histogram.scale, time));
            assert_eq!(native.zero_count_int, Some(histogram.zero_count));
            assert_eq!(native.zero_threshold, histogram.zero_threshold);
            // Of offset -1 and counts 2, 0, 3, at Prometheus's index, which is one more.
            assert_eq!((native.positive_spans[0].offset, native.positive_spans[0].length), (0, 3));
            assert_eq!((&*native.positive_deltas, &*native.negative_deltas), (&[2, -2, 3][..], &[2][..]));
            assert_eq!(native.negative_spans[0].offset, 1);
        }
        other => panic!("{name}: {other:?}"),
    }
    let labels = request.timeseries.iter().find(|one| one.name().starts_with(name)).unwrap().labels();
    assert_eq!(labels.len(), 5 + metric.labels.len() + usize::from(labels.contains_key("le")), "{labels:?}");
    for (key, value) in metric.labels.iter() {
        assert_eq!(labels.get(&**key), Some(&&**value), "{name}");
    }
    assert_eq!((labels["job"], labels["instance"]), ("testkit", "instance-1"));
    assert_eq!((labels["otel_scope_name"], labels["otel_scope_version"]), ("obs-testkit", "0.1.0"));
}

#[tokio::test]
async fn every_series_stands_at_its_place_by_remote_write() {
    let bench =
        Bench::direct_with(|config| config.with_histograms(obs_grafana::Histograms::Exponential)).await;
    let batch = bench.input(&fixtures::batch(Signal::Metrics));
    let Batch::Metrics(metrics) = &batch else { unreachable!() };
    let written = bench.written(&batch).await;
    let [request] = &written[..] else { panic!("{} requests", written.len()) };
    request.assert_valid();
    assert_eq!(metrics.len(), METRICS.len());
    for (metric, (own, name, kind)) in metrics.iter().zip(METRICS) {
        assert_eq!(&*metric.name, *own);
        compare_metric(request, metric, name, *kind);
    }
    let target = series(request, "target_info", None).labels();
    assert_eq!(
        (target["job"], target["host_name"], target["service_version"]),
        ("testkit", "host-1", "1.2.3")
    );
    assert_eq!(target.get("service_name"), None);
}

#[tokio::test]
async fn a_second_try_sends_the_same_bytes() {
    let bench = Bench::direct().await;
    let batch: Records<Metric> = match bench.input(&fixtures::batch(Signal::Metrics)) {
        Batch::Metrics(metrics) => metrics,
        _ => unreachable!(),
    };
    let batches = [Batch::Metrics(batch), fixtures::batch(Signal::Logs)];
    for batch in &batches {
        bench.export(batch).await.unwrap();
        bench.export(batch).await.unwrap();
        let requests = bench.server.take_requests();
        assert_eq!(requests[0].body, requests[1].body);
    }
}
