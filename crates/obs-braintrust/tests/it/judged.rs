//! Scores and feedback on rows.

use obs_braintrust::ScoreSource;
use obs_core::{Attributes, Feedback, Score, ScoreValue, Scorer, Str, Target, Value as Attribute};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{self, EXPERIMENT, Sent, feedback, scores, sent, sent_with};

fn target() -> Target {
    Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: Some(span_id(1)) }
}

fn score(value: impl Into<ScoreValue>) -> Score {
    Score::new(uuid(1), at(9), target(), "relevance", value)
}

fn given(kind: &'static str, value: impl Into<ScoreValue>) -> Feedback {
    Feedback::new(uuid(2), at(9), target(), kind, value)
}

/// What an item says beside its metadata.
fn said(item: &Value) -> Value {
    let mut said = item.clone();
    said.as_object_mut().unwrap().remove("metadata");
    said
}

#[tokio::test]
async fn a_score_carries_its_reason_its_scorer_and_its_id() {
    let mut score = score(true);
    score.comment = Some("cites its source".into());
    score.source = Some("live".into());
    score.scorer = Some(Scorer { id: Some("s-1".into()), name: None, version: Some("3".into()) });
    score.metadata = [("judge", "lexical")].into_iter().collect();
    let sent = sent(scores([score])).await;
    let wanted = json!({
        "id": span_id(3), "scores": {"relevance": 1.0}, "comment": "cites its source", "source": "api",
    });
    assert_eq!(said(sent.item()), wanted);
    let metadata = json!({
        "score_id": uuid(1), "time": "2026-01-15T10:00:00.000009000Z", "name": "relevance", "source": "live",
        "scorer": {"id": "s-1", "version": "3"}, "judge": "lexical",
    });
    assert_eq!(sent.item()["metadata"], metadata);
}

#[tokio::test]
async fn words_are_a_comment_since_there_is_no_score_of_words() {
    let mut good = score(ScoreValue::category("good"));
    good.comment = Some("short".into());
    let text = score(ScoreValue::text("clear and short"));
    for (score, comment, value) in
        [(good, "relevance: good\nshort", json!("good")), (text, "relevance: clear and short", Value::Null)]
    {
        let sent = sent(scores([score])).await;
        assert_eq!(said(sent.item()), json!({"id": span_id(3), "comment": comment, "source": "api"}));
        assert_eq!(sent.item()["metadata"]["value"], value);
    }
}

#[tokio::test]
async fn a_number_that_is_no_score_keeps_its_comment_as_feedback() {
    let mut score = score(42.0);
    score.comment = Some("of a hundred".into());
    let sent = sent(scores([score])).await;
    assert_eq!(sent.row()["metadata"], json!({"raw_scores": {"relevance": 42.0}}));
    assert_eq!(sent.row()["root_span_id"], json!(trace_id(1)));
    assert_eq!(sent.item()["comment"], "of a hundred");
    assert_eq!(sent.item()["metadata"]["raw_scores"], json!({"relevance": 42.0}));
    assert_eq!((sent.item().get("scores"), sent.receipt.delivered), (None, 1));
}

#[tokio::test]
async fn the_source_of_scores_is_an_option() {
    let source = |config: obs_braintrust::BraintrustConfig| config.with_score_source(ScoreSource::External);
    let sent = sent_with(scores([score(0.5)]), source).await;
    assert_eq!(sent.item()["source"], "external");
}

#[tokio::test]
async fn several_scores_of_a_row_are_told_apart() {
    let named = |name: &'static str, value: f64| {
        let mut score = score(value);
        (score.name, score.comment) = (name.into(), Some(name.into()));
        score
    };
    let sent = sent(scores([named("a", 0.1), named("b", 0.2), named("a", 0.3)])).await;
    let told: Vec<_> =
        sent.items.iter().map(|item| (item["scores"].clone(), item["comment"].clone())).collect();
    let wanted = [(json!({"a": 0.1, "b": 0.2}), json!("a: a\nb: b")), (json!({"a": 0.3}), json!("a"))];
    assert_eq!(told, wanted);
    assert_eq!(
        posts(&sent, "/feedback"),
        2,
        "a request has an id once, and what is said later is sent later"
    );
}

