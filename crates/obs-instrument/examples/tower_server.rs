//! A server of which every request has a span under its caller's; the service is called in this process.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use obs_instrument::core::Record;
use obs_instrument::tower::ServerLayer;
use obs_instrument::{FutureExt, Observability};
use obs_testkit::Scripted;
use tower::{Layer, ServiceExt, service_fn};

async fn answer(request: Request<String>) -> Result<Response<String>, Infallible> {
    // Whatever the handler starts attaches itself to the request.
    let obs = Observability::current();
    let call = obs.as_ref().map(|obs| obs.llm_generation("chat"));
    tokio::task::yield_now().await;
    drop(call);
    Ok(Response::new(format!("asked {}", request.uri().path())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = Scripted::new([]);
    let obs = Observability::builder("support-bot").to(Arc::clone(&exporter)).build()?;
    // The callers of this one are services of ours; at the edge, where strangers call, add `.public(true)`: else they
    // decide what is recorded, and their baggage travels on.
    // With axum: `Router::new().route(..).layer(layer)`, and the route is `axum::extract::MatchedPath`.
    let layer = ServerLayer::of(&obs).route(|_| Some("/chat/{id}".into()));
    let service = layer.layer(service_fn(answer));

    let request = Request::post("/chat/7")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(String::new())?;
    let response = tokio::spawn(service.oneshot(request).with_current_context()).await??;
    assert_eq!(response.into_body(), "asked /chat/7");

    assert!(obs.shutdown(Duration::from_secs(5)).complete);
    let records = exporter.records();
    let spans: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Span(span) => span.ended(),
            _ => None,
        })
        .collect();
    let [call, serve] = spans[..] else { return Err("two spans, the inner one first".into()) };
    assert_eq!(serve.name, "POST /chat/{id}");
    assert_eq!(serve.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(serve.parent_span_id.map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
    assert_eq!(serve.attributes.get("http.response.status_code"), Some(&200.into()));
    assert_eq!(call.parent_span_id, Some(serve.span_id));
    println!("{} spans of trace {}", spans.len(), serve.trace_id);
    Ok(())
}
