//! OTLP into the test agent, straight and through a collector.

mod agent;
mod found;
mod logs;
mod normal;
mod spans;

use anyhow::Result;
use obs_core::{Record, Signal, SpanRecord};
use obs_otlp::encode::{Encoding, SpanParts, TraceRequests, genai};

use super::Scene;
use super::fact::{Fact, compare};
use super::row::Row;
use agent::Agent;

/// Every form of OTLP straight into the test agent.
pub(crate) fn direct(scene: &Scene) -> Result<Vec<Row>> {
    let agent = Agent::start(scene)?;
    let mut rows = Vec::new();
    for source in &scene.sources {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let mut requests = TraceRequests::new(encoding, 512, 900 << 10);
            for (at, record) in source.records.iter().enumerate() {
                let Record::Span(SpanRecord::Ended(span)) = record else { continue };
                let Some(end) = span.end else { continue };
                let name = genai::name(span);
                let parts = SpanParts { name: &name, kind: genai::kind(span), ..SpanParts::of(span, end) };
                requests.push(at, &span.resource, &parts, |to| genai::attributes(span, to));
            }
            for chunk in requests.finish() {
                let request = obs_http::Request::post("/v1/traces")
                    .with_content_type(encoding.content_type())
                    .with_body(obs_http::Body::plain(chunk.body));
                scene.stage.block_on(agent.api.text(request))?;
            }
            let wanted = expected(&source.records, Signal::Traces);
            let found = scene.stage.block_on(agent.found(Signal::Traces))?;
            let compared = compare(&wanted, &found.facts);
            scene.stage.block_on(agent.clear())?;
            rows.push(Row {
                what: format!("{}, spans", source.name),
                backend: "ddapm-test-agent",
                transport: format!("{encoding:?}"),
                sent: wanted.len(),
                requests: Some(found.requests),
                compared,
            });
        }
    }
    Ok(rows)
}

fn expected(records: &[Record], signal: Signal) -> Vec<Fact> {
    let facts = records.iter().filter_map(|record| match record {
        Record::Span(SpanRecord::Ended(span)) if signal == Signal::Traces => Some(spans::span(span)),
        Record::Log(log) if signal == Signal::Logs => Some(logs::log(log)),
        _ => None,
    });
    facts.collect()
}
