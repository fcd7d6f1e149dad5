//! Services and clients under the layers.

use std::convert::Infallible;
use std::future::pending;

use http::{Request, Response, StatusCode};
use obs_core::{SpanKind, Status, Value};
use obs_instrument::tower::{ClientLayer, ServerLayer};
use obs_instrument::{Context, Observability};
use tower::{Layer, ServiceExt, service_fn};

use crate::collect::{Bench, with_global_registry};
use crate::executors::block_on;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn get(path: &str) -> Request<String> {
    Request::get(path).header("host", "example.com:8080").body(String::new()).unwrap()
}

async fn answer(status: u16) -> Result<Response<String>, Infallible> {
    tokio::task::yield_now().await;
    Observability::current().unwrap().tool_call("inside").end();
    Ok(Response::builder().status(status).body(String::new()).unwrap())
}

#[tokio::test]
async fn a_request_has_a_span_under_its_caller_s() {
    let bench = Bench::new();
    let layer = ServerLayer::of(&bench.obs).route(|_| Some("/users/{id}".into()));
    let service = layer.layer(service_fn(|_: Request<String>| answer(204)));
    let mut request = get("/users/7?token=secret");
    request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
    service.oneshot(request).await.unwrap();
    let arrived = bench.arrived();
    let span = arrived.span("GET /users/{id}");
    assert_eq!((span.kind, span.status, span.remote_parent), (SpanKind::Server, Status::Unset, true));
    assert_eq!(span.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    for (name, value) in [
        ("http.request.method", Value::from("GET")),
        ("http.route", "/users/{id}".into()),
        ("url.path", "/users/7".into()),
        ("server.address", "example.com".into()),
        ("server.port", 8080.into()),
        ("network.protocol.version", "1.1".into()),
        ("http.response.status_code", 204.into()),
    ] {
        assert_eq!(span.attributes.get(name), Some(&value), "{name}");
    }
    assert!(!format!("{span:?}").contains("secret"));
    assert_eq!(arrived.span("inside").parent_span_id, Some(span.span_id));
}

#[tokio::test]
async fn errors_of_the_server_are_errors_and_those_of_the_caller_are_not() {
    let bench = Bench::new();
    for (status, failed) in [(404, Status::Unset), (503, Status::Error)] {
        let service = ServerLayer::of(&bench.obs)
            .route(move |_| Some(status.to_string().into()))
            .layer(service_fn(move |_: Request<String>| answer(status)));
        service.oneshot(get("/")).await.unwrap();
        let arrived = bench.arrived();
        let span = arrived.span(&format!("GET {status}"));
        assert_eq!(span.status, failed);
        assert_eq!(span.attributes.get("error.type").is_some(), failed == Status::Error);
    }
    let service = ServerLayer::of(&bench.obs)
        .layer(service_fn(|_: Request<String>| async { Err::<Response<()>, _>("no luck") }));
    let request = Request::builder().method("BREW").uri("/").body(String::new()).unwrap();
    service.oneshot(request).await.unwrap_err();
    let arrived = bench.arrived();
    let span = arrived.span("HTTP");
    assert_eq!(span.error.as_ref().unwrap().message, "no luck");
    assert_eq!(span.attributes.get("http.request.method"), Some(&"_OTHER".into()));
    assert_eq!(span.attributes.get("http.request.method_original"), Some(&"BREW".into()));
}

#[tokio::test]
async fn a_request_that_is_given_up_and_one_that_panics_end_their_spans() {
    let bench = Bench::new();
    let layer = ServerLayer::of(&bench.obs);
    let given_up =
        layer.layer(service_fn(|_: Request<String>| pending::<Result<Response<()>, Infallible>>()));
    let mut waiting = Box::pin(given_up.oneshot(get("/")));
    assert!(tokio::select! { biased; _ = &mut waiting => false, () = tokio::task::yield_now() => true });
    drop(waiting);
    let span = &bench.arrived().spans[0];
    assert_eq!((span.status, span.attributes.get("obs.cancelled")), (Status::Unset, Some(&true.into())));
    let panics = layer.layer(service_fn(|_: Request<String>| async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Response::builder().status(0).body(()).unwrap())
    }));
    tokio::spawn(panics.oneshot(get("/"))).await.unwrap_err();
    let span = &bench.arrived().spans[1];
    assert_eq!(span.error.as_ref().unwrap().error_type.as_deref(), Some("panic"));
}

#[tokio::test]
async fn strangers_decide_nothing_where_the_service_is_public() {
    let bench = Bench::new();
    let service = ServerLayer::of(&bench.obs).public(true).layer(service_fn(|_: Request<String>| async {
        assert!(Context::current().baggage().is_empty());
        answer(200).await
    }));
    let mut request = get("/");
    request.headers_mut().insert("traceparent", PARENT.replace("-01", "-00").parse().unwrap());
    request.headers_mut().insert("baggage", "a=1".parse().unwrap());
    service.oneshot(request).await.unwrap();
    let arrived = bench.arrived();
    let span = arrived.span("GET");
    assert!(span.is_root());
    assert_eq!(span.links[0].trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn a_client_s_request_carries_its_span_to_the_server() {
    let (here, there) = (Bench::new(), Bench::new());
    let server = ServerLayer::of(&there.obs).layer(service_fn(|_: Request<String>| answer(404)));
    let client = ClientLayer::new().layer(server);
    let run = here.obs.agent_run("run");
    let context = run.context().with_baggage("tenant", "acme").unwrap();
    let call = obs_instrument::FutureExt::with_context(
        async { client.oneshot(get("https://user:pw@api.example.com:8443/v1/chat?key=secret")).await },
        context,
    );
    assert_eq!(call.await.unwrap().status(), StatusCode::NOT_FOUND);
    let (here, there) = (here.arrived(), there.arrived());
    let call = here.span("GET");
    assert_eq!(
        (call.kind, call.status, call.parent_span_id),
        (SpanKind::Client, Status::Error, run.span_id())
    );
    let url = "https://api.example.com:8443/v1/chat";
    assert_eq!(call.attributes.get("url.full"), Some(&url.into()));
    let serve = there.span("GET");
    assert_eq!((serve.trace_id, serve.parent_span_id), (call.trace_id, Some(call.span_id)));
    let target = there.span("inside");
    assert_eq!(target.parent_span_id, Some(serve.span_id));
}

#[test]
fn a_service_without_an_instance_passes_the_trace_through() {
    with_global_registry(|_| {
        block_on(async {
            let service = ServerLayer::new().layer(service_fn(|_: Request<String>| async {
                let mut headers = http::HeaderMap::new();
                Context::current().inject_headers(&mut headers);
                Ok::<_, Infallible>(Response::new(headers))
            }));
            let mut request = get("/");
            request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
            assert_eq!(service.oneshot(request).await.unwrap().body()["traceparent"], PARENT);
        });
    });
}
