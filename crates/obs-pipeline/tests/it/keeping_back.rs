//! What the redaction's configuration keeps back, cuts or marks by a style, in records.

use std::sync::Arc;

use obs_core::{Attributes, Payload, Record, Span, Value};
use obs_redact::{Pii, RedactConfig, Style};
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, span};

/// The span as it is delivered under this configuration.
fn delivered(config: RedactConfig, span: Span) -> Option<Span> {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).redact(config).build().ok()?;
    pipeline.intake().span_ended(span);
    pipeline.flush(PATIENCE);
    exporter.records().into_iter().find_map(|record| match record {
        Record::Span(span) => span.ended().cloned(),
        _ => None,
    })
}

#[test]
fn without_io_inputs_and_outputs_are_marked_and_the_rest_stays() {
    let mut sent = span(1);
    sent.input = Some("hello".into());
    sent.output = Some(Payload::from("{\"a\":1}"));
    sent.attributes.push("gen_ai.input.messages", Value::List(vec!["hello".into()]));
    sent.attributes.push("city", "Paris");
    let got = delivered(RedactConfig::default().with_include_io(false), sent.clone()).unwrap();
    assert_eq!(got.input, Some(Payload::text("[OMITTED]")));
    assert_eq!(got.output, Some(Payload::text("[OMITTED]")));
    assert_eq!(got.attributes.get("gen_ai.input.messages"), Some(&"[OMITTED]".into()));
    assert_eq!((got.attributes.get("city"), &got.name), (Some(&"Paris".into()), &sent.name));
}

#[test]
fn excluded_fields_are_marked_in_attributes_and_in_documents() {
    let mut sent = span(1);
    sent.input = Some(Payload::from("{\"diagnosis\":{\"a\":1},\"n\":2}"));
    sent.attributes.push("diagnosis", true);
    let got = delivered(RedactConfig::default().with_excluded_field("diagnosis"), sent).unwrap();
    assert_eq!(got.input, Some(Payload::from("{\"diagnosis\":\"[OMITTED]\",\"n\":2}")));
    assert_eq!(got.attributes.get("diagnosis"), Some(&"[OMITTED]".into()));
}

#[test]
fn what_is_beyond_a_limit_is_told_in_its_place() {
    let mut sent = span(1);
    sent.input = Some(Payload::from("[1,2,3,4]"));
    sent.output = Some("x".repeat(50).into());
    sent.attributes.push("list", Value::List(vec![1.into(), 2.into(), 3.into()]));
    sent.attributes.push("map", Value::Map([("a", 1), ("b", 2), ("c", 3)].into_iter().collect()));
    let config = RedactConfig::default().with_max_items(2).with_max_keys(2).with_max_string(40);
    let got = delivered(config, sent).unwrap();
    assert_eq!(got.input, Some(Payload::from("[1,2,\"[…2 more items]\"]")));
    assert_eq!(got.output, Some(Payload::text(format!("{}…[truncated 10 bytes]", "x".repeat(40)))));
    let list = Value::List(vec![1.into(), 2.into(), "[…1 more items]".into()]);
    assert_eq!(got.attributes.get("list"), Some(&list));
    let map: Attributes =
        [("a", Value::from(1)), ("b", 2.into()), ("…", "[…1 more keys]".into())].into_iter().collect();
    assert_eq!(got.attributes.get("map"), Some(&Value::Map(map)));
}

#[test]
fn a_value_that_is_shared_is_whole_at_every_place() {
    let shared: Arc<str> = "{\"shared\":[1,{\"a\":\"b\"}],\"token\":\"abc\"}".into();
    let mut sent = span(1);
    sent.input = Some(Arc::clone(&shared).into());
    sent.output = Some(shared.into());
    let got = delivered(RedactConfig::default(), sent).unwrap();
    let whole = Payload::from("{\"shared\":[1,{\"a\":\"b\"}],\"token\":\"[REDACTED]\"}");
    assert_eq!((got.input, got.output), (Some(whole.clone()), Some(whole)));
}

