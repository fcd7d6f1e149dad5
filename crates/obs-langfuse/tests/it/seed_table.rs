//! One test for each row of the table of what the first plans said, what the API says, and what is done.

use std::time::Duration;

use obs_core::{
    Batch, Env, Feedback, Level, LlmGeneration, Log, PromptLink, Resource, Scope, Score, ScoreValue, Span,
    SpanRecord, SpanRef, SpanType, Target, Usage,
};
use obs_langfuse::{Ingestion, LangfuseConfig, LogsWithoutTrace};
use obs_testkit::Answer;
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::support::{Bench, Event, SCORES, TRACES, events};

fn on_span() -> Target {
    Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: None }
}

fn feedback(kind: &'static str, value: impl Into<ScoreValue>) -> Batch {
    Batch::Feedback([Feedback::new(uuid(1), at(5), on_span(), kind, value)].into_iter().collect())
}

fn score(target: Target, value: impl Into<ScoreValue>) -> Batch {
    Batch::Scores([Score::new(uuid(1), at(5), target, "relevance", value)].into_iter().collect())
}

fn log(level: Level) -> Log {
    let mut log = Log::new(at(7), level, "said");
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(3)) });
    log
}

fn logs(logs: impl IntoIterator<Item = Log>) -> Batch {
    Batch::Logs(logs.into_iter().collect())
}

fn call(call: LlmGeneration) -> Batch {
    let mut span = Span::new(trace_id(1), span_id(3), "chat", at(0));
    (span.end, span.span_type) = (Some(at(9)), SpanType::LlmGeneration(call));
    Batch::Traces([SpanRecord::Ended(span)].into_iter().collect())
}

/// The one body that a batch becomes.
async fn body(batch: &Batch) -> Value {
    let bodies = Bench::start().await.bodies(batch).await;
    assert_eq!(bodies.len(), 1);
    bodies[0].clone()
}

/// The bodies of the events that a batch becomes for an old server.
async fn old_bodies(batch: &Batch) -> Vec<Value> {
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    bench.export(batch).await.unwrap();
    let request = bench.server.take_requests().remove(0);
    events(&request.body).iter().map(Event::body).collect()
}

/// The body of the one event that a batch becomes for an old server.
async fn old_body(batch: &Batch) -> Value {
    let mut bodies = old_bodies(batch).await;
    assert_eq!(bodies.len(), 1);
    bodies.remove(0)
}

#[tokio::test]
async fn row_1_a_string_feedback_is_categorical_and_long_words_are_text_with_the_whole_beside() {
    let word = body(&feedback("thumbs", ScoreValue::category("up"))).await;
    assert_eq!((&word["dataType"], &word["value"]), (&json!("CATEGORICAL"), &json!("up")));
    let free = body(&feedback("comment", ScoreValue::text("fine"))).await;
    assert_eq!((&free["dataType"], &free["value"]), (&json!("TEXT"), &json!("fine")));
    let whole = "👍 ".repeat(400);
    for value in [ScoreValue::category(whole.clone()), ScoreValue::text(whole.clone())] {
        let long = body(&feedback("comment", value)).await;
        let kept = long["value"].as_str().unwrap();
        // Of the next word, two units, only one would fit.
        assert_eq!((&long["dataType"], kept.encode_utf16().count()), (&json!("TEXT"), 499));
        assert!(kept.ends_with('…') && long["comment"] == whole);
    }
    let mut both = Feedback::new(uuid(1), at(5), on_span(), "comment", ScoreValue::text(whole.clone()));
    both.comment = Some("in short".into());
    let both = body(&Batch::Feedback([both].into_iter().collect())).await;
    assert_eq!((&both["comment"], &both["metadata"]["value"]), (&json!("in short"), &json!(whole)));
}

#[tokio::test]
async fn row_1_old_servers_know_no_texts_so_that_words_are_categories_of_any_length() {
    let whole = "👍 ".repeat(400);
    for words in ["fine", &whole] {
        for value in [ScoreValue::category(words.to_owned()), ScoreValue::text(words.to_owned())] {
            let said = old_body(&feedback("comment", value)).await;
            assert_eq!((&said["dataType"], &said["value"]), (&json!("CATEGORICAL"), &json!(words)));
            assert_eq!((&said["name"], said.get("comment")), (&json!("feedback_comment"), None));
        }
    }
}

#[tokio::test]
async fn row_2_levels_are_those_of_langfuse() {
    let said = ["DEBUG", "DEBUG", "DEFAULT", "WARNING", "ERROR", "ERROR"];
    let seen = Bench::start().await.observations(&logs(Level::ALL.map(log))).await;
    let levels: Vec<_> = seen.iter().map(|seen| seen.text("langfuse.observation.level")).collect();
    assert_eq!(levels, said);
}

