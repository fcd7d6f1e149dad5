//! What a user sets, and what is refused.

use obs_redact::{RedactConfig, Redactor};

#[test]
fn a_file_and_the_builder_say_the_same() {
    let file = r#"{
        "names": ["employee"], "allowed_names": ["key"], "patterns": {"case": "CASE-\\d+"},
        "token": "<gone>", "max_nesting": 2, "max_depth": 9, "max_bytes": 1000
    }"#;
    let built = RedactConfig::default()
        .with_name("employee")
        .with_allowed_name("key")
        .with_pattern("case", r"CASE-\d+")
        .with_token("<gone>")
        .with_max_nesting(2)
        .with_max_depth(9)
        .with_max_bytes(1000);
    assert_eq!(serde_json::from_str::<RedactConfig>(file).unwrap(), built);
    assert_eq!(serde_json::from_str::<RedactConfig>("{}").unwrap(), RedactConfig::default());
    let redactor = Redactor::new(&built).unwrap();
    assert_eq!(
        redactor.redact_text(r#"{"Employee":"Ann","key":"CASE-1","password":"x"}"#),
        r#"{"Employee":"<gone>","key":"<gone>","password":"<gone>"}"#
    );
    assert_eq!(redactor.token(), "<gone>");
}

#[test]
fn an_unknown_field_is_refused() {
    let error = serde_json::from_str::<RedactConfig>(r#"{"name": []}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `name`") && error.contains("`names`"), "{error}");
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let config = RedactConfig::default();
    for (config, words) in [
        (config.clone().with_pattern("case", "CASE-("), ["`case`", "unclosed group", "correct or remove"]),
        (config.clone().with_pattern("case", "x*"), ["`case`", "empty text", "correct or remove"]),
        (config.clone().with_name("--"), ["`--`", "`names`", "letter or digit"]),
        (config.clone().with_allowed_name("*"), ["`*`", "`allowed_names`", "correct or remove"]),
        (config.clone().with_token(" "), ["token", "empty", "choose another"]),
        (config.clone().with_token("password=hunter2"), ["token", "secret", "choose another"]),
        (config.with_pattern("brackets", r"\[\w+\]"), ["token", "secret", "choose another"]),
    ] {
        let error = Redactor::new(&config).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{error} lacks {word}");
        }
    }
}

#[test]
fn a_token_is_escaped_where_it_stands_in_json() {
    let redactor = Redactor::new(&RedactConfig::default().with_token("\"gone\"\n")).unwrap();
    let redacted =
        redactor.redact_json(r#"{"password":"x","a":"Bearer abc","b":"{\"token\":1}"}"#).into_owned();
    let value: serde_json::Value = serde_json::from_str(&redacted).unwrap();
    assert_eq!(value["password"], "\"gone\"\n");
    assert_eq!(value["a"], "Bearer \"gone\"\n");
    let inner: serde_json::Value = serde_json::from_str(value["b"].as_str().unwrap()).unwrap();
    assert_eq!(inner["token"], "\"gone\"\n");
    assert_eq!(redactor.redact_json(&redacted), redacted);
}

#[test]
fn short_formats_of_a_user_are_found_too() {
    let redactor = Redactor::new(&RedactConfig::default().with_pattern("pin", r"\b\d{4}\b")).unwrap();
    assert_eq!(redactor.redact_text("1234"), "[REDACTED]");
    assert_eq!(
        redactor.redact_json(r#"{"a":"1234","n":1234,"b":"\u00311 1\u0032 34\t5678"}"#),
        r#"{"a":"[REDACTED]","n":1234,"b":"11 12 34\t[REDACTED]"}"#
    );
}
