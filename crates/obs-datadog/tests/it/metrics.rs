//! Metrics: what points become, and their limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Batch, ErrorKind, ExpBuckets, ExpHistogram, Exporter, Histogram, HistogramForm, Labels, Metric,
    MetricForm, MetricValue, Resource, Signal, Temporality, Timestamp,
};
use obs_datadog::{
    CustomMetric, DESCRIPTOR, DatadogConfig, DatadogExporter, Histograms, MetricType, MetricsConfig,
};
use obs_testkit::{Answer, CaptureServer, conformance, fixtures};
use serde_json::{Value, json};

use crate::server::{self, Sent, sent_with};

const SERIES: &str = "/api/v2/series";
const DISTRIBUTIONS: &str = "/api/v1/distribution_points";

/// What the clock of every test shows, in seconds: a minute after the fixtures.
pub(crate) const NOW: u64 = fixtures::at(60_000_000).as_nanos() / 1_000_000_000;

pub(crate) fn second(second: u64) -> Timestamp {
    Timestamp::from_nanos(second * 1_000_000_000)
}

/// A point of ten seconds that ends so long before now.
pub(crate) fn point(name: &'static str, ago: u64, value: MetricValue) -> Metric {
    let mut metric = Metric::new(second(NOW - ago), name, value);
    if !matches!(metric.value, MetricValue::Gauge(_)) {
        metric.start = Some(second(NOW - ago - 10));
        metric.temporality = Some(Temporality::Delta);
    }
    metric
}

pub(crate) fn counted(name: &'static str, ago: u64, value: f64) -> Metric {
    point(name, ago, MetricValue::Sum { value, monotonic: true })
}

pub(crate) fn batch(metrics: impl IntoIterator<Item = Metric>) -> Batch {
    Batch::Metrics(metrics.into_iter().collect())
}

/// Without the tag of the process, which differs from run to run.
pub(crate) fn plain(config: DatadogConfig) -> DatadogConfig {
    config.with_metrics_config(MetricsConfig::default().with_process_id(false))
}

async fn sent(metrics: impl IntoIterator<Item = Metric>) -> Sent {
    sent_with(batch(metrics), |config, _| plain(config)).await
}

/// The series that arrived there.
fn arrived(sent: &Sent, path: &str) -> Vec<Value> {
    let requests = sent.server.requests();
    let there = requests.iter().filter(|request| request.path == path);
    there.flat_map(|request| server::body(request)["series"].as_array().unwrap().clone()).collect()
}

#[test]
fn series_are_wanted_since_the_last_delivery_with_buckets_that_fit_themselves() {
    assert_eq!(DESCRIPTOR.metric_form(), MetricForm::Delta);
    assert_eq!(DESCRIPTOR.histogram_form(), HistogramForm::Exponential);
}

type Fields = fn(&Metric) -> Value;

/// What stands where in a series, and how it is read off the record.
const FIELDS: &[(&str, Fields)] = &[
    ("/metric", |metric| json!(&*metric.name)),
    ("/type", |metric| json!(if matches!(metric.value, MetricValue::Gauge(_)) { 3 } else { 1 })),
    ("/points/0/timestamp", |metric| json!(metric.time.as_nanos() / 1_000_000_000)),
    ("/points/0/value", |metric| match metric.value {
        MetricValue::Gauge(value) | MetricValue::Sum { value, .. } => json!(value),
        _ => Value::Null,
    }),
    ("/interval", |metric| match metric.start {
        Some(start) => json!((metric.time.since(start).as_secs_f64().round() as u64).max(1)),
        None => Value::Null,
    }),
    ("/resources/0/type", |_| json!("host")),
    ("/resources/0/name", |_| json!("host-1")),
    ("/unit", |metric| match metric.unit.as_deref() {
        Some("s") => json!("second"),
        Some("Cel") => json!("degree celsius"),
        _ => Value::Null,
    }),
    ("/tags", |metric| {
        let labels = metric.labels.iter().map(|(key, value)| format!("{key}:{value}"));
        let mut tags: Vec<_> = labels.chain(["service:testkit".into(), "version:1.2.3".into()]).collect();
        tags.sort();
        json!(tags)
    }),
];

