//! Law 6: no secret passes, in no string of no signal.

use std::sync::Arc;

use obs_core::{Batch, Record, Resource, Signal, TraceContext};
use obs_testkit::{Scripted, fixtures};

use crate::make::{PATIENCE, builder, log, span};

const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn told(exporter: &Scripted) -> String {
    let mut lines = Vec::new();
    for record in exporter.records() {
        record.write_line(&mut lines).unwrap();
    }
    String::from_utf8(lines).unwrap()
}

#[test]
fn law_6_redaction_runs_before_any_lane() {
    let exporters = [Scripted::new([]), Scripted::new([])];
    let pipeline = builder()
        .to_named("one", Arc::clone(&exporters[0]))
        .to_named("two", Arc::clone(&exporters[1]))
        .build()
        .unwrap();
    let intake = pipeline.intake();
    let context = Arc::new(TraceContext { user_id: Some(SECRET.into()), ..TraceContext::default() });
    let mut resource = Resource::default();
    resource.attributes.push("deploy.note", SECRET);
    let resource = Arc::new(resource);
    for at in 0..3 {
        let mut span = span(at);
        span.input = Some(format!("{{\"password\": \"hunter2\", \"note\": \"use {SECRET}\"}}").into());
        span.output = Some(format!("the key is {SECRET}").into());
        span.attributes.push("api_key", "plain-looking");
        (span.context, span.resource) = (Arc::clone(&context), Arc::clone(&resource));
        intake.span_ended(span);
    }
    intake.log(log(SECRET));
    pipeline.flush(PATIENCE);
    for exporter in &exporters {
        let told = told(exporter);
        assert_eq!(exporter.delivered(Signal::Traces), 3);
        for secret in [SECRET, "hunter2", "plain-looking"] {
            assert!(!told.contains(secret), "{told}");
        }
        let records = exporter.records();
        let contexts = records.iter().filter_map(|record| match record {
            Record::Span(span) => Some(Arc::clone(&span.span().context)),
            _ => None,
        });
        let contexts: Vec<_> = contexts.collect();
        assert!(
            contexts.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])),
            "a shared context stays shared"
        );
    }
}

#[test]
fn law_6_without_redaction_everything_passes_as_it_is() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).without_redaction().build().unwrap();
    pipeline.intake().log(log(SECRET));
    pipeline.flush(PATIENCE);
    assert!(told(&exporter).contains(SECRET));
}

#[test]
fn ordinary_records_pass_redaction_unchanged() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    let Batch::Traces(spans) = fixtures::batch(Signal::Traces) else { unreachable!() };
    let ended: Vec<_> = spans.iter().filter_map(|record| record.ended().cloned()).collect();
    ended.iter().cloned().for_each(|span| intake.span_ended(span));
    pipeline.flush(PATIENCE);
    let arrived: Vec<_> = exporter.records();
    assert_eq!(arrived.len(), ended.len());
    for (arrived, made) in arrived.iter().zip(&ended) {
        let Record::Span(arrived) = arrived else { unreachable!() };
        assert_eq!(arrived.span().input, made.input);
        assert_eq!((&arrived.span().name, &arrived.span().span_type), (&made.name, &made.span_type));
    }
}