#[tokio::test]
async fn row_3_a_log_is_an_event_without_length_by_otlp() {
    let bench = Bench::start().await;
    bench.export(&logs([log(Level::Info)])).await.unwrap();
    let requests = bench.server.requests();
    assert_eq!(requests.iter().map(|request| &*request.path).collect::<Vec<_>>(), [TRACES]);
    let seen = crate::support::seen(&requests).remove(0);
    assert!(seen.is_log() && seen.start == seen.end && seen.start == at(7).as_nanos());
}

#[tokio::test]
async fn row_4_a_log_stands_under_its_span() {
    let mut of_trace = log(Level::Info);
    of_trace.span = Some(SpanRef { trace_id: trace_id(1), span_id: None });
    let seen = Bench::start().await.observations(&logs([log(Level::Info), of_trace])).await;
    assert_eq!((seen[0].trace_id, &*seen[0].parent), (trace_id(1), &span_id(3).to_bytes()[..]));
    assert_eq!((seen[1].trace_id, &*seen[1].parent), (trace_id(1), &[][..]));
}

#[tokio::test]
async fn row_4_a_log_outside_of_any_trace_is_counted_or_a_trace_of_its_own() {
    let batch = logs([Log::new(at(7), Level::Info, "alone"), log(Level::Info)]);
    let receipt = Bench::start().await.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 1));
    assert!(receipt.rejected[0].reason.contains("logs_without_trace = \"own_trace\""));
    let bench = Bench::with(|config| config.with_logs_without_trace(LogsWithoutTrace::OwnTrace)).await;
    let first = bench.observations(&batch).await;
    let again = bench.observations(&batch).await;
    assert_eq!(first.len(), 2);
    assert_eq!((first[0].trace_id, first[0].span_id), (again[0].trace_id, again[0].span_id));
    assert!(first[0].trace_id != first[1].trace_id && first[0].parent.is_empty());
}

#[tokio::test]
async fn row_5_a_score_has_its_id_and_its_time() {
    let expected = (json!(uuid(1).to_string()), json!("2026-01-15T10:00:00.000005Z"));
    let direct = body(&score(on_span(), 0.5)).await;
    assert_eq!((direct["id"].clone(), direct["timestamp"].clone()), expected);
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    bench.export(&score(on_span(), 0.5)).await.unwrap();
    let request = bench.server.take_requests().remove(0);
    let event = events(&request.body).remove(0);
    assert_eq!(
        (&*event.kind, &event.body()["id"], json!(event.timestamp)),
        ("score-create", &expected.0, expected.1)
    );
}

#[tokio::test]
async fn row_6_the_type_of_a_score_is_that_of_its_value() {
    for (value, data_type, stands) in [
        (ScoreValue::numeric(-0.5), "NUMERIC", json!(-0.5)),
        (ScoreValue::Boolean(true), "BOOLEAN", json!(1)),
        (ScoreValue::Boolean(false), "BOOLEAN", json!(0)),
        (ScoreValue::category("good"), "CATEGORICAL", json!("good")),
        (ScoreValue::text("clear"), "TEXT", json!("clear")),
    ] {
        let body = body(&score(on_span(), value)).await;
        assert_eq!((&body["dataType"], &body["value"]), (&json!(data_type), &stands));
    }
    for no_number in [f64::NAN, f64::INFINITY] {
        let receipt = Bench::start().await.export(&score(on_span(), no_number)).await.unwrap();
        assert!(receipt.rejected[0].reason.contains("not finite"));
    }
}

#[tokio::test]
async fn row_6_a_correction_is_one_where_langfuse_has_them() {
    let correction = body(&feedback("correction", ScoreValue::text("It leaves today."))).await;
    assert_eq!(
        (&correction["name"], &correction["dataType"], &correction["value"]),
        (&json!("output"), &json!("CORRECTION"), &json!("It leaves today."))
    );
    let number = body(&feedback("correction", 3)).await;
    assert_eq!((&number["name"], &number["dataType"]), (&json!("feedback_correction"), &json!("NUMERIC")));
    let session = Target::Session { session_id: "s".into() };
    let words = Feedback::new(uuid(1), at(5), session, "correction", ScoreValue::text("no"));
    let words = body(&Batch::Feedback([words].into_iter().collect())).await;
    assert_eq!((&words["name"], &words["dataType"]), (&json!("feedback_correction"), &json!("TEXT")));
}