#[tokio::test]
async fn every_field_of_a_series_stands_where_the_table_says() {
    let Batch::Metrics(all) = conformance::input(&fixtures::batch(Signal::Metrics), &DESCRIPTOR) else {
        unreachable!()
    };
    let sent = sent(all.iter().cloned()).await;
    let (series, distributions) = (arrived(&sent, SERIES), arrived(&sent, DISTRIBUTIONS));
    let is_histogram =
        |metric: &&Metric| matches!(metric.value, MetricValue::Histogram(_) | MetricValue::ExpHistogram(_));
    let (histograms, numbers): (Vec<_>, Vec<_>) = all.iter().partition(is_histogram);
    assert_eq!((series.len(), distributions.len()), (numbers.len(), histograms.len()));
    for (metric, arrived) in numbers.iter().zip(&series) {
        for (place, read) in FIELDS {
            assert_eq!(
                arrived.pointer(place).unwrap_or(&Value::Null),
                &read(metric),
                "{place} of {}",
                metric.name
            );
        }
    }
    for (metric, arrived) in histograms.iter().zip(&distributions) {
        let (count, sum, min, max) = match &metric.value {
            MetricValue::Histogram(histogram) => {
                (histogram.count, histogram.sum, histogram.min, histogram.max)
            }
            MetricValue::ExpHistogram(histogram) => {
                (histogram.count, histogram.sum, histogram.min, histogram.max)
            }
            _ => unreachable!(),
        };
        let values: Vec<f64> = serde_json::from_value(arrived["points"][0][1].clone()).unwrap();
        assert_eq!(values.len() as u64, count);
        assert_eq!(values.iter().copied().reduce(f64::min), min);
        assert_eq!(values.iter().copied().reduce(f64::max), max);
        // The exponential fixture's greatest sample is in none of its buckets, so that its sum cannot be met.
        let off = (values.iter().sum::<f64>() - sum).abs();
        assert!(off < if max == Some(4.0) { 1.5 } else { 1e-9 }, "{values:?} for {sum}");
        let told = ["metric", "host", "type"].map(|name| arrived[name].as_str().unwrap());
        assert_eq!(told, [&*metric.name, "host-1", "distribution"]);
        assert_eq!(arrived["points"][0][0], json!(metric.time.as_nanos() / 1_000_000_000));
        assert_eq!(&arrived["tags"], &FIELDS[8].1(metric));
    }
}

/// Datadog's own mapping of OTLP: deltas are counts, what counts from the beginning is a gauge of what it says.
#[tokio::test]
async fn sums_are_counts_where_they_are_deltas_and_gauges_where_they_are_levels() {
    let of = |monotonic, temporality| {
        let mut metric = point("m", 0, MetricValue::Sum { value: -3.0, monotonic });
        metric.temporality = Some(temporality);
        metric
    };
    for (monotonic, temporality, kind) in [
        (true, Temporality::Delta, 1),
        (false, Temporality::Delta, 1),
        (false, Temporality::Cumulative, 3),
        (true, Temporality::Cumulative, 3),
    ] {
        let sent = sent([of(monotonic, temporality)]).await;
        let series = arrived(&sent, SERIES).remove(0);
        assert_eq!((&series["type"], &series["points"][0]["value"]), (&json!(kind), &json!(-3.0)));
    }
}

#[tokio::test]
async fn measurements_without_an_aggregator_add_up_within_a_second() {
    let at = |value| Metric::new(second(NOW), "raw", value);
    let sent = sent([
        at(MetricValue::Add(1.0)),
        at(MetricValue::Add(2.5)),
        at(MetricValue::Sample(0.5)),
        at(MetricValue::Sample(4.0)),
    ])
    .await;
    assert_eq!(sent.receipt.delivered, 4);
    let series = arrived(&sent, SERIES);
    assert_eq!(
        (series.len(), &series[0]["points"][0]["value"], &series[0]["interval"]),
        (1, &json!(3.5), &json!(1))
    );
    let distributions = arrived(&sent, DISTRIBUTIONS);
    assert_eq!((distributions.len(), &distributions[0]["points"][0][1]), (1, &json!([0.5, 4.0])));
}