fn posts(sent: &Sent, end: &str) -> usize {
    sent.server.requests().iter().filter(|request| request.path.ends_with(end)).count()
}

/// Scores of this many scorers, each with its own name, id and metadata.
fn scorers(count: u32, value: impl Fn(u32) -> f64) -> impl Iterator<Item = Score> {
    (1..=count).map(move |nth| {
        let mut score = Score::new(uuid(nth), at(nth.into()), target(), format!("scorer {nth}"), value(nth));
        score.metadata.push("nth", i64::from(nth));
        score
    })
}

#[tokio::test]
async fn a_hundred_scores_of_a_row_are_one_request_and_each_keeps_what_is_known_of_it() {
    let sent = sent(scores(scorers(100, |nth| f64::from(nth) / 128.0))).await;
    assert_eq!((posts(&sent, "/feedback"), sent.receipt.delivered), (1, 100));
    let item = sent.item();
    for score in scorers(100, |nth| f64::from(nth) / 128.0) {
        assert_eq!(item["scores"][score.name.as_str()], json!(score.value.as_f64()));
        let known = &item["metadata"]["judgements"][score.id.to_string()];
        assert_eq!((&known["score_id"], &known["name"]), (&json!(score.id), &json!(score.name)));
        assert_eq!(known["nth"], json!(score.metadata.get("nth")));
    }
}

#[tokio::test]
async fn a_hundred_numbers_that_are_no_scores_are_one_request_too() {
    let bare = sent(scores(scorers(100, |nth| 10.0 + f64::from(nth)))).await;
    assert_eq!((posts(&bare, "/insert"), posts(&bare, "/feedback"), bare.receipt.delivered), (1, 0, 100));
    assert_eq!(bare.row()["metadata"]["raw_scores"]["scorer 100"], 110.0);
    assert_eq!(bare.row()["metadata"]["judgements"][uuid(100).to_string()]["name"], "scorer 100");
    let commented = scorers(100, |nth| 10.0 + f64::from(nth)).map(|mut score| {
        score.comment = Some("of more".into());
        score
    });
    let told = sent(scores(commented)).await;
    assert_eq!((posts(&told, "/insert"), posts(&told, "/feedback"), told.receipt.delivered), (1, 1, 100));
    assert_eq!(told.row()["metadata"]["raw_scores"], bare.row()["metadata"]["raw_scores"]);
    assert_eq!(told.item()["comment"].as_str().unwrap().lines().count(), 100);
}

#[tokio::test]
async fn what_is_said_of_a_row_by_people_or_by_other_sources_is_not_mixed() {
    let mut all = ["thumbs", "rating"].map(|kind| given(kind, true)).to_vec();
    all[1].id = uuid(3);
    let bare = sent(feedback(all.clone())).await;
    assert_eq!(bare.item()["scores"], json!({"thumbs": 1.0, "rating": 1.0}));
    assert_eq!(bare.item()["metadata"]["judgements"].as_object().unwrap().len(), 2);
    for given in &mut all {
        given.comment = Some("mine".into());
    }
    let comments = sent(feedback(all.clone())).await;
    assert_eq!((comments.items.len(), posts(&comments, "/feedback")), (2, 2));
    (all[0].comment, all[1].comment, all[1].source) = (None, None, Some("app".into()));
    let sources = sent(feedback(all)).await;
    let told: Vec<_> = sources.items.iter().map(|item| item["source"].clone()).collect();
    assert_eq!(told, ["external", "app"]);
}

#[tokio::test]
async fn scores_that_are_too_much_for_one_request_take_the_fewest_and_are_not_cut() {
    let long = scorers(20, |_| 0.5).map(|mut score| {
        score.comment = Some("r".repeat(10_000).into());
        score
    });
    let small = |config: obs_braintrust::BraintrustConfig| config.with_max_request_size(64 << 10);
    let sent = sent_with(scores(long), small).await;
    assert_eq!((sent.receipt.delivered, posts(&sent, "/feedback")), (20, 7));
    let said: usize =
        sent.items.iter().map(|item| item["comment"].as_str().unwrap().matches('r').count()).sum();
    assert_eq!(said, 20 * (10_000 + "scorer".matches('r').count()));
}