#[test]
fn law_6_styles_and_personal_data_reach_into_attributes() {
    let mut sent = span(1);
    sent.input = Some("password=hunter2".into());
    sent.attributes.push("api_key", "hunter2");
    sent.attributes.push("pin_token", 1234);
    sent.attributes.push("card", 4_111_111_111_111_111_i64);
    sent.attributes.push("to", "bob@example.com");
    let config = RedactConfig::default().with_style(Style::Indexed).with_pii([Pii::Email, Pii::Card]);
    let got = delivered(config, sent).unwrap();
    let of = |key: &str| got.attributes.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let input = got.input.as_ref().map(Payload::as_str).unwrap();
    let number = input.strip_prefix("password=").unwrap();
    assert!(number.starts_with("[REDACTED_"), "{number}");
    assert_eq!(of("api_key").as_deref(), Some(number), "the same secret");
    for key in ["pin_token", "card", "to"] {
        let mark = of(key).unwrap();
        assert!(mark.starts_with("[REDACTED") && mark != number, "{key}: {mark}");
    }
}

#[test]
fn law_6_a_label_in_an_attribute_says_that_its_value_is_a_secret() {
    let header = |name: &str, value: Value| {
        Value::Map([("name", Value::from(name.to_owned())), ("value", value)].into_iter().collect())
    };
    let mut sent = span(1);
    sent.attributes.push(
        "headers",
        Value::List(vec![
            header("Authorization", "plain".into()),
            header("x-api-key", 7.into()),
            header("Accept", "text".into()),
            Value::Map([("key", Value::from("http.method")), ("value", "GET".into())].into_iter().collect()),
        ]),
    );
    let got = delivered(RedactConfig::default(), sent).unwrap();
    let Some(Value::List(headers)) = got.attributes.get("headers") else { panic!("{got:?}") };
    let said: Vec<_> = headers
        .iter()
        .map(|header| match header {
            Value::Map(pairs) => pairs.iter().map(|(_, value)| value.as_str().unwrap()).collect::<Vec<_>>(),
            _ => Vec::new(),
        })
        .collect();
    let expected = [
        ["Authorization", "[REDACTED]"],
        ["x-api-key", "[REDACTED]"],
        ["Accept", "text"],
        ["http.method", "GET"],
    ];
    assert_eq!(said, expected);
}

#[test]
fn law_6_an_excluded_field_that_labels_a_value_in_an_attribute_keeps_it_back() {
    let field = |says: &str, value: Value| {
        Value::Map([("value", value), ("field", Value::from(says.to_owned()))].into_iter().collect())
    };
    let mut sent = span(1);
    let fields =
        vec![field("diagnosis", "flu".into()), field("diagnosis", true.into()), field("age", "x".into())];
    sent.attributes.push("fields", Value::List(fields));
    let got = delivered(RedactConfig::default().with_excluded_field("diagnosis"), sent).unwrap();
    let kept = [
        field("diagnosis", "[OMITTED]".into()),
        field("diagnosis", "[OMITTED]".into()),
        field("age", "x".into()),
    ];
    assert_eq!(got.attributes.get("fields"), Some(&Value::List(kept.to_vec())));
}

#[test]
fn law_6_an_attribute_that_nests_deeper_than_is_searched_is_replaced_there() {
    let mut sent = span(1);
    let inside = Value::List(vec![Value::List(vec![Value::List(vec!["x".into()]), 1.into()])]);
    sent.attributes.push("deep", inside);
    let got = delivered(RedactConfig::default().with_max_depth(2), sent).unwrap();
    let expected = Value::List(vec![Value::List(vec!["[REDACTION_FAILED]".into(), 1.into()])]);
    assert_eq!(got.attributes.get("deep"), Some(&expected));
}