#[tokio::test]
async fn of_several_levels_of_one_second_the_latest_stays() {
    let level = |nanos, value| {
        Metric::new(Timestamp::from_nanos(second(NOW).as_nanos() + nanos), "level", MetricValue::Gauge(value))
    };
    let sent = sent([level(5, 1.0), level(9, 2.0), level(7, 3.0)]).await;
    let series = arrived(&sent, SERIES);
    assert_eq!((series.len(), &series[0]["points"][0]["value"], sent.receipt.delivered), (1, &json!(2.0), 3));
}

#[tokio::test]
async fn points_beyond_what_datadog_takes_are_refused_with_the_reason() {
    for (time, takes) in [(NOW - 3_600, true), (NOW - 3_601, false), (NOW + 600, true), (NOW + 601, false)] {
        let mut metric = counted("m", 0, 1.0);
        metric.time = second(time);
        let sent = sent([metric]).await;
        assert_eq!((sent.receipt.delivered == 1, arrived(&sent, SERIES).len() == 1), (takes, takes));
        if !takes {
            assert!(sent.reason().starts_with("m: ") && sent.reason().contains("drops"), "{}", sent.reason());
        }
    }
}

#[tokio::test]
async fn what_has_no_form_in_datadog_is_refused_alone_with_the_reason() {
    let mut untold = counted("untold", 0, 1.0);
    untold.temporality = None;
    let histogram = Histogram { count: 1, sum: 1.0, counts: vec![1], ..Histogram::default() };
    let mut whole = point("whole", 0, MetricValue::Histogram(Box::new(histogram)));
    whole.temporality = Some(Temporality::Cumulative);
    let nan = counted("nan", 0, f64::NAN);
    let nameless = counted("日本", 0, 1.0);
    let hollow = point("hollow", 0, MetricValue::ExpHistogram(Box::default()));
    let sent = sent([counted("good", 0, 1.0), untold, whole, nan, nameless, hollow]).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (1, 5));
    let reasons: Vec<_> = sent.receipt.rejected.iter().map(|one| &*one.reason).collect();
    for (name, why) in [
        ("untold", "temporality"),
        ("whole", "from the beginning"),
        ("nan", "no number"),
        ("日本", "ASCII letter"),
        ("hollow", "no sample"),
    ] {
        assert!(
            reasons.iter().any(|reason| reason.starts_with(name) && reason.contains(why)),
            "{name}: {reasons:#?}"
        );
    }
}

#[tokio::test]
async fn histograms_can_be_five_series() {
    let histogram = ExpHistogram {
        count: 3,
        sum: 7.0,
        min: Some(1.0),
        max: Some(4.0),
        positive: ExpBuckets { offset: -1, counts: vec![1, 1, 1] },
        ..ExpHistogram::default()
    };
    let latency = point("latency", 0, MetricValue::ExpHistogram(Box::new(histogram)));
    let aggregates = MetricsConfig::default().with_process_id(false).with_histograms(Histograms::Aggregates);
    let sent = sent_with(batch([latency]), |config, _| config.with_metrics_config(aggregates)).await;
    let told: Vec<_> = arrived(&sent, SERIES)
        .iter()
        .map(|one| {
            (
                one["metric"].as_str().unwrap().to_owned(),
                one["type"].as_u64(),
                one["points"][0]["value"].as_f64(),
            )
        })
        .collect();
    let expected =
        [("count", 1, 3.0), ("sum", 1, 7.0), ("min", 3, 1.0), ("max", 3, 4.0), ("avg", 3, 7.0 / 3.0)];
    assert_eq!(
        told,
        expected.map(|(name, kind, value)| (format!("latency.{name}"), Some(kind), Some(value)))
    );
    assert_eq!(sent.receipt.delivered, 1);
}

