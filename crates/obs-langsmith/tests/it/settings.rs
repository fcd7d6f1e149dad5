//! What a user gives, in files, in code and in the environment.

use obs_core::{Env, Exporter, LlmGeneration, Payload, RagQuery, Secret, Signal, Span, SpanType};
use obs_http::{Auth, Compression, HttpConfig};
use obs_langsmith::{FeedbackTransport, LangsmithConfig, LangsmithExporter, Region, RunIds};
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use serde_json::json;

use super::bench::{self, config, encoded, ended, server};

fn env<const N: usize>(variables: [(&str, &str); N]) -> Result<LangsmithConfig, obs_core::Error> {
    LangsmithConfig::from_vars(&Env::of(variables))
}

#[test]
fn the_variables_of_the_sdks_are_read_and_langsmith_wins_over_langchain() {
    let all = env([
        ("LANGSMITH_API_KEY", "key-1"),
        ("LANGCHAIN_API_KEY", "key-2"),
        ("LANGCHAIN_ENDPOINT", "https://eu.api.smith.langchain.com"),
        ("LANGCHAIN_PROJECT", "second"),
        ("LANGSMITH_SESSION", "third"),
        ("LANGSMITH_WORKSPACE_ID", "w-1"),
        ("LANGSMITH_HIDE_INPUTS", "true"),
        ("LANGCHAIN_HIDE_OUTPUTS", "1"),
        ("LANGSMITH_DISABLE_RUN_COMPRESSION", "true"),
    ])
    .unwrap();
    let mut wanted = LangsmithConfig::new("key-1").with_project("second").with_workspace_id("w-1");
    wanted = wanted.with_hide_inputs(true).with_hide_outputs(true);
    wanted.http = HttpConfig::new("https://eu.api.smith.langchain.com").with_compression(Compression::None);
    assert_eq!(all, wanted);
    let session = env([("LANGCHAIN_API_KEY", "k"), ("LANGCHAIN_SESSION", "s")]).unwrap();
    assert_eq!((session.project.as_str(), session.api_key), ("s", Secret::new("k")));
    assert_eq!(env([("LANGSMITH_API_KEY", "k")]).unwrap(), LangsmithConfig::new("k"));
}

#[test]
fn a_missing_key_is_named_in_files_and_in_the_environment() {
    let error = env([]).unwrap_err();
    assert_eq!(error.message(), "LANGSMITH_API_KEY: not set; set it to an API key of LangSmith");
    let prefixed = LangsmithConfig::from_vars(&Env::of([("LANGSMITH_API_KEY", "k")]).prefixed("PROFILING"));
    assert!(prefixed.unwrap_err().message().starts_with("PROFILING_LANGSMITH_API_KEY: "));
    let file: LangsmithConfig = serde_json::from_value(json!({"project": "p"})).unwrap();
    let error = LangsmithExporter::new(file).unwrap_err();
    assert_eq!(error.message(), "api_key: not set; set it, or the variable LANGSMITH_API_KEY");
    let error = env([("LANGSMITH_API_KEY", "k"), ("LANGSMITH_HIDE_INPUTS", "perhaps")]).unwrap_err();
    assert_eq!(error.message(), "LANGSMITH_HIDE_INPUTS: it is neither on nor off; set it to true or false");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |config: LangsmithConfig| LangsmithExporter::new(config).unwrap_err().message().to_owned();
    assert!(refused(LangsmithConfig::new("k").with_project(" ")).starts_with("project: "));
    let auth = HttpConfig::default().with_auth(Auth::bearer("token"));
    assert!(refused(LangsmithConfig::new("k").with_http(auth)).starts_with("auth: "));
    assert!(
        refused(LangsmithConfig::new("k").with_category("quality", "good", f64::NAN))
            .starts_with("categories: ")
    );
    let both = LangsmithConfig::new("k").with_region(Region::Eu);
    let at = |endpoint| both.clone().with_endpoint(endpoint);
    assert!(refused(at("https://langsmith.acme.dev/api/v1")).starts_with("region: `endpoint` is set, too"));
    assert!(refused(at(Region::Us.endpoint())).starts_with("region: "));
    LangsmithExporter::new(at("https://eu.api.smith.langchain.com/api/v1/")).unwrap();
    let plain = LangsmithConfig::new("k").with_endpoint("http://langsmith.acme.dev/api/v1");
    assert!(refused(plain).contains("allow_http"));
    let error =
        serde_json::from_value::<LangsmithConfig>(json!({"api_key": "k", "projct": "p"})).unwrap_err();
    assert!(error.to_string().contains("did you mean `project`?"), "{error}");
}

