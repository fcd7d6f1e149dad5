//! Secrets in running text, by the name before them.

use obs_redact::Redactor;

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let redactor = Redactor::default();
    for (text, expected) in cases {
        assert_eq!(redactor.redact_text(text), *expected, "{text}");
        assert_eq!(redactor.redact_text(expected), *expected, "once more");
    }
}

#[test]
fn law_6_pairs_in_logs_queries_and_variables() {
    check(&[
        ("login failed: password=hunter2 user=bob", "login failed: password=[REDACTED] user=bob"),
        ("password=hunter, user=bob", "password=[REDACTED], user=bob"),
        ("GET /x?api_key=a1b2c3&page=2", "GET /x?api_key=[REDACTED]&page=2"),
        ("export DB_PASSWORD=s3cr(et", "export DB_PASSWORD=[REDACTED]"),
        ("OPENAI_API_KEY=abcdef\nPATH=/bin", "OPENAI_API_KEY=[REDACTED]\nPATH=/bin"),
        ("access_token: 4f7a9c21", "access_token: [REDACTED]"),
        ("dsn=host1;user=x", "dsn=[REDACTED];user=x"),
        ("ssn: 123-45-6789", "ssn: [REDACTED]"),
        ("token=abc123def", "token=[REDACTED]"),
        ("client_secret = 'x y'", "client_secret = '[REDACTED]'"),
        ("passphrase: \"correct horse battery\"", "passphrase: \"[REDACTED]\""),
        ("apiKey := \"k1\"", "apiKey := \"[REDACTED]\""),
        ("config[\"password\"] = \"hunter2\"", "config[\"password\"] = \"[REDACTED]\""),
        ("const API_KEY: &'static str = \"k1\";", "const API_KEY: &'static str = \"[REDACTED]\";"),
        ("let dbPassword: string = 'hunter'", "let dbPassword: string = '[REDACTED]'"),
        ("'password' => 'hunter2'", "'password' => '[REDACTED]'"),
    ]);
}

#[test]
fn law_6_headers() {
    check(&[
        ("Authorization: Bearer abc", "Authorization: Bearer [REDACTED]"),
        ("authorization: bearer abc", "authorization: bearer [REDACTED]"),
        ("-H 'Authorization: Basic dXNlcjpwdw==' -v", "-H 'Authorization: Basic [REDACTED]' -v"),
        ("Proxy-Authorization: Token 12", "Proxy-Authorization: Token [REDACTED]"),
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature=z\nHost: a",
            "Authorization: AWS4-HMAC-SHA256 [REDACTED]\nHost: a",
        ),
        ("Cookie: sid=a; theme=b\r\nHost: a", "Cookie: [REDACTED]\r\nHost: a"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: [REDACTED]"),
        ("X-Api-Key: 0123abcd", "X-Api-Key: [REDACTED]"),
    ]);
}

#[test]
fn law_6_json_that_does_not_parse() {
    check(&[
        (r#"said: {"password":"hunter2"} ok"#, r#"said: {"password":"[REDACTED]"} ok"#),
        (r#"{"a":1,"password":"hunt"#, r#"{"a":1,"password":"[REDACTED]"#),
        (r#"{"auth": {"v": "x", "w": [1"#, r#"{"auth": "[REDACTED]""#),
        (r#"x {"auth":{"v":"}"},"b":1}"#, r#"x {"auth":"[REDACTED]","b":1}"#),
        (r#"x {"pin":1,"ssn":123456789}"#, r#"x {"pin":1,"ssn":"[REDACTED]"}"#),
        (r#"x {\"password\": \"hunter2\", \"b\": 1}"#, r#"x {\"password\": \"[REDACTED]\", \"b\": 1}"#),
        (r#"x {\"ssn\": 12, \"b\": 1}"#, r#"x {\"ssn\": \"[REDACTED]\", \"b\": 1}"#),
        ("{'password': 'hunter2', 'n': None}", "{'password': '[REDACTED]', 'n': None}"),
        (r#"{"token": null, "auth": true, "x": "#, r#"{"token": null, "auth": true, "x": "#),
        (r#"x {"password":"a\"b","c":1}"#, r#"x {"password":"[REDACTED]","c":1}"#),
    ]);
}

#[test]
fn a_name_in_front_decides_before_the_text_does() {
    let redactor = Redactor::default();
    assert_eq!(redactor.redact_value(Some("dbPassword"), "blue"), "[REDACTED]");
    assert_eq!(redactor.redact_value(Some("dbPassword"), ""), "");
    assert_eq!(redactor.redact_value(Some("colour"), "blue"), "blue");
    assert_eq!(redactor.redact_value(Some("colour"), "password=blue12"), "password=[REDACTED]");
    assert_eq!(redactor.redact_value(None, r#"{"token":"x"}"#), r#"{"token":"[REDACTED]"}"#);
    assert_eq!(redactor.redact_json_value(Some("auth"), r#"{"v":1}"#), r#""[REDACTED]""#);
    assert_eq!(redactor.redact_json_value(Some("auth"), "null"), "null");
    assert_eq!(redactor.redact_json_value(Some("x"), "[1.0]"), "[1.0]");
}

#[test]
fn law_6_a_label_beside_its_value_counts_in_text_as_in_json() {
    check(&[
        (
            r#"sent [{"name":"x-api-key","value":"abc"},{"name":"accept","value":"y"}]"#,
            r#"sent [{"name":"x-api-key","value":"[REDACTED]"},{"name":"accept","value":"y"}]"#,
        ),
        (r#"[{"key":"Authorization","value":"ab"#, r#"[{"key":"Authorization","value":"[REDACTED]"#),
        (r#"[{"key":"db.password","value":{"s":"a"#, r#"[{"key":"db.password","value":"[REDACTED]""#),
        (
            r#"x {\"header\" : \"Cookie\" , \"value\" : \"a\"}"#,
            r#"x {\"header\" : \"Cookie\" , \"value\" : \"[REDACTED]\"}"#,
        ),
        (r#"x {"key":"http.method","value":"GET"}"#, r#"x {"key":"http.method","value":"GET"}"#),
        (r#"x {"key":"abc","id":1}"#, r#"x {"key":"[REDACTED]","id":1}"#),
        (r#"x {"name":"password"} {"value":"a"}"#, r#"x {"name":"password"} {"value":"a"}"#),
    ]);
}

/// Wherever a tool or a log cuts JSON off, no piece of the secret that still stands behind its name is left.
#[test]
fn law_6_json_cut_anywhere() {
    let inner = r#"{"token":"hunter2-in","h":[{"name":"Cookie","value":"hunter2-co"}]}"#;
    let json = serde_json::json!({
        "a": 1, "password": "hunter2-a", "auth": { "v": ["hunter2-b"] },
        "headers": [{ "name": "Authorization", "value": "hunter2-c" }, { "key": "x-api-key", "value": "hunter2-d" }],
        "said": inner, "deep": serde_json::json!({ "said": inner }).to_string(),
    });
    let redactor = Redactor::default();
    for json in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
        for end in 0..=json.len() {
            for text in [&json[..end], &format!("the tool said {}", &json[..end])] {
                let once = redactor.redact_text(text);
                assert!(!once.contains("hun"), "{text}\n-> {once}");
                assert_eq!(redactor.redact_text(&once), once, "{text}");
            }
        }
    }
}