#[tokio::test]
async fn metrics_of_ones_own_have_their_name_and_type() {
    let custom =
        |key: &'static str, metric| move |config: DatadogConfig| config.with_custom_metric(key, metric);
    let rate = CustomMetric::new("foundation.log.processing_rate", MetricType::Rate, "messages_per_second");
    let overhead =
        CustomMetric::new("foundation.log.emoji_overhead", MetricType::Gauge, "emoji_overhead_percent");
    let per_second = CustomMetric::new("hits.rate", MetricType::Rate, "hits");
    let wrong = CustomMetric::new("wrong.type", MetricType::Count, "temperature");
    let configured = |config: DatadogConfig| {
        let config = custom("processing_rate", rate.with_interval(Duration::from_secs(10)))(config);
        let config = custom("emoji_overhead", overhead)(config);
        custom("wrong", wrong)(custom("hits", per_second)(config))
    };
    let metrics = MetricsConfig::default().with_namespace("foundation.profiling").with_process_id(false);
    let sent = sent_with(
        batch([
            point("messages_per_second", 0, MetricValue::Gauge(12.5)),
            point("emoji_overhead_percent", 0, MetricValue::Gauge(3.0)),
            counted("hits", 0, 50.0),
            counted("others", 0, 1.0),
            point("temperature", 0, MetricValue::Gauge(20.0)),
        ]),
        |config, _| configured(config.with_metrics_config(metrics)),
    )
    .await;
    let told: Vec<_> = arrived(&sent, SERIES)
        .iter()
        .map(|one| {
            (
                one["metric"].clone(),
                one["type"].clone(),
                one["points"][0]["value"].clone(),
                one["interval"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!("foundation.log.processing_rate"), json!(2), json!(12.5), json!(10)),
            (json!("foundation.log.emoji_overhead"), json!(3), json!(3.0), Value::Null),
            (json!("hits.rate"), json!(2), json!(5.0), json!(10)),
            (json!("foundation.profiling.others"), json!(1), json!(1.0), json!(10)),
        ]
    );
    assert!(
        sent.reason().contains("makes \"temperature\" a count, and it is recorded as a gauge"),
        "{}",
        sent.reason()
    );
}

#[tokio::test]
async fn processes_of_one_host_are_told_apart() {
    let of = |attributes: &[(&'static str, &'static str)]| {
        let mut resource = Resource::service("svc");
        for (name, value) in attributes {
            resource.attributes.push(*name, *value);
        }
        Metric { resource: Arc::new(resource), ..counted("hits", 0, 1.0) }
    };
    let server = server::start().await;
    let send = async |metric| {
        let exporter = server::exporter_of(server::config(&server).with_hostname("node-1"));
        exporter.export(&batch([metric])).await.unwrap();
        let request = server.take_requests().remove(0);
        server::body(&request)["series"][0]["tags"].clone()
    };
    let (pid, instance) = (("process.pid", "41"), ("service.instance.id", "pod-7"));
    assert_eq!(send(of(&[pid])).await, json!(["process_id:41", "service:svc"]));
    assert_eq!(send(of(&[pid, instance])).await, json!(["process_id:pod-7", "service:svc"]));
    // As two containers of one host whose processes both have the number 1.
    let (one, other) = (send(of(&[])).await, send(of(&[])).await);
    assert_ne!(one, other);
    let own = format!("process_id:{}-", std::process::id());
    assert!([one, other].iter().all(|tags| tags[0].as_str().unwrap().starts_with(&own)));
}

#[tokio::test]
async fn requests_of_series_stay_below_500_kilobytes() {
    let labelled = |nth: usize| Metric {
        labels: Labels::from([("nth", format!("{nth:0>150}"))]),
        ..counted("m", 0, 1.0)
    };
    let sent = sent((0..5_000).map(labelled)).await;
    let sizes: Vec<_> = sent.server.requests().iter().map(|request| request.body.len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= 512_000), "{sizes:?}");
    assert_eq!((arrived(&sent, SERIES).len(), sent.receipt.delivered), (5_000, 5_000));
    assert_eq!(sent.server.requests()[0].header("content-encoding"), Some("deflate"));
}

fn wide(count: u64) -> Metric {
    let histogram = ExpHistogram {
        count,
        sum: count as f64 * 1.337,
        positive: ExpBuckets { offset: 0, counts: vec![count] },
        ..ExpHistogram::default()
    };
    point("wide", 0, MetricValue::ExpHistogram(Box::new(histogram)))
}

#[tokio::test]
async fn more_values_than_a_request_holds_are_split_over_several_at_the_same_second() {
    let sent = sent([wide(90_000), counted("beside", 0, 1.0)]).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (2, 0));
    let parts = arrived(&sent, DISTRIBUTIONS);
    let sizes: Vec<_> = parts.iter().map(|part| part["points"][0][1].as_array().unwrap().len()).collect();
    assert!(parts.len() > 1 && sizes.iter().sum::<usize>() == 90_000, "{sizes:?}");
    assert!(parts.iter().all(|part| part["points"][0][0] == json!(NOW)), "Datadog adds them up");
    assert!(sent.server.requests().iter().all(|request| request.body.len() <= 512_000));
}

