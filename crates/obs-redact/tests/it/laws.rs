//! Properties that hold for all JSON and all text.

use std::borrow::Cow;

use obs_redact::Redactor;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::formats::table;

/// Names and texts that are near to secrets and hold none.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z ]{0,12}",
        1 => any::<String>(),
        1 => Just("prompt_tokens".to_owned()),
        1 => "[\"'\\\\{}\\[\\]:=,a-z\n ]{0,16}",
    ]
}

/// JSON of any shape, also with JSON in its strings.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word(), inner.clone()), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// Around a secret, from the inside to the outside.
#[derive(Debug, Clone)]
enum Wrap {
    Array(Value),
    Member(String),
    Text,
    Prose(String),
}

fn wraps() -> impl Strategy<Value = Vec<Wrap>> {
    vec(
        prop_oneof![
            any_json().prop_map(Wrap::Array),
            "[a-z]{1,8}".prop_map(Wrap::Member),
            Just(Wrap::Text),
            "[a-zé\n]{0,8}".prop_map(Wrap::Prose),
        ],
        0..11,
    )
}

fn wrapped(secret: Value, wraps: &[Wrap]) -> Value {
    wraps.iter().fold(secret, |inside, wrap| match (wrap, inside) {
        (Wrap::Array(sibling), inside) => json!([sibling, inside, sibling]),
        (Wrap::Member(name), inside) => json!({ "first": 1.5, name: inside }),
        (Wrap::Prose(prose), Value::String(inside)) => json!(format!("{prose} {inside}\n{prose}")),
        (Wrap::Text | Wrap::Prose(_), inside) => json!(inside.to_string()),
    })
}

/// A secret at a place where it counts, and the part of it that must be gone.
fn planted() -> impl Strategy<Value = (Value, String)> {
    let formats = table();
    let names =
        ["password", "openaiApiKey", "access_token", "set-cookie", "dbPassword", "auth", "client_secret"];
    prop_oneof![
        (0..formats.len(), any::<bool>()).prop_map(move |(at, as_name)| {
            let secret = formats[at].1.clone();
            (if as_name { json!({ &secret: 1 }) } else { json!(secret) }, secret)
        }),
        (0..names.len(), 0..4_u8).prop_map(move |(at, shape)| {
            let secret = "zq8-planted\"x";
            let value = match shape {
                0 => json!(secret),
                1 => json!({ "v": [secret] }),
                2 => json!([{ "v": secret }]),
                _ => json!(json!({ "v": secret }).to_string()),
            };
            (json!({ "a": 1, names[at]: value }), "zq8-planted".to_owned())
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn law_6_a_planted_secret_never_remains((secret, gone) in planted(), wraps in wraps()) {
        let redactor = Redactor::default();
        let json = wrapped(secret, &wraps).to_string();
        let redacted = redactor.redact_json(&json);
        prop_assert!(serde_json::from_str::<Value>(&redacted).is_ok(), "{} -> {}", json, redacted);
        let head: String = gone.chars().take(24).collect();
        prop_assert!(!redacted.contains(&head), "{} -> {}", json, redacted);
        prop_assert_eq!(redactor.redact_json(&redacted), redacted.clone(), "once more");
        let text = redactor.redact_text(&json);
        prop_assert!(!text.contains(&head), "{} -> {}", json, text);
    }

    #[test]
    fn law_6_json_stays_json_and_redacting_again_changes_nothing(value in any_json(), pretty in any::<bool>()) {
        let redactor = Redactor::default();
        let json = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let redacted = redactor.redact_json(&json);
        let read: Value = serde_json::from_str(&redacted).unwrap();
        if let Cow::Borrowed(same) = redacted {
            prop_assert_eq!(same, &json);
            prop_assert_eq!(read, value);
        }
        prop_assert_eq!(redactor.redact_json(&redacted), redacted.clone());
    }

    #[test]
    fn any_text_at_all_is_searched_without_a_panic_and_for_good(
        parts in vec(prop_oneof![
            any::<String>(),
            "[\"'`\\\\{}\\[\\]:=;,@/ \n-]{1,4}",
            prop::sample::select(vec![
                "password", "token", "Authorization", "Bearer ", "sk-ant-", "://", "hunter2", "abc123def456ghi789jk", "[REDACTED]",
                "eyJhbGciOiJIUzI1NiJ9", "-----BEGIN PRIVATE KEY-----", "AKIAIOSFODNN7EXAMPLE", "{\"auth\":", "Cookie", "NRAL",
            ]).prop_map(str::to_owned),
        ], 0..12)
    ) {
        let redactor = Redactor::default();
        let text = parts.concat();
        let once = redactor.redact_text(&text);
        prop_assert!(!once.contains("[REDACTION_FAILED]"), "{:?}", text);
        let twice = redactor.redact_text(&once);
        prop_assert_eq!(&twice, &once, "{}", text);
    }
}
