//! Law 6: no secret passes, in no string of no signal.

use std::sync::Arc;

use obs_core::{
    Batch, Labels, Payload, Record, Resource, Signal, Str, TextVisitor, TraceContext, Value, VisitText,
};
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

/// Puts a secret into every string it is shown.
struct Plant;

impl TextVisitor for Plant {
    fn text(&mut self, _: &str, text: &mut Str) {
        *text = format!("{text} {SECRET}").into();
    }

    fn payload(&mut self, _: &str, payload: &mut Payload) {
        *payload = format!("{{\"note\": \"use {SECRET}\"}}").into();
    }

    fn attribute(&mut self, key: &mut Str, value: &mut Value) {
        *key = format!("{key} {SECRET}").into();
        *value = Value::List(vec![Value::Str(SECRET.into()), std::mem::replace(value, Value::Null)]);
    }

    fn labels(&mut self, labels: &mut Labels) {
        *labels = labels
            .iter()
            .map(|(key, value)| (format!("{key} {SECRET}"), format!("{value} {SECRET}")))
            .collect();
    }

    fn context(&mut self, context: &mut Arc<TraceContext>) {
        Arc::make_mut(context).visit_text(self);
    }

    fn resource(&mut self, resource: &mut Arc<Resource>) {
        Arc::make_mut(resource).visit_text(self);
    }
}

#[test]
fn law_6_no_string_of_any_signal_keeps_a_secret() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    let mut planted = 0;
    for mut record in Signal::ALL.into_iter().flat_map(|signal| fixtures::batch(signal).to_records()) {
        match &mut record {
            Record::Span(record) => record.visit_text(&mut Plant),
            Record::Metric(record) => record.visit_text(&mut Plant),
            Record::Log(record) => record.visit_text(&mut Plant),
            Record::Score(record) => record.visit_text(&mut Plant),
            Record::Feedback(record) => record.visit_text(&mut Plant),
        }
        let mut line = Vec::new();
        record.write_line(&mut line).unwrap();
        planted += String::from_utf8(line).unwrap().matches(SECRET).count();
        match record {
            Record::Span(record) => intake.span_ended(record.span().clone()),
            Record::Metric(record) => intake.metric(record),
            Record::Log(record) => intake.log(record),
            Record::Score(record) => intake.score(record),
            Record::Feedback(record) => intake.feedback(record),
        }
    }
    assert!(pipeline.flush(PATIENCE).complete);
    assert!(planted > 500, "only {planted} were planted");
    assert!(Signal::ALL.iter().all(|signal| exporter.delivered(*signal) > 0));
    let told = told(&exporter);
    assert!(!told.contains(SECRET), "{} leaked", told.matches(SECRET).count());
}