#[tokio::test]
async fn row_6_old_servers_know_numbers_truth_and_categories_alone() {
    for (value, data_type, stands) in [
        (ScoreValue::numeric(-0.5), "NUMERIC", json!(-0.5)),
        (ScoreValue::Boolean(true), "BOOLEAN", json!(1)),
        (ScoreValue::category("good"), "CATEGORICAL", json!("good")),
        (ScoreValue::text("clear"), "CATEGORICAL", json!("clear")),
    ] {
        let body = old_body(&score(on_span(), value)).await;
        assert_eq!((&body["dataType"], &body["value"]), (&json!(data_type), &stands));
    }
    for value in [ScoreValue::text("It leaves today."), ScoreValue::category("It leaves today.")] {
        let correction = old_body(&feedback("correction", value)).await;
        assert_eq!(
            (&correction["name"], &correction["dataType"], &correction["value"]),
            (&json!("feedback_correction"), &json!("CATEGORICAL"), &json!("It leaves today."))
        );
    }
}

#[test]
fn row_7_the_two_keys_are_read_and_a_single_one_is_refused() {
    let error = LangfuseConfig::from_vars(&Env::of([("LANGFUSE_API_KEY", "sk")])).unwrap_err();
    assert!(error.message().contains("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"), "{}", error.message());
    let keys = [("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "sk")];
    assert_eq!(LangfuseConfig::from_vars(&Env::of(keys)).unwrap(), LangfuseConfig::new("pk", "sk"));
}

#[tokio::test]
async fn row_8_a_score_has_exactly_one_target() {
    let trace = Target::Trace { trace_id: trace_id(1), root_span_id: None };
    let session = Target::Session { session_id: "session-1".into() };
    let run = Target::ExperimentRun { run_id: "run-1".into() };
    let ids = ["traceId", "observationId", "sessionId", "datasetRunId"];
    for (target, named) in [
        (on_span(), vec!["traceId", "observationId"]),
        (trace, vec!["traceId"]),
        (session, vec!["sessionId"]),
        (run, vec!["datasetRunId"]),
    ] {
        let body = body(&score(target, 1)).await;
        assert_eq!(ids.into_iter().filter(|id| body.get(*id).is_some()).collect::<Vec<_>>(), named, "{body}");
    }
    let nobody = Target::Session { session_id: "".into() };
    let receipt = Bench::start().await.export(&score(nobody, 1)).await.unwrap();
    assert_eq!(receipt.rejected[0].kind, obs_core::ErrorKind::UnresolvableTarget);
}

#[tokio::test]
async fn row_17_scores_go_abreast_within_the_accounts_rate_or_as_arrays() {
    let scores = |count: u32| {
        let score = |nth| Score::new(uuid(nth), at(5), on_span(), "relevance", 1);
        Batch::Scores((0..count).map(score).collect())
    };
    let arrays = Bench::with(|config| config.with_score_batch(true)).await;
    arrays.server.answer_always(Answer::status(202));
    arrays.export(&scores(100)).await.unwrap();
    let requests = arrays.server.take_requests();
    assert_eq!(requests.iter().map(|request| &*request.path).collect::<Vec<_>>(), [SCORES]);
    assert_eq!(requests[0].json().unwrap().as_array().unwrap().len(), 100);
    let slow = Bench::with(|config| config.with_scores_per_minute(30)).await;
    let error = slow.export(&scores(10)).await.unwrap_err();
    assert_eq!(error.kind(), obs_core::ErrorKind::RateLimited);
    assert!(matches!(error.retry(), obs_core::Retry::After(_)));
    // A tenth of a minute's share goes at once, and the rest is not lost.
    assert_eq!((slow.server.take_requests().len(), error.undelivered().len()), (3, 7));
    assert_eq!(error.settled().delivered, 3);
}

#[tokio::test]
async fn row_17_as_many_scores_are_under_way_at_once_as_the_config_says() {
    let bench = Bench::with(|config| config.with_score_concurrency(3)).await;
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let never = Answer::status(200).with_delay(Duration::from_hours(1));
    bench.server.answer_with(move |_| {
        arrived.send(()).unwrap();
        Some(never.clone())
    });
    let score = |nth| Score::new(uuid(nth), at(5), on_span(), "relevance", 1);
    let batch = Batch::Scores((0..10).map(score).collect());
    let overlap = async {
        for _ in 0..3 {
            arrivals.recv().await.unwrap();
        }
    };
    // None is answered, so that all three can only come while the others are under way.
    tokio::select! {
        ended = bench.export(&batch) => panic!("{ended:?}"),
        three = tokio::time::timeout(Duration::from_secs(20), overlap) => three.unwrap(),
    }
    assert_eq!(bench.server.requests().len(), 3);
}

#[tokio::test]
async fn row_18_tokens_are_buckets_that_exclude_each_other() {
    let mut usage = Usage::new(100, 20);
    (usage.input_details.cache_read, usage.output_details.reasoning) = (70, 5);
    let generation = LlmGeneration { usage, ..LlmGeneration::default() };
    let seen = Bench::start().await.observations(&call(generation)).await;
    assert_eq!(
        seen[0].json("langfuse.observation.usage_details"),
        json!({"input": 30, "input_cached_tokens": 70, "output": 15, "output_reasoning_tokens": 5, "total": 120})
    );
}

#[tokio::test]
async fn old_servers_are_given_parameters_with_parts_as_text() {
    let mut generation = LlmGeneration::default();
    generation.parameters.temperature = Some(0.5);
    let list = obs_core::Value::List(vec![1.into(), "a".into()]);
    for (name, value) in [("stop", list), ("seed", 7.into()), ("echo", true.into()), ("user", "u".into())] {
        generation.parameters.other.insert(name, value);
    }
    generation.parameters.other.insert("suffix", obs_core::Value::Null);
    let batch = call(generation);
    let plain = json!({"temperature": 0.5, "seed": 7, "echo": true, "user": "u"});
    let old = old_bodies(&batch).await.remove(1);
    let with = |stop: Value, suffix: Value| {
        let mut all = plain.clone();
        (all["stop"], all["suffix"]) = (stop, suffix);
        all
    };
    assert_eq!(old["modelParameters"], with(json!("[1,\"a\"]"), json!("null")));
    let new = Bench::start().await.observations(&batch).await;
    let parameters = new[0].json("langfuse.observation.model.parameters");
    assert_eq!(parameters, with(json!([1, "a"]), Value::Null));
}

#[tokio::test]
async fn a_prompt_is_linked_by_a_version_above_0_alone() {
    for (version, linked) in [("1", Some(1)), ("0", None), ("-1", None), ("v2", None)] {
        let prompt = PromptLink { name: "greet".into(), version: Some(version.into()) };
        let batch = call(LlmGeneration { prompt: Some(Box::new(prompt)), ..LlmGeneration::default() });
        let seen = Bench::start().await.observations(&batch).await.remove(0);
        let version_of = seen.attributes.get("langfuse.observation.prompt.version").and_then(Value::as_i64);
        assert_eq!(version_of, linked);
        let kept = if linked.is_some() { Value::Null } else { version.into() };
        assert_eq!(seen.metadata("promptVersion"), &kept);
        assert_eq!(old_bodies(&batch).await[1].get("promptVersion").and_then(Value::as_i64), linked);
    }
}

#[tokio::test]
async fn row_19_the_first_token_is_a_point_in_time() {
    let time_to_first_token = Some(Duration::from_millis(250));
    let generation = LlmGeneration { time_to_first_token, ..LlmGeneration::default() };
    let seen = Bench::start().await.observations(&call(generation)).await;
    assert_eq!(seen[0].text("langfuse.observation.completion_start_time"), "2026-01-15T10:00:00.250000Z");
}

#[tokio::test]
async fn what_a_resource_says_is_put_as_the_server_reads_it() {
    let mut resource = Resource::service("checkout");
    let map: obs_core::Attributes = [("zone", "b")].into_iter().collect();
    resource.attributes.insert("cloud", obs_core::Value::Map(map.clone()));
    resource.attributes.insert("process.pid", -7);
    resource.attributes.insert("boot", 1_i64 << 40);
    resource.attributes.insert("__proto__", "x");
    resource.scope =
        Some(Scope { name: "s".into(), version: None, attributes: [("of", map)].into_iter().collect() });
    let mut span = Span::new(trace_id(1), span_id(3), "work", at(0));
    (span.end, span.resource) = (Some(at(9)), resource.into());
    let mut record = log(Level::Info);
    record.resource = span.resource.clone();
    let spans = Batch::Traces([SpanRecord::Ended(span)].into_iter().collect());
    for batch in [spans, logs([record])] {
        let bench = Bench::start().await;
        let seen = bench.observations(&batch).await.remove(0);
        let told = json!({
            "service.name": "checkout", "cloud": r#"{"zone":"b"}"#, "process.pid": -7.0,
            "boot": (1_i64 << 40) as f64, "__proto___": "x"
        });
        assert_eq!(serde_json::to_value(&seen.resource).unwrap(), told);
        assert_eq!(serde_json::to_value(&seen.scope).unwrap(), json!({"of": r#"{"zone":"b"}"#}));
    }
}
