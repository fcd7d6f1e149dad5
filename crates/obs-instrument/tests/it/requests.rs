//! Requests that nest, are given up, or come from strangers.

use std::convert::Infallible;
use std::future::pending;

use http::{HeaderMap, Request, Response};
use obs_core::{SpanKind, Usage, Value};
use obs_instrument::tower::{ClientLayer, ServerLayer};
use obs_instrument::{Context, FutureExt, Observability, Sampling, rolled};
use tower::{Layer, ServiceExt, service_fn};

use crate::collect::{Bench, with_global_registry};
use crate::executors::block_on;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A request that came with these headers.
fn came(headers: &[(&'static str, &str)]) -> Request<String> {
    let mut request = Request::get("/").body(String::new()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

/// Answers with what would be sent on.
async fn sends_on(_: Request<String>) -> Result<Response<HeaderMap>, Infallible> {
    let mut headers = HeaderMap::new();
    Context::current().inject_headers(&mut headers);
    Ok(Response::new(headers))
}

#[test]
fn strangers_decide_nothing_without_an_instance_either() {
    with_global_registry(|_| {
        block_on(async {
            let request = || came(&[("traceparent", PARENT), ("baggage", "admin=1")]);
            let public = ServerLayer::new().public(true).layer(service_fn(sends_on));
            assert_eq!(public.oneshot(request()).await.unwrap().into_body(), HeaderMap::new());
            let trusted = ServerLayer::new().layer(service_fn(sends_on));
            let sent = trusted.oneshot(request()).await.unwrap().into_body();
            assert!(sent["traceparent"] == PARENT && sent["baggage"] == "admin=1", "{sent:?}");
        });
    });
}

#[tokio::test]
async fn strangers_decide_nothing_further_in_either() {
    let bench = Bench::new();
    let inner = layer(&bench.obs, "inner").layer(service_fn(sends_on));
    let service = layer(&bench.obs, "edge").public(true).layer(inner);
    let request = came(&[("traceparent", PARENT), ("baggage", "admin=1")]);
    assert_eq!(service.oneshot(request).await.unwrap().into_body().get("baggage"), None);
    let arrived = bench.arrived();
    let (edge, inner) = (arrived.span("GET edge"), arrived.span("GET inner"));
    assert_eq!((edge.is_root(), inner.parent_span_id), (true, Some(edge.span_id)));
    assert_eq!((edge.links.len(), inner.links.len()), (1, 0));
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_after_what_was_open_in_it() {
    let bench = Bench::with(|builder| builder.exclude_span_types(["llm_generation"]).unwrap());
    let obs = bench.obs.clone();
    let service = ServerLayer::of(&bench.obs).layer(service_fn(move |_: Request<String>| {
        let obs = obs.clone();
        async move {
            let _child = obs.tool_call("child");
            let mut call = obs.llm_generation("hidden");
            call.usage(Usage::new(7, 3));
            pending::<()>().await;
            drop(call);
            Ok::<_, Infallible>(Response::new(()))
        }
    }));
    let mut waiting = Box::pin(service.oneshot(came(&[])));
    assert!(tokio::select! { biased; _ = &mut waiting => false, () = tokio::task::yield_now() => true });
    drop(waiting);
    let arrived = bench.arrived();
    let names: Vec<_> = arrived.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["child", "GET"], "children first");
    let server = arrived.span("GET");
    assert!(arrived.span("child").end <= server.end);
    assert_eq!(server.attributes.get(rolled::INPUT_TOKENS), Some(&7.into()));
    assert_eq!(server.attributes.get("obs.cancelled"), Some(&true.into()));
}

/// A layer whose spans are told by a route of this name.
fn layer(obs: &Observability, route: &'static str) -> ServerLayer {
    ServerLayer::of(obs).route(move |_| Some(route.into()))
}

#[tokio::test]
async fn a_service_in_a_service_is_below_it_whatever_the_caller_sent() {
    for sampling in [Sampling::Always, Sampling::Always.ignoring_remote_parents()] {
        for headers in [&[][..], &[("traceparent", PARENT)], &[("traceparent", PARENT), ("baggage", "a=1")]] {
            let bench = Bench::with(|builder| builder.sampling(sampling.clone()));
            let inner = layer(&bench.obs, "inner").layer(service_fn(sends_on));
            let service = layer(&bench.obs, "outer").layer(inner);
            let sent = service.oneshot(came(headers)).await.unwrap().into_body();
            let arrived = bench.arrived();
            let (outer, inner) = (arrived.span("GET outer"), arrived.span("GET inner"));
            assert_eq!((inner.parent_span_id, inner.remote_parent), (Some(outer.span_id), false));
            assert_eq!(sent.get("baggage").is_some(), headers.len() == 2);
        }
    }
}

#[tokio::test]
async fn a_caller_in_this_process_is_the_parent_even_below_what_is_current() {
    let bench = Bench::new();
    let run = bench.obs.agent_run("run");
    let call = bench.obs.span("elsewhere").scope(|| run.child::<obs_instrument::Generic>("call"));
    let mut headers = HeaderMap::new();
    call.context().inject_headers(&mut headers);
    let mut request = came(&[]);
    *request.headers_mut() = headers;
    let service = layer(&bench.obs, "serve").layer(service_fn(sends_on));
    service.oneshot(request).with_context(run.context()).await.unwrap();
    assert_eq!(bench.arrived().span("GET serve").parent_span_id, call.span_id());
}

#[tokio::test]
async fn an_unsampled_caller_can_be_overruled_under_a_layer_too() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Always.ignoring_remote_parents()));
    let service = layer(&bench.obs, "serve").layer(service_fn(sends_on));
    let unsampled = PARENT.replace("-01", "-00");
    service.oneshot(came(&[("traceparent", &unsampled)])).await.unwrap();
    let arrived = bench.arrived();
    let serve = arrived.span("GET serve");
    assert_eq!((serve.kind, serve.trace_flags & 1, serve.remote_parent), (SpanKind::Server, 1, true));
}

/// The headers with which a request goes.
async fn called(layer: ClientLayer, uri: &str) -> HeaderMap {
    let baggage = Context::NONE.with_baggage("tenant", "acme").unwrap();
    sent(layer, Request::get(uri).body(String::new()).unwrap(), baggage).await
}

async fn sent(layer: ClientLayer, request: Request<String>, context: Context) -> HeaderMap {
    let echo = |request: Request<String>| async move {
        Ok::<_, Infallible>(Response::new(request.headers().clone()))
    };
    layer.layer(service_fn(echo)).oneshot(request).with_context(context).await.unwrap().into_body()
}

#[tokio::test]
async fn baggage_goes_where_it_may() {
    let bench = Bench::new();
    let all = || ClientLayer::of(&bench.obs);
    let own = || all().baggage_where(|request| request.uri.host() == Some("own.example"));
    let panics = || all().baggage_where(|_| panic!("not the host's"));
    for (layer, uri, sent) in [
        (all(), "http://any.example/", true),
        (own(), "http://own.example/", true),
        (own(), "http://other.example/", false),
        (all().without_baggage(), "http://own.example/", false),
        (panics(), "http://own.example/", false),
    ] {
        let headers = called(layer, uri).await;
        assert_eq!((headers.contains_key("baggage"), headers.contains_key("traceparent")), (sent, true));
    }
}

#[tokio::test]
async fn baggage_that_a_request_has_already_goes_where_it_may() {
    let bench = Bench::new();
    let own = || Context::NONE.with_baggage("tenant", "acme").unwrap();
    for (context, kept) in [(Context::NONE, "stranger=1"), (own(), "tenant=acme")] {
        for (may, baggage) in [(true, Some(kept)), (false, None)] {
            let request = Request::get("http://h/").header("baggage", "stranger=1").header("baggage", "b=2");
            let request = request.body(String::new()).unwrap();
            let layer = ClientLayer::of(&bench.obs).baggage_where(move |_| may);
            let headers = sent(layer, request, context.clone()).await;
            assert_eq!(headers.get("baggage").map(|value| value.to_str().unwrap()), baggage);
        }
    }
}

#[tokio::test]
async fn a_call_tells_its_port_and_what_it_failed_of() {
    let bench = Bench::new();
    for (uri, port) in [("https://h/p", 443), ("http://h/p", 80), ("https://h:8443/p", 8443)] {
        called(ClientLayer::of(&bench.obs), uri).await;
        let arrived = bench.arrived();
        assert_eq!(arrived.spans.last().unwrap().attributes.get("server.port"), Some(&port.into()), "{uri}");
    }
    let fails = service_fn(|_: Request<String>| async {
        Err::<Response<()>, std::io::Error>(std::io::Error::other("no way to https://h/?key=planted"))
    });
    ClientLayer::of(&bench.obs).layer(fails).oneshot(came(&[])).await.unwrap_err();
    let arrived = bench.arrived();
    let span = arrived.spans.last().unwrap();
    assert_eq!(span.attributes.get("error.type"), Some(&"std::io::error::Error".into()));
    assert!(!format!("{span:?}").contains("planted"), "{span:?}");
    assert_eq!(span.error.as_ref().unwrap().message, "no way to https://h/?[left out]");
}

#[tokio::test]
async fn a_server_tells_scheme_and_client_and_survives_functions_that_panic() {
    let bench = Bench::new();
    let plain = ServerLayer::of(&bench.obs);
    let edge = plain.clone().scheme("https").client_address(|parts| {
        parts.headers.get("x-real-ip").and_then(|ip| Some(ip.to_str().ok()?.to_owned().into()))
    });
    let panics = plain.clone().route(|_| panic!("not the host's")).client_address(|_| panic!("nor this"));
    let told = |layer, told: [Option<Value>; 3]| (layer, told);
    let expected = [
        told(plain, [Some("http".into()), Some(80.into()), None]),
        told(edge, [Some("https".into()), Some(443.into()), Some("192.0.2.7".into())]),
        told(panics, [Some("http".into()), Some(80.into()), None]),
    ];
    for (layer, expected) in expected {
        let service = layer.layer(service_fn(sends_on));
        service.oneshot(came(&[("host", "shop.example"), ("x-real-ip", "192.0.2.7")])).await.unwrap();
        let arrived = bench.arrived();
        for (name, value) in ["url.scheme", "server.port", "client.address"].into_iter().zip(expected) {
            assert_eq!(arrived.spans.last().unwrap().attributes.get(name), value.as_ref(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_error_of_a_type() {
    let bench = Bench::new();
    let panics = ServerLayer::of(&bench.obs).layer(service_fn(|_: Request<String>| async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Response::builder().status(0).body(()).unwrap())
    }));
    tokio::spawn(panics.oneshot(came(&[]))).await.unwrap_err();
    assert_eq!(bench.arrived().span("GET").attributes.get("error.type"), Some(&"panic".into()));
}
