//! What the errors of reading a config say of the fields that hold credentials: the form that is meant, never a value.

use obs_http::HttpConfig;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::Flat;

const SEALED: [&str; 4] = ["auth", "endpoint", "headers", "proxy"];

fn said<T: DeserializeOwned>(json: &Value) -> [Option<String>; 2] {
    let text = serde_json::from_str::<T>(&json.to_string()).err().map(|error| error.to_string());
    let value = serde_json::from_value::<T>(json.clone()).err().map(|error| error.to_string());
    [text, value]
}

/// The error of every way to read a config, or `None` where it is read.
fn all(json: &Value) -> impl Iterator<Item = Option<String>> {
    said::<HttpConfig>(json).into_iter().chain(said::<Flat>(json))
}

#[test]
fn law_6_a_config_that_is_none_is_answered_with_the_form_and_without_the_value() {
    const AUTH: &str = r#"write {"bearer": "…"}, {"basic": {"user": "…", "password": "…"}}, {"header": {"name": "…", "value": "…"}} or "none""#;
    for (field, value, planted, words) in [
        ("auth", json!("sk-live-9f8e7d6c5b4a"), "sk-live", format!("auth: it is a text; {AUTH}")),
        ("auth", json!({"basic": "user:pw123"}), "pw123", format!("auth: `basic` is a text; {AUTH}")),
        ("auth", json!({"bearer": 123_456_789}), "123", format!("auth: `bearer` is a number; {AUTH}")),
        ("auth", json!({"sk-as-key": 1}), "sk-as", format!("auth: it has none of the forms; {AUTH}")),
        (
            "auth",
            json!({"barer": "pw123"}),
            "pw123",
            format!("auth: it has none of the forms (did you mean `bearer`?); {AUTH}"),
        ),
        (
            "auth",
            json!({"basic": {"user": "pw123"}}),
            "pw123",
            format!("auth: `basic` takes `user` and `password`, no more and no less; {AUTH}"),
        ),
        (
            "auth",
            json!({"header": {"name": "x", "value": [987]}}),
            "987",
            format!("auth: `value` is a list; {AUTH}"),
        ),
        ("auth", json!({"bearer": "pw1", "pw2": "pw3"}), "pw", format!("auth: it has 2 entries; {AUTH}")),
        ("auth", json!(null), "null", format!("auth: it is empty; {AUTH}")),
        (
            "headers",
            json!("x-key: abcdef"),
            "abcdef",
            r#"headers: it is a text; write {"NAME": "VALUE"}, each value a text"#.into(),
        ),
        ("headers", json!({"x": 12345}), "12345", r#"headers: a value is a number; write {"NAME": "#.into()),
        ("proxy", json!(777), "777", r#"proxy: it is a number; write "http://HOST:PORT" or "none""#.into()),
        ("endpoint", json!(["pw123"]), "pw123", r#"endpoint: it is a list; write "https://HOST""#.into()),
    ] {
        for said in all(&json!({"endpoint": "https://a.test", field: value})) {
            let said = said.unwrap();
            assert!(said.contains(&words) && !said.contains(planted), "{said}");
        }
    }
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(7_364_551_908_u64)),
        Just(json!(-7_364_551_908_i64)),
        Just(json!(7_364_551_908.5)),
        Just(json!(7_364_551_908_e200_f64)),
    ]
}

/// Arbitrary JSON, most of it planted, with the real names among its keys.
fn value() -> impl Strategy<Value = Value> {
    let text = "[a-z]{0,4}(planted|7364551908)[a-z@:/.\\-\"`]{0,6}";
    let key = prop_oneof![
        text.prop_map(String::from),
        prop::sample::select(vec!["bearer", "basic", "header", "none", "user", "password", "name", "value"])
            .prop_map(String::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn law_6_no_error_of_reading_a_config_repeats_what_stands_in_a_field_of_credentials(
        field in prop::sample::select(SEALED.to_vec()),
        value in value(),
    ) {
        let all: Vec<_> = all(&json!({ field: value })).collect();
        prop_assert!(all.iter().all(|said| said.is_some() == all[0].is_some()), "{all:?}");
        for said in all.into_iter().flatten() {
            prop_assert!(!said.contains("planted") && !said.contains("364551908"), "{said}");
            prop_assert!(said.starts_with(&format!("{field}: ")) && said.contains("write "), "{said}");
        }
    }
}

#[test]
fn names_of_other_clients_are_answered_with_those_of_here() {
    for (field, instead) in [
        ("api_key", r#"write `"auth": {"bearer": "…"}` instead"#),
        ("token", r#"write `"auth": {"bearer": "…"}` instead"#),
        ("url", "write `endpoint` instead"),
        ("base_url", "write `endpoint` instead"),
        ("host", "write `endpoint` instead"),
    ] {
        for said in all(&json!({field: "pw123"})) {
            let said = said.unwrap();
            assert!(said.starts_with(&format!("unknown field `{field}`: {instead}")), "{said}");
            assert!(!said.contains("pw123"), "{said}");
        }
    }
}