#[test]
fn a_file_says_what_the_builder_says() {
    let file: LangsmithConfig = serde_json::from_value(json!({
        "api_key": "k", "region": "aws_us", "project": "p", "workspace_id": "w", "run_ids": "uuid7",
        "post_on_start": true, "timeout": "3s", "categories": {"quality": {"good": 1.0}},
        "project_id": bench::PROJECT, "app_url": "https://acme.dev", "hide_inputs": true, "hide_outputs": true,
        "feedback_transport": "single", "feedback_prefix": "said_", "feedback_config": false,
        "extend_trace_retention": false,
    }))
    .unwrap();
    let built = LangsmithConfig::new("k")
        .with_region(Region::AwsUs)
        .with_project("p")
        .with_workspace_id("w")
        .with_run_ids(RunIds::Uuid7)
        .with_post_on_start(true)
        .with_category("quality", "good", 1.0)
        .with_project_id(bench::PROJECT.parse().unwrap())
        .with_app_url("https://acme.dev")
        .with_hide_inputs(true)
        .with_hide_outputs(true)
        .with_feedback_transport(FeedbackTransport::Single)
        .with_feedback_prefix("said_")
        .with_feedback_config(false)
        .with_extend_trace_retention(false)
        .with_http(HttpConfig::default().with_timeout(std::time::Duration::from_secs(3)));
    assert_eq!(file, built);
    assert!(!format!("{:?}", LangsmithConfig::new("lsv2_secret")).contains("lsv2_secret"));
}

#[tokio::test]
async fn paths_stand_below_the_endpoint_and_the_workspace_is_told() {
    for (base, prefix) in
        [("", ""), ("/", ""), ("/api", "/api"), ("/api/v1", "/api/v1"), ("/api/v1/", "/api/v1")]
    {
        let server = server().await;
        server.answer_for("POST", "/api", obs_testkit::Answer::status(202));
        let project = json!([{"id": bench::PROJECT}]);
        server.answer_for("GET", "/api", obs_testkit::Answer::json(&project));
        let config = config(&server).with_endpoint(server.url() + base).with_workspace_id("workspace-1");
        let exporter = LangsmithExporter::new(config).unwrap();
        exporter.export(&fixtures::batch(Signal::Traces).slice(0..1)).await.unwrap();
        exporter.export(&fixtures::trace_batches()[2]).await.unwrap();
        let requests = server.requests();
        let mut paths: Vec<_> =
            requests.iter().map(|request| request.path.strip_prefix(prefix).unwrap()).collect();
        paths[3..].sort_unstable();
        let wanted = ["/info", "/runs/multipart", "/sessions", "/feedback", "/runs/multipart"];
        assert_eq!(paths, wanted, "{base}");
        for request in &requests {
            assert_eq!(request.header("x-api-key"), Some(bench::KEY));
            assert_eq!(request.header("x-tenant-id"), Some("workspace-1"));
        }
        assert_eq!(requests[2].query.as_deref(), Some("name=support&limit=1"));
    }
}

