//! What each platform is to have of the same records.

use obs_core::{Batch, Level, Log, Range, SpanRecord};
use obs_testkit::fixtures::{at, batch, span_id, trace, trace_id, uuid};
use serde_json::json;

use super::braintrust::Braintrust;
use super::langfuse::Langfuse;
use super::langsmith::Langsmith;
use super::*;

const ALL: [&dyn Platform; 3] = [&Langfuse, &Braintrust, &Langsmith];

fn records() -> Vec<Record> {
    let trace = trace();
    let spans = trace.spans.into_iter().map(|span| Record::Span(SpanRecord::Ended(span)));
    let logs = trace.logs.into_iter().map(Record::Log);
    let scores = trace.scores.into_iter().map(Record::Score);
    spans.chain(logs).chain(scores).chain(trace.feedback.into_iter().map(Record::Feedback)).collect()
}

fn of(platform: &dyn Platform, id: &str) -> Item {
    let found: Vec<_> =
        expected(platform, &records()).items.into_iter().filter(|item| item.id == id).collect();
    assert_eq!(found.len(), 1, "{id} of {}", platform.name());
    found[0].clone()
}

#[test]
fn every_record_is_expected_where_its_signal_is_taken() {
    let counts = ALL.map(|platform| {
        let expected = expected(platform, &records());
        assert_eq!(expected.unresolvable, []);
        [Kind::Span, Kind::Log, Kind::Judgement]
            .map(|kind| expected.items.iter().filter(|item| item.kind == kind).count())
    });
    assert_eq!(counts, [[12, 4, 3], [12, 4, 3], [12, 0, 3]]);
}

#[test]
fn law_5_ids_map_by_a_pure_function() {
    let (answer, root) = (span_id(7_708), span_id(7_700));
    assert_eq!(langsmith::run("b7ad6b7169203331".parse().unwrap()), "00000000-0000-0000-b7ad-6b7169203331");
    let score = of(&Langfuse, &uuid(771).to_string());
    assert_eq!(score.text("target"), Some(&*format!("observation {answer} of {}", trace_id(77))));
    assert_eq!(of(&Langfuse, &uuid(773).to_string()).text("name"), Some("feedback_thumbs"));
    assert_eq!(of(&Braintrust, &format!("{answer}/relevance")).number("value"), 0.83);
    assert_eq!(of(&Braintrust, &format!("{root}/thumbs")).number("value"), 1.0);
    let feedback = of(&Langsmith, &uuid(772).to_string());
    assert_eq!(feedback.text("run"), Some(&*langsmith::run(root)));
    assert_eq!(of(&Langsmith, &langsmith::run(answer)).text("trace"), Some(&*langsmith::run(root)));
}

#[test]
fn types_are_the_platforms_own() {
    let chat = span_id(7_708);
    let types = [
        of(&Langfuse, &chat.to_string()),
        of(&Braintrust, &chat.to_string()),
        of(&Langsmith, &langsmith::run(chat)),
    ]
    .map(|item| item.fields["type"].clone());
    assert_eq!(types, [json!("generation"), json!("llm"), json!("llm")]);
    let Batch::Traces(spans) = batch(Signal::Traces) else { unreachable!() };
    for name in SpanType::NAMES {
        let span = spans.iter().find(|span| span.span().span_type.name() == name).unwrap();
        assert!(ALL.iter().all(|platform| platform.span(span.span()).text("type").is_some()), "{name}");
    }
}

#[test]
fn what_cannot_be_placed_is_told_with_its_reason() {
    let score = |target: Target| Record::Score(Score::new(uuid(1), at(0), target, "a", 0.5));
    let lost = score(Target::Trace { trace_id: trace_id(1), root_span_id: None });
    let log = Record::Log(Log::new(at(0), Level::Info, "alone"));
    let records = [lost, score(Target::Session { session_id: "s".into() }), log];
    let counts = ALL.map(|platform| expected(platform, &records).unresolvable);
    assert_eq!(counts[0], [(Signal::Logs, "a log without a trace")]);
    assert_eq!(counts[1].len(), 2);
    assert_eq!(counts[2], counts[1]);
}

#[test]
fn a_score_is_brought_into_braintrusts_range() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(1), root_span_id: None };
    let stars = ScoreValue::Numeric { value: 4.0, range: Some(Range { min: 1.0, max: 5.0 }) };
    let score = Record::Score(Score::new(uuid(1), at(0), target, "stars", stars));
    assert_eq!(expected(&Braintrust, &[score]).items[0].number("value"), 0.75);
}

#[test]
fn the_order_of_runs_is_held_against_their_ids() {
    let [root, child] = [langsmith::run(span_id(1)), langsmith::run(span_id(2))];
    let dotted = format!("20251121T044000000000Z{root}.20251121T044000100000Z{child}");
    let run = json!({"id": child, "trace_id": root, "parent_run_id": root, "dotted_order": dotted});
    assert_eq!(langsmith::disorder(std::slice::from_ref(&run)), Vec::<String>::new());
    let alone = json!({"id": root, "trace_id": root, "dotted_order": dotted.split('.').next()});
    assert_eq!(langsmith::disorder(&[alone]), Vec::<String>::new());
    for (field, value, said) in [
        ("parent_run_id", json!(null), "is not of its id"),
        ("trace_id", json!(child), "is not of its id"),
        ("id", json!(root), "is not of its id"),
        ("dotted_order", json!(null), "no dotted_order"),
        ("dotted_order", json!(dotted.replace("04400010", "04390010")), "goes back in time"),
        ("dotted_order", json!(dotted.replace("100000Z", "100Z")), "is not YYYYMMDD"),
    ] {
        let mut wrong = run.clone();
        wrong[field] = value;
        let found = langsmith::disorder(&[wrong]);
        assert!(found.len() == 1 && found[0].contains(said), "{field}: {found:?}");
    }
}
