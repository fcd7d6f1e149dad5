//! Defects that other redactors were measured to have, each as a law of this one.

use std::borrow::Cow;

use obs_redact::{RedactConfig, Redactor, Style};

fn redacts(json: &str, expected: &str) {
    assert_eq!(Redactor::default().redact_json(json), expected);
}

#[test]
fn a_value_that_stands_twice_is_not_destroyed_the_second_time() {
    let shared = r#"{"a":[1,"x"]}"#;
    let json = format!(r#"{{"x":{shared},"y":{shared},"z":[{shared},{shared}]}}"#);
    assert!(matches!(Redactor::default().redact_json(&json), Cow::Borrowed(_)));
    let secret = r#"{"token":"abc","n":1}"#;
    let gone = r#"{"token":"[REDACTED]","n":1}"#;
    redacts(&format!(r#"{{"x":{secret},"y":{secret}}}"#), &format!(r#"{{"x":{gone},"y":{gone}}}"#));
}

#[test]
fn law_6_an_object_under_a_sensitive_name_goes_whole() {
    redacts(r#"{"auth":{"v":"plain","w":{"x":["y"]}}}"#, r#"{"auth":"[REDACTED]"}"#);
}

#[test]
fn law_6_names_with_a_sensitive_ending_count() {
    for name in ["openaiApiKey", "access_token", "set-cookie", "dbPassword"] {
        redacts(&format!(r#"{{"{name}":"x"}}"#), &format!(r#"{{"{name}":"[REDACTED]"}}"#));
    }
    redacts(r#"{"prompt_tokens":12,"promptTokens":"12"}"#, r#"{"prompt_tokens":12,"promptTokens":"12"}"#);
}

#[test]
fn law_6_strings_that_are_no_json_are_searched_too() {
    redacts(r#"{"m":"Authorization: Bearer abc"}"#, r#"{"m":"Authorization: Bearer [REDACTED]"}"#);
    redacts(r#"{"m":"tool said password=hunter2"}"#, r#"{"m":"tool said password=[REDACTED]"}"#);
}

#[test]
fn json_in_a_string_keeps_how_its_numbers_are_written() {
    redacts(
        r#"{"m":"{\"n\": 1.50, \"big\": 12345678901234567890, \"key\": \"x\"}"}"#,
        r#"{"m":"{\"n\": 1.50, \"big\": 12345678901234567890, \"key\": \"[REDACTED]\"}"}"#,
    );
}

#[test]
fn law_6_the_partial_style_shows_nothing_of_a_short_secret() {
    let redactor = Redactor::new(&RedactConfig::default().with_style(Style::Partial)).unwrap();
    for secret in ["hunter2", "1234567", "hunter2-hunter2"] {
        assert_eq!(redactor.redact_value(Some("password"), secret), "[REDACTED]");
    }
}

#[test]
fn law_6_a_failure_replaces_the_field_and_never_passes_it() {
    assert_eq!(Redactor::default().redact_json(r#"{"password":"hunter2"#), r#"{"error":"redaction_failed"}"#);
}

#[test]
fn a_cut_splits_no_character_and_all_sizes_are_bounded_together() {
    let config = RedactConfig::default()
        .with_max_string(64)
        .with_max_items(50)
        .with_max_keys(50)
        .with_max_payload(4_096);
    let redactor = Redactor::new(&config).unwrap();
    let level = |inside: &str| format!("[{}]", vec![inside; 20].join(","));
    let json = level(&level(&level("\"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀\"")));
    let cut = redactor.redact_json(&json);
    assert!(cut.len() < 4_400, "{}", cut.len());
    let read: serde_json::Value = serde_json::from_str(&cut).unwrap();
    assert_eq!(read[0][0][0], format!("{}…[truncated 4 bytes]", "😀".repeat(16)));
}

#[test]
fn a_schema_is_bounded_like_everything_else() {
    let redactor = Redactor::new(&RedactConfig::default().with_max_keys(3)).unwrap();
    let json = r#"{"type":"object","properties":{"a":1,"b":2,"c":3,"d":4,"e":5}}"#;
    assert_eq!(
        redactor.redact_json(json),
        r#"{"type":"object","properties":{"a":1,"b":2,"c":3,"…":"[…2 more keys]"}}"#
    );
}