/// A record of which one part is refused is not delivered, whichever part it is.
#[tokio::test]
async fn law_1_accounting_a_refused_part_refuses_the_record() {
    for answers in [[400, 202, 202], [202, 400, 202], [202, 202, 413], [422, 400, 202]] {
        let server = CaptureServer::start().await;
        server.answer(answers.map(Answer::status));
        let exporter = server::exporter_of(plain(server::config(&server)));
        let receipt = exporter.export(&batch([wide(60_000)])).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1), "{answers:?}");
        assert_eq!(receipt.rejected[0].records.as_ref().map(Batch::len), Some(1));
    }
}

#[tokio::test]
async fn a_part_that_does_not_pass_leaves_the_whole_point_to_be_sent_again() {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(202), Answer::status(503), Answer::status(202)]);
    let exporter = server::exporter_of(plain(server::config(&server)));
    let batch = batch([wide(60_000)]);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Unavailable, 1));
    assert_eq!(server.take_requests().len(), 2, "nothing is sent after a part that did not pass");
    assert_eq!(exporter.export(error.undelivered()).await.unwrap().delivered, 1);
}

/// Busy histograms need no seconds ahead: points of a distribution add up within one.
#[tokio::test]
async fn points_of_distributions_stand_at_their_own_second_however_many_there_are() {
    let server = server::start().await;
    let exporter = server::exporter_of(plain(server::config(&server)));
    for _ in 0..700 {
        assert_eq!(exporter.export(&batch([wide(2)])).await.unwrap().delivered, 1);
    }
    let seconds =
        server.requests().iter().all(|one| server::body(one)["series"][0]["points"][0][0] == json!(NOW));
    assert!(seconds);
}

#[tokio::test]
async fn more_samples_than_a_distribution_takes_are_refused_with_what_to_do() {
    let sent = sent([wide(100_001)]).await;
    assert!(sent.reason().contains("set metrics_config.histograms to aggregates"), "{}", sent.reason());
    assert_eq!(sent.receipt.rejected[0].kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn answers_mean_the_same_for_metrics() {
    for (status, kind) in
        [(403, "auth"), (413, "too_large"), (429, "rate_limited"), (500, "unavailable"), (400, "rejected")]
    {
        let metrics = [counted("a", 0, 1.0), counted("b", 0, 1.0)];
        let error = server::failed(batch(metrics), Answer::status(status)).await;
        assert_eq!((error.kind().as_str(), error.undelivered().len()), (kind, 2), "{status}");
    }
}

#[test]
fn what_no_metric_can_be_made_of_is_refused_when_the_exporter_is_made() {
    let config =
        DatadogConfig::new("key").with_custom_metric("mine", CustomMetric::new("", MetricType::Gauge, "x"));
    let error = DatadogExporter::new(config).unwrap_err();
    assert!(error.message().starts_with("custom_metrics.mine.metric_name: "), "{error}");
}

async fn requests(batch: &Batch, config: impl FnOnce(DatadogConfig) -> DatadogConfig) -> String {
    let server = server::start().await;
    let exporter = server::exporter_of(config(server::config(&server)));
    let receipt = exporter.export(&conformance::input(batch, exporter.descriptor())).await.unwrap();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for rejection in &receipt.rejected {
        *refused.entry(format!("{}: {}", rejection.kind, rejection.reason)).or_default() += rejection.count;
    }
    format!("delivered {}, refused {refused:#?}\n\n{}", receipt.delivered, server.redacted_snapshot())
}

#[tokio::test]
async fn requests_of_ordinary_metrics() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Metrics), plain).await);
}

#[tokio::test]
async fn requests_of_nasty_metrics() {
    insta::assert_snapshot!(requests(&fixtures::nasty(Signal::Metrics), plain).await);
}

#[tokio::test]
async fn requests_of_aggregates_under_a_namespace() {
    let metrics = MetricsConfig::default().with_process_id(false).with_namespace("acme");
    let metrics = metrics.with_tags(["team:platform"]).with_histograms(Histograms::Aggregates);
    let config = |config: DatadogConfig| config.with_metrics_config(metrics);
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Metrics), config).await);
}
