//! A call of another service: its headers carry the trace, by hand and by a layer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use obs_instrument::core::Record;
use obs_instrument::tower::ClientLayer;
use obs_instrument::{Context, FutureExt, Observability};
use obs_testkit::Scripted;
use tower::{Layer, ServiceExt, service_fn};

/// The other service, which tells what it was sent.
async fn other(request: Request<String>) -> Result<Response<HeaderMap>, Infallible> {
    Ok(Response::new(request.headers().clone()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = Scripted::new([]);
    let obs = Observability::builder("support-bot").to(Arc::clone(&exporter)).build()?;

    // By hand, for any client that knows the crate `http`: reqwest, hyper, ureq.
    let run = obs.agent_run("answer");
    let context = run.context().with_baggage("tenant", "acme")?;
    let mut headers = HeaderMap::new();
    context.inject_headers(&mut headers);
    let caller = Context::extract_headers(&headers);
    assert_eq!(
        (caller.trace_id(), caller.span_id(), caller.is_sampled()),
        (run.trace_id(), run.span_id(), true)
    );
    assert_eq!(caller.baggage().get("tenant"), Some("acme"));

    // By a layer, which gives the call a span of its own.
    let client = ClientLayer::of(&obs).layer(service_fn(other));
    let request = Request::get("http://weather.example/today").body(String::new())?;
    let sent = client.oneshot(request).with_context(context).await?.into_body();
    run.end();

    assert!(obs.shutdown(Duration::from_secs(5)).complete);
    let records = exporter.records();
    let call = records.iter().find_map(|record| match record {
        Record::Span(span) => span.ended().filter(|span| span.name == "GET"),
        _ => None,
    });
    let call = call.ok_or("the call has a span")?;
    assert_eq!(sent["traceparent"], format!("00-{}-{}-03", call.trace_id, call.span_id));
    assert_eq!(sent["baggage"], "tenant=acme");
    assert_eq!(call.attributes.get("url.full"), Some(&"http://weather.example/today".into()));
    println!("sent {} and {}", sent["traceparent"].to_str()?, sent["tracestate"].to_str()?);
    Ok(())
}
