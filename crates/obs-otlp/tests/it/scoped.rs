//! Records one by one are those of requests.

use std::sync::Arc;

use obs_core::{Batch, Record, Signal};
use obs_otlp::encode::{Encoding, SpanParts, TraceRequests, genai};
use obs_otlp::ingest::{self, Scoped};
use obs_testkit::fixtures;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

#[test]
fn records_that_come_one_by_one_are_those_of_a_request_and_share_its_resource() {
    let Batch::Traces(records) = fixtures::batch(Signal::Traces) else { panic!("traces") };
    let mut requests = TraceRequests::new(Encoding::Protobuf, usize::MAX, usize::MAX);
    for (at, record) in records.iter().enumerate() {
        let span = record.span();
        let parts = SpanParts::of(span, span.end.unwrap_or(span.start));
        requests.push(at, &span.resource, &parts, |to| genai::attributes(span, to));
    }
    let request = ExportTraceServiceRequest::decode(&*requests.finish().remove(0).body).unwrap();
    let mut one_by_one = Vec::new();
    for group in &request.resource_spans {
        for scoped in &group.scope_spans {
            let (resource, scope) = (group.resource.clone().unwrap_or_default(), scoped.scope.as_ref());
            let read = Scoped::new(&resource, "", &scope.cloned().unwrap_or_default(), "").unwrap();
            let of_scope: Vec<Record> =
                scoped.spans.iter().flat_map(|span| read.span(span).unwrap()).collect();
            let first = resource_of(&of_scope[0]);
            assert!(of_scope.iter().all(|record| Arc::ptr_eq(resource_of(record), first)));
            one_by_one.extend(of_scope);
        }
    }
    let mut at_once = ingest::traces(&request).records;
    // A scope that is not there and one without a name are the same to OTLP, and only one of them is none.
    for record in one_by_one.iter_mut().chain(&mut at_once) {
        unnamed(record);
    }
    assert_eq!(one_by_one, at_once);
}

fn resource_of(record: &Record) -> &Arc<obs_core::Resource> {
    match record {
        Record::Span(record) => &record.span().resource,
        Record::Score(score) => &score.resource,
        other => panic!("{other:?}"),
    }
}

fn unnamed(record: &mut Record) {
    let resource = match record {
        Record::Span(record) => &mut record.span_mut().resource,
        Record::Score(score) => &mut score.resource,
        other => panic!("{other:?}"),
    };
    let resource = Arc::make_mut(resource);
    resource.scope.take_if(|scope| scope.name.is_empty());
}

#[test]
fn what_cannot_be_read_says_why() {
    let read = Scoped::new(&Default::default(), "", &Default::default(), "").unwrap();
    let reason = read.span(&Default::default()).unwrap_err();
    assert!(reason.contains("traceId"), "{reason}");
}