#[tokio::test]
async fn what_stands_before_the_kind_of_a_feedback_is_an_option() {
    let prefixed = |config: obs_braintrust::BraintrustConfig| config.with_feedback_prefix("user_");
    let thumb = sent_with(feedback([given("thumbs", true)]), prefixed).await;
    assert_eq!(thumb.item()["scores"], json!({"user_thumbs": 1.0}));
    assert_eq!(thumb.item()["metadata"]["kind"], "thumbs");
    let raw = sent_with(feedback([given("rating", 4.0)]), prefixed).await;
    assert_eq!(raw.row()["metadata"]["raw_scores"], json!({"user_rating": 4.0}));
}

#[tokio::test]
async fn a_judgement_of_an_experiment_as_a_whole_is_a_row_of_it_with_feedback() {
    let target = Target::ExperimentRun { run_id: EXPERIMENT.into() };
    let accuracy = Score::new(uuid(7), at(9), target.clone(), "accuracy", 0.75);
    let Sent { server, .. } = sent(scores([accuracy])).await;
    let (path, row) = &server::inserted(&server)[0];
    assert_eq!(path, &format!("/v1/experiment/{EXPERIMENT}/insert"));
    assert_eq!(row["span_attributes"], json!({"name": "accuracy", "type": "score", "purpose": "scorer"}));
    assert_eq!((&row["id"], &row["root_span_id"]), (&json!(uuid(7)), &json!(uuid(7))));
    let (path, item) = &server::fed_back(&server)[0];
    assert_eq!(path, &format!("/v1/experiment/{EXPERIMENT}/feedback"));
    assert_eq!((&item["id"], &item["scores"]), (&json!(uuid(7)), &json!({"accuracy": 0.75})));

    let raw = Score::new(uuid(8), at(9), target.clone(), "cost", 12.0);
    let raw = sent(scores([raw])).await;
    assert_eq!(raw.row()["metadata"]["raw_scores"], json!({"cost": 12.0}));
    assert_eq!(raw.row()["metadata"]["judgements"][uuid(8).to_string()]["score_id"], json!(uuid(8)));
    let review = Feedback::new(uuid(9), at(9), target, "comment", ScoreValue::text("worse than before"));
    let told = sent(feedback([review])).await;
    assert_eq!(
        (&told.row()["span_attributes"]["type"], &told.item()["comment"]),
        (&json!("review"), &json!("worse than before"))
    );
}

#[tokio::test]
async fn feedback_is_a_score_an_expectation_or_words() {
    let scored = |kind: &str, value: f64| json!({"scores": {kind: value}});
    let rated = ScoreValue::Numeric { value: 4.0, range: Some(obs_core::Range { min: 1.0, max: 5.0 }) };
    for (kind, value, wanted) in [
        ("thumbs", ScoreValue::Boolean(false), scored("thumbs", 0.0)),
        ("thumbs", ScoreValue::category("thumbs_up"), scored("thumbs", 1.0)),
        ("reaction", ScoreValue::text("dislike"), scored("reaction", 0.0)),
        ("rating", rated, scored("rating", 0.75)),
        ("correction", ScoreValue::text("It left today."), json!({"expected": "It left today."})),
        ("correction", ScoreValue::numeric(42.0), json!({"expected": 42.0})),
        ("correction", ScoreValue::Boolean(true), json!({"expected": true})),
        ("mood", ScoreValue::category("puzzled"), json!({"comment": "mood: puzzled"})),
        ("comment", ScoreValue::text("like a charm"), json!({"comment": "like a charm"})),
        ("comment", ScoreValue::text("like"), json!({"comment": "like"})),
    ] {
        let sent = sent(feedback([given(kind, value)])).await;
        let mut wanted = wanted;
        wanted["id"] = json!(span_id(3));
        wanted["source"] = json!("external");
        assert_eq!(said(sent.item()), wanted);
        assert_eq!(sent.item()["metadata"]["kind"], kind);
        assert!(sent.rows.is_empty(), "{:?}", sent.rows);
    }
    let raw = sent(feedback([given("rating", 4.0)])).await;
    assert_eq!(raw.row()["metadata"]["raw_scores"], json!({"rating": 4.0}));
    assert_eq!(raw.row()["metadata"]["judgements"][uuid(2).to_string()]["kind"], "rating");
}

