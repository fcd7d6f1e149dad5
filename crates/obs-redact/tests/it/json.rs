//! What is replaced in JSON, and what stays as it was written.

use std::borrow::Cow;

use obs_redact::{RedactConfig, Redactor};

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let redactor = Redactor::default();
    for (json, expected) in cases {
        assert_eq!(redactor.redact_json(json), *expected, "{json}");
        assert_eq!(redactor.redact_text(json), *expected, "as text");
        assert!(matches!(redactor.redact_json(expected), Cow::Borrowed(_)), "once more: {expected}");
    }
}

#[test]
fn law_6_values_under_sensitive_names_go_whole() {
    check(&[
        (r#"{"password":"x","user":"y"}"#, r#"{"password":"[REDACTED]","user":"y"}"#),
        (r#"{"auth":{"v":"x","w":[1]}}"#, r#"{"auth":"[REDACTED]"}"#),
        (r#"{"secrets":["a","b"],"ssn":1}"#, r#"{"secrets":"[REDACTED]","ssn":"[REDACTED]"}"#),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[REDACTED]"}"#),
        (r#"[[{"a":[{"openaiApiKey":"k"}]}]]"#, r#"[[{"a":[{"openaiApiKey":"[REDACTED]"}]}]]"#),
    ]);
}

#[test]
fn nothing_is_no_secret() {
    let json = r#"{"password":null,"auth":true,"token":"","secrets":[ ],"credentials":{}}"#;
    check(&[(json, json)]);
}

#[test]
fn what_is_not_replaced_stays_as_it_was_written() {
    check(&[(
        " { \"z\" : 1.50e+3 , \"a\":\"\\u00e9\\/\", \"token\" : \"x\" ,\n\t\"big\": 12345678901234567890 } ",
        " { \"z\" : 1.50e+3 , \"a\":\"\\u00e9\\/\", \"token\" : \"[REDACTED]\" ,\n\t\"big\": 12345678901234567890 } ",
    )]);
}

#[test]
fn law_6_lists_of_names_and_values() {
    check(&[
        (
            r#"[{"name":"Authorization","value":"x"},{"name":"Accept","value":"y"}]"#,
            r#"[{"name":"Authorization","value":"[REDACTED]"},{"name":"Accept","value":"y"}]"#,
        ),
        (
            r#"[{"value":{"stringValue":"x"},"key":"db.password"},{"key":"http.method","value":{"stringValue":"GET"}}]"#,
            r#"[{"value":"[REDACTED]","key":"db.password"},{"key":"http.method","value":{"stringValue":"GET"}}]"#,
        ),
        (r#"{"key":"abc","id":1}"#, r#"{"key":"[REDACTED]","id":1}"#),
    ]);
}

#[test]
fn law_6_strings_are_searched_and_so_are_names() {
    let token = format!("ghp_{}", "a1".repeat(18));
    check(&[
        (&format!(r#"{{"{token}":"see {token}"}}"#), r#"{"[REDACTED]":"see [REDACTED]"}"#),
        (r#""Authorization: Bearer abc""#, r#""Authorization: Bearer [REDACTED]""#),
        (r#"{"url":"https:\/\/a:b@c","n":1.0}"#, r#"{"url":"https://a:[REDACTED]@c","n":1.0}"#),
        (r#"{"log":"x\npassword=hunter2\n"}"#, r#"{"log":"x\npassword=[REDACTED]\n"}"#),
    ]);
}

#[test]
fn law_6_json_inside_of_strings_is_walked() {
    check(&[
        (r#"{"a":"{\"auth\":{\"v\":1},\"n\":1.0}"}"#, r#"{"a":"{\"auth\":\"[REDACTED]\",\"n\":1.0}"}"#),
        (r#""[{\"token\":\"x\"}]""#, r#""[{\"token\":\"[REDACTED]\"}]""#),
    ]);
    let redactor = Redactor::default();
    for levels in 1..14 {
        let nest = |secret: &str| {
            let first = format!(r#"{{"password":"{secret}","n":1.0}}"#);
            (1..levels).fold(first, |json, _| serde_json::to_string(&json).unwrap())
        };
        assert_eq!(redactor.redact_json(&nest("hunter2")), nest("[REDACTED]"), "{levels} levels");
    }
}

#[test]
fn several_values_in_one_text_are_walked_like_one() {
    let lines = "{\"auth\":{\"v\":1}}\n{\"n\":1.0}\n";
    let redactor = Redactor::default();
    assert_eq!(redactor.redact_text(lines), "{\"auth\":\"[REDACTED]\"}\n{\"n\":1.0}\n");
    assert_eq!(redactor.redact_json(lines), r#"{"error":"redaction_failed"}"#, "it is not one value");
}

#[test]
fn law_6_what_claims_to_be_json_and_is_not_is_replaced() {
    let redactor = Redactor::default();
    for broken in [
        "",
        "{",
        "[1,]",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r"{a:1}",
        "nope",
        r#"["\x"]"#,
        r#""open"#,
        "[1}",
        "1 2",
        r#"{"token":[}"#,
    ] {
        assert_eq!(redactor.redact_json(broken), r#"{"error":"redaction_failed"}"#, "{broken}");
    }
    assert!(matches!(redactor.redact_json(r#"{"error":"redaction_failed"}"#), Cow::Borrowed(_)));
}

#[test]
fn law_6_what_stands_too_deep_is_replaced_and_the_rest_stays() {
    let redactor = Redactor::new(&RedactConfig::default().with_max_depth(3)).unwrap();
    let json = r#"{"a":[[[{"password":"x"}]],1.0]}"#;
    assert_eq!(redactor.redact_json(json), r#"{"a":[[{"error":"redaction_failed"}],1.0]}"#);
    let bomb = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let redacted = Redactor::default().redact_json(&bomb);
    serde_json::from_str::<serde_json::Value>(&redacted.replace(r#"{"error":"redaction_failed"}"#, "1"))
        .unwrap();
}

#[test]
fn law_6_what_is_larger_than_the_limit_is_replaced() {
    let redactor = Redactor::new(&RedactConfig::default().with_max_bytes(30)).unwrap();
    assert_eq!(redactor.redact_text(&"x".repeat(31)), "[REDACTION_FAILED]");
    assert_eq!(redactor.redact_json(&format!("[{}]", "1,".repeat(20))), r#"{"error":"redaction_failed"}"#);
    assert_eq!(redactor.redact_text("[REDACTION_FAILED]"), "[REDACTION_FAILED]");
    assert_eq!(redactor.redact_text("short"), "short");
}

#[test]
fn a_large_clean_text_stays() {
    let text = "a word and a number 12, ".repeat(200_000);
    assert!(matches!(Redactor::default().redact_text(&text), Cow::Borrowed(_)));
}
