//! What is kept back or cut says so, and JSON stays JSON.

use std::borrow::Cow;

use obs_redact::{ConfigError, RedactConfig, Redactor};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

fn redactor(config: &RedactConfig) -> Result<Redactor, ConfigError> {
    Redactor::new(config)
}

#[test]
fn a_long_string_is_cut_at_a_character_and_says_how_much_is_gone() {
    let redactor = redactor(&RedactConfig::default().with_max_string(32)).unwrap();
    let long = "é".repeat(30);
    let cut = format!("{}…[truncated 28 bytes]", "é".repeat(16));
    assert_eq!(redactor.redact_text(&long), cut);
    assert_eq!(
        redactor.redact_text(&format!("x{long}")),
        format!("x{}…[truncated 30 bytes]", "é".repeat(15))
    );
    assert_eq!(
        redactor.redact_json(&format!(r#"{{"a":["{long}",1.50]}}"#)),
        format!(r#"{{"a":["{cut}",1.50]}}"#)
    );
    let escaped =
        r#"["\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n","\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"]"#;
    assert!(
        matches!(redactor.redact_json(escaped), Cow::Borrowed(_)),
        "the text counts, not how it is written"
    );
}

#[test]
fn a_cut_splits_no_mark_and_comes_after_the_search() {
    let redactor = redactor(&RedactConfig::default().with_max_string(40)).unwrap();
    let text = format!("a text with a key at its very end, ghp_{}", "a1".repeat(18));
    assert_eq!(redactor.redact_text(&text), "a text with a key at its very end, …[truncated 10 bytes]");
}

#[test]
fn long_arrays_and_objects_say_how_much_is_gone() {
    let redactor = redactor(&RedactConfig::default().with_max_items(2).with_max_keys(3)).unwrap();
    let json = r#"{"a":[1.0, 2,3 , "x,]",{"b":[]}],"b":[1,2],"c":1,"d":[5,6,7],"e":1}"#;
    let expected = r#"{"a":[1.0, 2,"[…3 more items]"],"b":[1,2],"c":1,"…":"[…2 more keys]"}"#;
    assert_eq!(redactor.redact_json(json), expected);
    assert_eq!(redactor.redact_json(expected), expected);
    assert_eq!(redactor.items_beyond(5, None), Some((2, "[…3 more items]".into())));
    assert_eq!(redactor.items_beyond(3, Some("[…3 more items]")), None);
    assert_eq!(redactor.keys_beyond(4, None), Some((3, "…", "[…1 more keys]".into())));
    assert_eq!(redactor.keys_beyond(3, None), None);
}

#[test]
fn a_large_document_is_cut_to_a_document() {
    let redactor = redactor(&RedactConfig::default().with_max_payload(100)).unwrap();
    let json = format!(
        r#"{{"messages":[{}{{"z":1}}],"model":"m"}}"#,
        r#"{"role":"user","content":"hello there"},"#.repeat(50)
    );
    let cut = redactor.redact_json(&json).into_owned();
    assert_eq!(
        cut,
        r#"{"messages":[{"role":"user","content":"hello there"},{"role":"user","content":"hello there"},{"role":"user","…":"[…1 more keys]"},"[…48 more items]"],"…":"[…1 more keys]"}"#
    );
    assert_eq!(redactor.redact_json(&cut), cut);
    let one = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_000));
    let cut = redactor.redact_json(&one);
    assert!(cut.len() < 160 && cut.contains("…[truncated 99"), "{cut}");
    serde_json::from_str::<Value>(&cut).unwrap();
}

#[test]
fn names_numbers_and_white_space_count_in_a_document() {
    let redactor = redactor(&RedactConfig::default().with_max_payload(100)).unwrap();
    let (long, blanks) = ("7".repeat(10_000), " ".repeat(10_000));
    for json in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"a":{long}}}"#),
        format!("[{long}]"),
        format!("{blanks}[1{blanks},{blanks}2{blanks}]{blanks}"),
        format!(r#"{{"a"{blanks}:{blanks}1,{blanks}"b":2}}"#),
        format!(r#"[{{"n":1,"{long}":{long}}},2]"#),
    ] {
        let cut = redactor.redact_json(&json);
        assert!(cut.len() < 250, "{cut}");
        serde_json::from_str::<Value>(&cut).unwrap();
        assert_eq!(redactor.redact_json(&cut), cut, "once more");
    }
    let named = redactor.redact_json(&format!(r#"{{"{}":1}}"#, "n".repeat(200))).into_owned();
    assert_eq!(named, format!(r#"{{"{}…[truncated 101 bytes]":1}}"#, "n".repeat(99)));
}

#[test]
fn a_count_that_no_cut_writes_is_none() {
    let redactor = redactor(&RedactConfig::default().with_max_string(32).with_max_items(1)).unwrap();
    let text = format!("a…[truncated {} bytes]", "0".repeat(100));
    assert!(redactor.redact_text(&text).len() < 70);
    assert_eq!(redactor.items_beyond(2, Some(&format!("[…{} more items]", "0".repeat(21)))).unwrap().0, 1);
}

#[test]
fn excluded_fields_are_marked_whatever_they_hold() {
    let config = RedactConfig::default().with_excluded_field("home_address").with_excluded_field("*_notes");
    let redactor = redactor(&config).unwrap();
    let json = r#"{"homeAddress":{"a":[1]},"doctorNotes":"x","n":{"note":1,"my-notes":true,"a_notes":null}}"#;
    let expected = r#"{"homeAddress":"[OMITTED]","doctorNotes":"[OMITTED]","n":{"note":1,"my-notes":"[OMITTED]","a_notes":null}}"#;
    assert_eq!(redactor.redact_json(json), expected);
    assert_eq!(redactor.redact_json(expected), expected);
    assert_eq!(redactor.redact_value(Some("home.address"), "x"), "[OMITTED]");
    assert_eq!(redactor.redact_json_value(Some("home_address"), "[1]"), "\"[OMITTED]\"");
    assert_eq!(redactor.redact_json_value(Some("home_address"), "null"), "null");
}

#[test]
fn excluded_fields_are_marked_in_json_that_does_not_parse() {
    let redactor = redactor(&RedactConfig::default().with_excluded_field("diagnosis")).unwrap();
    for (text, expected) in [
        (r#"{"a":1,"diagnosis":"fl"#, r#"{"a":1,"diagnosis":"[OMITTED]"#),
        (r#"said {"diagnosis":{"a":"flu"},"b":2}"#, r#"said {"diagnosis":"[OMITTED]","b":2}"#),
        (r#"said {\"diagnosis\": \"flu\"}"#, r#"said {\"diagnosis\": \"[OMITTED]\"}"#),
        (r#"said {"diagnosis": 12, "b": 2}"#, r#"said {"diagnosis": "[OMITTED]", "b": 2}"#),
        ("the diagnosis: flu", "the diagnosis: flu"),
    ] {
        assert_eq!(redactor.redact_text(text), expected);
        assert_eq!(redactor.redact_text(expected), expected, "once more");
    }
}

#[test]
fn what_an_excluded_field_labels_is_marked() {
    let redactor = redactor(&RedactConfig::default().with_excluded_field("diagnosis")).unwrap();
    for (text, expected) in [
        (r#"[{"name":"diagnosis","value":"flu"}]"#, r#"[{"name":"diagnosis","value":"[OMITTED]"}]"#),
        (r#"{"value":{"a":[1]},"key":"Diagnosis"}"#, r#"{"value":"[OMITTED]","key":"Diagnosis"}"#),
        (r#"{"key":"diagnosis","value":true}"#, r#"{"key":"diagnosis","value":"[OMITTED]"}"#),
        (r#"{"key":"diagnosis","value":null}"#, r#"{"key":"diagnosis","value":null}"#),
        (
            r#"{"header":"diagnosis","name":"password","value":"a"}"#,
            r#"{"header":"diagnosis","name":"password","value":"[OMITTED]"}"#,
        ),
        (r#"{"name":"diagnoses","value":"flu"}"#, r#"{"name":"diagnoses","value":"flu"}"#),
        (
            r#"said {"name":"diagnosis","value":"flu"} to"#,
            r#"said {"name":"diagnosis","value":"[OMITTED]"} to"#,
        ),
    ] {
        assert_eq!(redactor.redact_text(text), expected);
        assert_eq!(redactor.redact_text(expected), expected, "once more");
    }
}

#[test]
fn without_io_what_was_read_and_written_is_marked_and_the_rest_stays() {
    let redactor = redactor(&RedactConfig::default().with_include_io(false)).unwrap();
    for name in [
        "input",
        "output",
        "content",
        "query",
        "gen_ai.input.messages",
        "x.gen_ai.prompt",
        "input.value",
        "gen_ai.prompt.0.content",
        "x.llm.input_messages.0.message.content",
        "mastra.agent_run.input",
        "langfuse.trace.output",
        "retrieval.documents.0.document.content",
    ] {
        assert_eq!(redactor.redact_value(Some(name), "hello"), "[OMITTED]", "{name}");
        assert!(!Redactor::default().name_is_omitted(name));
    }
    for name in [
        "name",
        "model",
        "url.query",
        "http.request.content",
        "message",
        "input_tokens",
        "gen_ai.request.model",
        "gen_ai.prompt.name",
        "gen_ai.prompt.",
        "xgen_ai.prompt.0.content",
        "mastra.input",
    ] {
        assert_eq!(redactor.redact_value(Some(name), "hello"), "hello", "{name}");
    }
}

#[test]
fn limits_that_leave_no_room_for_marks_are_refused() {
    for (config, limit) in [
        (RedactConfig::default().with_max_string(31), "`max_string`"),
        (RedactConfig::default().with_max_payload(0), "`max_payload`"),
    ] {
        let error = Redactor::new(&config).unwrap_err().to_string();
        assert!(error.contains(limit) && error.contains("32 bytes"), "{error}");
    }
}

#[test]
fn the_limits_of_a_file() {
    let file = r#"{"include_io":false,"exclude_fields":["a"],"max_string":100,"max_items":2,"max_keys":3,"max_payload":400}"#;
    let built = RedactConfig::default()
        .with_include_io(false)
        .with_excluded_field("a")
        .with_max_string(100)
        .with_max_items(2)
        .with_max_keys(3)
        .with_max_payload(400);
    assert_eq!(serde_json::from_str::<RedactConfig>(file).unwrap(), built);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-zé\n\"]{0,60}".prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec(("[a-z]{1,6}|[a-z]{40,200}", inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn cut_json_is_json_within_its_limits_and_cutting_again_changes_nothing(
        value in any_json(), pretty in any::<bool>(),
        string in 32..50_usize, items in 0..6_usize, keys in 0..6_usize, payload in 32..600_usize,
    ) {
        let config = RedactConfig::default()
            .with_max_string(string).with_max_items(items).with_max_keys(keys).with_max_payload(payload);
        let redactor = redactor(&config).unwrap();
        let json = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let cut = redactor.redact_json(&json);
        let read: Value = serde_json::from_str(&cut).unwrap();
        check(&read, string, items, keys)?;
        prop_assert!(cut.len() < payload + 40 * 12 + 80, "{}", cut);
        prop_assert_eq!(&redactor.redact_json(&cut), &cut);
        if matches!(cut, Cow::Borrowed(_)) {
            prop_assert_eq!(read, value);
        }
    }
}

fn check(value: &Value, string: usize, items: usize, keys: usize) -> Result<(), TestCaseError> {
    match value {
        Value::String(text) => prop_assert!(text.len() <= string + 30, "{text}"),
        Value::Array(values) => {
            prop_assert!(values.len() <= items + 1);
            for value in values {
                check(value, string, items, keys)?;
            }
        }
        Value::Object(members) => {
            prop_assert!(members.len() <= keys + 1);
            for (name, value) in members {
                prop_assert!(name.len() <= string + 30, "{name}");
                check(value, string, items, keys)?;
            }
        }
        _ => {}
    }
    Ok(())
}