#[tokio::test]
async fn feedback_carries_who_where_and_tags() {
    let mut thumb = given("thumbs", true);
    (thumb.user_id, thumb.source, thumb.comment) =
        (Some("user-9".into()), Some("app".into()), Some("quick".into()));
    let tags = ["a", "b", "a"].map(|tag| Attribute::from(Str::from(tag)));
    thumb.metadata.push("tags", Attribute::List(tags.into()));
    thumb.metadata.push("page", "/orders");
    let sent = sent(feedback([thumb])).await;
    let item = sent.item();
    assert_eq!(
        (&item["source"], &item["comment"], &item["tags"]),
        (&json!("app"), &json!("quick"), &json!(["a", "b"]))
    );
    let metadata = &item["metadata"];
    assert_eq!((&metadata["user_id"], &metadata["page"]), (&json!("user-9"), &json!("/orders")));
    assert_eq!(metadata["feedback_id"], json!(uuid(2)));
    let mut odd = given("thumbs", true);
    odd.metadata = Attributes::from_iter([("tags", Attribute::from(7))]);
    odd.source = Some("slack".into());
    let sent = server::sent(feedback([odd])).await;
    assert_eq!((sent.item().get("tags"), &sent.item()["metadata"]["attributes"]["tags"]), (None, &json!(7)));
    assert_eq!(
        (&sent.item()["source"], &sent.item()["metadata"]["source"]),
        (&json!("external"), &json!("slack"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// No number is clamped: it is placed in its range, or it is no score and stands as it is.
    #[test]
    fn numbers_are_never_clamped(value in -20.0..20.0f64, min in -10.0..10.0f64, width in proptest::option::of(0.0..10.0f64)) {
        let range = width.map(|width| obs_core::Range { min, max: min + width });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let score = score(ScoreValue::Numeric { value, range });
        let sent = runtime.block_on(sent(scores([score])));
        let placed = match range {
            None => Some(value),
            Some(range) if range.max > range.min => Some((value - range.min) / (range.max - range.min)),
            Some(_) => None,
        };
        if let Some(placed) = placed.filter(|placed| *placed >= 0.0 && *placed <= 1.0) {
            let told = sent.item()["scores"]["relevance"].as_f64().unwrap();
            prop_assert!((told - placed).abs() < 1e-12);
        } else {
            prop_assert_eq!(sent.row()["metadata"]["raw_scores"]["relevance"].as_f64(), Some(value));
        }
        prop_assert_eq!(sent.receipt.delivered, 1);
    }
}

#[tokio::test]
async fn metadata_named_like_a_field_of_ours_stands_in_an_object_of_its_own() {
    let names = [
        "score_id",
        "feedback_id",
        "time",
        "name",
        "kind",
        "source",
        "scorer",
        "raw_scores",
        "range",
        "value",
    ];
    let mut odd =
        score(ScoreValue::Numeric { value: 4.0, range: Some(obs_core::Range { min: 1.0, max: 5.0 }) });
    (odd.source, odd.scorer) =
        (Some("live".into()), Some(Scorer { id: Some("s-1".into()), ..Scorer::default() }));
    odd.metadata = names.into_iter().map(|name| (name, name)).collect();
    let sent = sent(scores([odd])).await;
    let own = &sent.item()["metadata"];
    assert_eq!((&own["score_id"], &own["name"]), (&json!(uuid(1)), &json!("relevance")));
    let wanted: Value = names.into_iter().map(|name| (name.to_owned(), json!(name))).collect();
    assert_eq!(own["attributes"], wanted);
}
