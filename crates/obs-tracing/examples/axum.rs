//! A service on loopback whose handlers are instrumented with `tracing`; it asks itself once, shows what arrived, and ends.
//!
//! `cargo run -p obs-tracing --example tracing-axum`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use obs_core::{Record, SpanKind, Status};
use obs_instrument::Observability;
use obs_testkit::Scripted;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing::field::Empty;
use tracing::{Instrument, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;

/// A span around each request, as a server's middleware makes them.
async fn observed(request: Request, next: Next) -> Response {
    let span = info_span!("request", otel.name = %format!("{} {}", request.method(), request.uri().path()),
        otel.kind = "server", http.response.status_code = Empty, otel.status_code = Empty);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "error");
    }
    response
}

#[instrument]
async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    info!(id, "looked up");
    match stock(id).await {
        Ok(left) => Ok(format!("{left} left")),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[instrument(err)]
async fn stock(id: u32) -> Result<u32, std::num::TryFromIntError> {
    tokio::task::yield_now().await;
    u8::try_from(id * 100).map(u32::from)
}

async fn ask(path: &str, listener: std::net::SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(listener).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In an application: an exporter of your backend.
    let arrived = Scripted::new([]);
    let obs = Observability::builder("shop").to(Arc::clone(&arrived)).build()?;
    let layer = obs_tracing::layer(&obs);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    let app = Router::new().route("/orders/{id}", get(order)).layer(middleware::from_fn(observed));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    assert!(ask("/orders/2", address).await?.ends_with("200 left"));
    assert!(ask("/orders/7", address).await?.starts_with("HTTP/1.1 500"));
    server.abort();

    assert!(obs.flush(Duration::from_secs(10)).complete);
    let records = arrived.records();
    let spans: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Span(span) => span.ended(),
            _ => None,
        })
        .collect();
    for span in &spans {
        let parent = spans.iter().find(|parent| span.parent_span_id == Some(parent.span_id));
        println!("{} under {:?}: {:?}", span.name, parent.map(|parent| &parent.name), span.status);
    }
    let find = |name: &str| spans.iter().find(|span| span.name == name).ok_or("a span is missing");
    let (request, failed) = (find("GET /orders/2")?, find("GET /orders/7")?);
    assert_eq!(
        (request.kind, request.status, failed.status),
        (SpanKind::Server, Status::Unset, Status::Error)
    );
    assert_eq!(spans.len(), 6);
    let logs =
        records.iter().filter(|record| matches!(record, Record::Log(log) if log.span.is_some())).count();
    println!("{logs} logs, each under its span");
    assert_eq!(logs, 3, "two lookups and an error");
    Ok(())
}