#[test]
fn a_word_with_a_number_is_a_score_and_its_key_knows_the_others() {
    let config =
        LangsmithConfig::new("k").with_category("quality", "good", 1.0).with_category("quality", "bad", 0.0);
    let target = obs_core::Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let score = |word: &'static str| {
        obs_core::Score::new(
            fixtures::uuid(1),
            at(0),
            target.clone(),
            "quality",
            obs_core::ScoreValue::category(word),
        )
    };
    let sent = encoded(config.clone(), &bench::scores([score("good"), score("odd")]));
    let categories = json!([{"value": 0.0, "label": "bad"}, {"value": 1.0, "label": "good"}]);
    assert_eq!((&sent[0].json["score"], &sent[0].json["value"]), (&json!(1.0), &json!("good")));
    assert_eq!(sent[0].json["feedback_config"], json!({"type": "categorical", "categories": categories}));
    assert_eq!((sent[1].json.get("score"), &sent[1].json["value"]), (None, &json!("odd")));
    let quiet = config.with_feedback_config(false).with_extend_trace_retention(false);
    let sent = encoded(quiet, &bench::scores([score("good")]));
    assert_eq!(sent[0].json.get("feedback_config"), None);
    assert_eq!(sent[0].json["extend_trace_retention"], false);
}

#[test]
fn what_is_hidden_stands_nowhere_in_the_request() {
    let mut span = Span::new(trace_id(1), span_id(1), "s", at(0));
    (span.input, span.output) = (Some(Payload::text("hidden in")), Some(Payload::text("hidden out")));
    let mut rag = span.clone();
    rag.span_id = span_id(2);
    let chunk = obs_core::Chunk { content: Some(Payload::text("hidden out")), ..obs_core::Chunk::default() };
    rag.span_type = SpanType::RagQuery(RagQuery {
        query: Some("hidden in".into()),
        chunks: vec![chunk],
        ..RagQuery::default()
    });
    let mut bare = rag.clone();
    (bare.span_id, bare.input, bare.output) = (span_id(3), None, None);
    let mut agent = span.clone();
    agent.span_id = span_id(4);
    let decision = obs_core::Decision {
        time: at(0),
        action: "hidden out".into(),
        reasoning: None,
        alternatives: vec![],
    };
    agent.span_type = SpanType::AgentRun(obs_core::AgentRun {
        instructions: Some(Payload::text("hidden in")),
        decisions: vec![decision],
        ..obs_core::AgentRun::default()
    });
    let mut chat = span.clone();
    chat.span_id = span_id(5);
    chat.span_type = SpanType::LlmGeneration(LlmGeneration::default());
    let batch = ended([span, rag, bare, agent, chat]);
    for (inputs, outputs) in [(true, false), (false, true), (true, true), (false, false)] {
        let config = LangsmithConfig::new("k").with_hide_inputs(inputs).with_hide_outputs(outputs);
        let body = LangsmithExporter::new(config).unwrap().encode(&batch).remove(0);
        let body = String::from_utf8(body).unwrap();
        assert_eq!((body.contains("hidden in"), body.contains("hidden out")), (!inputs, !outputs));
    }
}

#[tokio::test]
async fn a_project_by_its_id_is_named_by_it_in_runs_feedback_and_pages() {
    let server = server().await;
    let config = config(&server).with_project_id(bench::PROJECT.parse().unwrap());
    let config = config.with_app_url("https://acme.dev/").with_run_ids(RunIds::TraceRoot);
    let exporter = LangsmithExporter::new(config.clone()).unwrap();
    exporter.export(&ended([Span::new(trace_id(1), span_id(1), "s", at(0))])).await.unwrap();
    let run = bench::sent(&server.take_requests()).remove(0).json;
    assert_eq!((run.get("session_name"), &run["session_id"]), (None, &json!(bench::PROJECT)));
    assert_eq!(exporter.trace_url(trace_id(1)), None, "the workspace is not known");
    exporter.check().await;
    assert_eq!(server.requests()[0].query, Some(format!("id={}&limit=1", bench::PROJECT)));
    let run = "0af76519-16cd-43dd-8448-eb2100000001";
    let page = |tenant| Some(format!("https://acme.dev/o/{tenant}/projects/p/{}/r/{run}", bench::PROJECT));
    assert_eq!(exporter.trace_url(trace_id(1)), page(bench::TENANT));
    let told = LangsmithExporter::new(config.with_workspace_id("workspace-1")).unwrap();
    assert_eq!(told.trace_url(trace_id(1)), page("workspace-1"));
}
