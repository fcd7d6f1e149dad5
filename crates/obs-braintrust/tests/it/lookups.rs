//! What is looked up once: the project, and the data plane.

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{Batch, ErrorKind, Exporter, Level, Log, Retry, Span, TraceContext};
use obs_testkit::fixtures::{at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::server::{self, EXPERIMENT, KEY, PROJECT, ended, logs};

fn one() -> Batch {
    logs([Log::new(at(1), Level::Info, "m")])
}

fn paths(server: &CaptureServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}

#[tokio::test]
async fn the_project_is_asked_for_once_also_by_exports_at_once() {
    let server = server::start().await;
    let exporter = BraintrustExporter::new(server::config(&server).with_org_name("Acme")).unwrap();
    let batch = one();
    let (a, b, c) = tokio::join!(exporter.export(&batch), exporter.export(&batch), exporter.export(&batch));
    assert_eq!([a, b, c].map(|done| done.unwrap().delivered), [1; 3]);
    let asked: Vec<_> =
        server.requests().into_iter().filter(|request| request.path == "/v1/project").collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].json(), Some(json!({"name": "support", "org_name": "Acme"})));
}

#[tokio::test]
async fn a_project_s_id_needs_no_question() {
    let server = server::start().await;
    let config =
        BraintrustConfig::new(KEY).with_project_id(PROJECT).with_endpoint(format!("{}/v1/", server.url()));
    BraintrustExporter::new(config).unwrap().export(&one()).await.unwrap();
    assert_eq!(paths(&server), [format!("/v1/project_logs/{PROJECT}/insert")]);
}

#[tokio::test]
async fn an_experiment_of_the_configuration_takes_everything() {
    let server = server::start().await;
    let exporter = BraintrustExporter::new(server::config(&server).with_experiment_id(EXPERIMENT)).unwrap();
    for batch in obs_testkit::fixtures::trace_batches() {
        exporter.export(&batch).await.unwrap();
    }
    let found = paths(&server);
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|path| path.starts_with(&format!("/v1/experiment/{EXPERIMENT}/"))), "{found:?}");
}

#[tokio::test]
async fn records_of_an_experiment_go_there_and_the_others_to_the_project() {
    let server = server::start().await;
    let span = |nth, experiment: Option<&'static str>| {
        let mut span = Span::new(trace_id(1), span_id(nth), "s", at(0));
        let context = TraceContext { experiment_id: experiment.map(Into::into), ..TraceContext::default() };
        span.context = context.into();
        span
    };
    let spans =
        [span(1, None), span(2, Some(EXPERIMENT)), span(3, Some("baseline")), span(4, Some(EXPERIMENT))];
    server::exporter(&server).export(&ended(spans)).await.unwrap();
    let told: Vec<_> =
        server::inserted(&server).into_iter().map(|(path, row)| (path, row["id"].clone())).collect();
    let (project, experiment) =
        (format!("/v1/project_logs/{PROJECT}/insert"), format!("/v1/experiment/{EXPERIMENT}/insert"));
    let wanted = [(&project, 1), (&project, 3), (&experiment, 2), (&experiment, 4)];
    assert_eq!(told, wanted.map(|(path, nth)| (path.clone(), json!(span_id(nth)))));
}

#[tokio::test]
async fn a_question_that_fails_leaves_every_record_and_is_asked_again() {
    for (answer, kind) in [
        (Answer::status(400), ErrorKind::Config),
        (Answer::status(401), ErrorKind::Auth),
        (Answer::status(503), ErrorKind::Unavailable),
        (Answer::json(&json!({"id": "no uuid"})), ErrorKind::Config),
        (Answer::status(200), ErrorKind::Config),
    ] {
        let server = CaptureServer::start().await;
        server.answer([answer]);
        server.answer_always(Answer::json(&json!({"id": PROJECT, "row_ids": ["a"]})));
        let exporter = server::exporter(&server);
        let error = exporter.export(&one()).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered().len()), (kind, 1), "{error}");
        assert_ne!(error.retry(), Retry::Never, "{error}");
        assert_eq!(exporter.export(&one()).await.unwrap().delivered, 1);
    }
}

/// The application, which knows two organisations.
async fn application(api: &str) -> CaptureServer {
    let server = CaptureServer::start().await;
    let org = |name: &str| json!({"id": EXPERIMENT, "name": name, "api_url": api});
    let orgs = json!({"org_info": [org("Acme"), org("Other")]});
    server.answer_for("POST", "/api/apikey/login", Answer::json(&orgs));
    server
}

fn resolving(app: &CaptureServer) -> BraintrustConfig {
    BraintrustConfig::new(KEY).with_project("support").with_app_url(app.url()).with_resolve_api_url(true)
}

#[tokio::test]
async fn the_application_tells_the_data_plane_of_the_organisation() {
    let api = server::start().await;
    let app = application(&api.url()).await;
    let exporter = BraintrustExporter::new(resolving(&app).with_org_name("Acme")).unwrap();
    assert_eq!(exporter.export(&one()).await.unwrap().delivered, 1);
    exporter.export(&one()).await.unwrap();
    assert_eq!(paths(&app), ["/api/apikey/login"]);
    assert_eq!(app.requests()[0].header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(paths(&api).len(), 3);
}

#[tokio::test]
async fn which_of_several_organisations_is_not_guessed() {
    let app = application("http://127.0.0.1:1").await;
    let error = BraintrustExporter::new(resolving(&app)).unwrap().export(&one()).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Config, 1));
    assert!(
        error.message().contains("\"Acme\", \"Other\"") && error.message().contains("org_name"),
        "{error}"
    );
}

#[tokio::test]
async fn addresses_are_told_where_all_of_them_is_known() {
    let server = server::start().await;
    let (trace, span) = (trace_id(1), span_id(1));
    let exporter = BraintrustExporter::new(server::config(&server).with_org_name("Acme Inc.")).unwrap();
    assert_eq!((exporter.trace_url(trace), exporter.span_url(span)), (None, None));
    exporter.export(&one()).await.unwrap();
    let app = "https://www.braintrust.dev/app/Acme%20Inc.";
    let object = format!("object_type=project_logs&object_id={PROJECT}");
    assert_eq!(exporter.trace_url(trace), Some(format!("{app}/p/support/trace?{object}&r={trace}")));
    assert_eq!(exporter.span_url(span), Some(format!("{app}/object?{object}&id={span}")));

    let nameless = server::exporter(&server);
    nameless.export(&one()).await.unwrap();
    assert_eq!((nameless.trace_url(trace), nameless.span_url(span)), (None, None));
    let config = server::config(&server).with_org_name("Acme").with_experiment_id(EXPERIMENT);
    let config = config.with_app_url("https://app.example.com/");
    let experiment = BraintrustExporter::new(config).unwrap();
    let object = format!("object_type=experiment&object_id={EXPERIMENT}");
    assert_eq!(
        experiment.span_url(span),
        Some(format!("https://app.example.com/app/Acme/object?{object}&id={span}"))
    );
    assert_eq!(experiment.trace_url(trace), None);
}
