//! One test for each way in which other clients lose or bend what New Relic is sent.

use obs_core::{Batch, Error, Exporter, Level, Log, Metric, MetricValue, Signal, Temporality};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_testkit::fixtures::{self, at, uuid};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;

use crate::otlp;
use crate::support::{Bench, EVENTS, KEY, METRICS, events};

#[test]
fn a_missing_key_is_an_error_and_not_a_silent_exporter() {
    let message = |config| NewRelicExporter::new(config).err().map(|error: Error| error.message().to_owned());
    assert!(message(NewRelicConfig::default()).unwrap().starts_with("license_key: empty"));
    let user = message(NewRelicConfig::new("NRAK-ABCDEFGHIJKLMNOPQRSTUVWXYZ0")).unwrap();
    assert!(user.contains("key of a user"), "{user}");
}

#[tokio::test]
async fn requests_are_compressed_and_carry_the_key() {
    let bench = Bench::native().await;
    for signal in Signal::ALL {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
    }
    for request in bench.server.take_requests() {
        assert_eq!(request.header("content-encoding"), Some("gzip"), "{}", request.path);
        assert_eq!(request.header("api-key"), Some(KEY), "{}", request.path);
    }
}

#[tokio::test]
async fn scores_and_feedback_arrive_also_for_whole_traces() {
    let bench = Bench::account().await;
    for signal in [Signal::Scores, Signal::Feedback] {
        let batch = fixtures::batch(signal);
        assert_eq!(bench.export(&batch).await.unwrap().delivered, batch.len());
        assert_eq!(events(&bench.server.take_requests()[0]).len(), batch.len());
    }
}

#[tokio::test]
async fn increments_are_deltas_and_say_so() {
    let bench = Bench::account().await;
    let mut calls = Metric::new(at(10), "calls", MetricValue::Sum { value: 3.0, monotonic: true });
    (calls.start, calls.temporality) = (Some(at(0)), Some(Temporality::Delta));
    bench.export(&Batch::Metrics(vec![calls].into())).await.unwrap();
    let metrics = otlp::metrics(&bench.server.take_requests()[0]);
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("no sum") };
    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (1, true));
    assert!(sum.data_points[0].start_time_unix_nano < sum.data_points[0].time_unix_nano);
}

#[tokio::test]
async fn a_log_outside_of_traces_has_no_made_up_trace_id_and_its_resource_is_whole() {
    let bench = Bench::alone().await;
    bench.export(&Batch::Logs(vec![Log::new(at(1), Level::Info, "alone")].into())).await.unwrap();
    let request = &bench.server.take_requests()[0];
    assert!(otlp::logs(request)[0].trace_id.is_empty());
    let resource = otlp::resource(request);
    let of = |key: &str| {
        let value = resource.iter().find(|pair| pair.key == key)?.value.clone()?.value?;
        if let Value::StringValue(text) = value { Some(text) } else { None }
    };
    assert_eq!(of("service.name").as_deref(), Some("obs-test"));
    assert_eq!(of("service.instance.id").as_deref(), Some("instance-1"));
    assert_eq!(of("telemetry.sdk.name").as_deref(), Some("obs"));
}

#[tokio::test]
async fn a_batch_is_one_request_and_an_idle_exporter_sends_none() {
    let bench = Bench::native().await;
    bench.exporter.flush().await.unwrap();
    assert!(bench.server.requests().is_empty());
    for (signal, path) in [
        (Signal::Traces, "/v1/traces"),
        (Signal::Metrics, METRICS),
        (Signal::Logs, "/v1/logs"),
        (Signal::Scores, EVENTS),
        (Signal::Feedback, EVENTS),
    ] {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
        let requests = bench.server.take_requests();
        assert_eq!(requests.iter().map(|request| &*request.path).collect::<Vec<_>>(), [path]);
    }
}

#[tokio::test]
async fn ids_of_scores_are_the_ones_that_they_were_given() {
    let bench = Bench::account().await;
    let events = bench.events(&fixtures::batch(Signal::Scores).slice(0..1)).await;
    assert_eq!(events[0]["id"], uuid(100).to_string());
}
