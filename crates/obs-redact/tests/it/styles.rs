//! What the marks of each style say, and that they are left as they are.

use std::borrow::Cow;

use obs_redact::{HashKey, Pii, RedactConfig, Redactor, Style};

const KEY: &str = "sk-ant-api03-0123456789abcdef0123456789";
const OTHER: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn config(style: Style) -> RedactConfig {
    RedactConfig::default().with_keyed_hash("a key of enough bytes").with_style(style)
}

fn all() -> Vec<Redactor> {
    let styles = [Style::Full, Style::Partial, Style::Indexed, Style::KeyedHash];
    styles.into_iter().flat_map(|style| Redactor::new(&config(style))).collect()
}

#[test]
fn a_token_without_a_closing_sign_hides_no_secret_and_is_refused_for_other_styles() {
    for token in ["*", "XXX"] {
        let config = RedactConfig::default().with_token(token);
        let redactor = Redactor::new(&config.clone().with_pii([Pii::Card])).unwrap();
        let text = r#"{"password":"TOKEN_4111111111111111"}"#.replace("TOKEN", token);
        assert!(!redactor.redact_json(&text).contains("4111"), "{token}");
        for style in [Style::Partial, Style::Indexed] {
            let error = Redactor::new(&config.clone().with_style(style)).unwrap_err().to_string();
            assert!(error.contains("token") && error.contains("sign"), "{error}");
        }
    }
}

#[test]
fn partial_shows_the_ends_of_what_is_long_enough() {
    let redactor = Redactor::new(&config(Style::Partial)).unwrap();
    for (text, expected) in [
        (KEY, "[REDACTED_sk-…789]"),
        ("password=hunter2hunter", "password=[REDACTED]"),
        ("password=hunter2hunter222", "password=[REDACTED_hun…222]"),
        (r#"{"token":"0123456789abcdé","n":1}"#, r#"{"token":"[REDACTED]","n":1}"#),
        (r#"{"token":"0123456789 \"bcdef","n":1}"#, r#"{"token":"[REDACTED_012…def]","n":1}"#),
        (r#"{"auth":{"v":"0123456789abcdef"}}"#, r#"{"auth":"[REDACTED]"}"#),
        (r#"{"ssn":123456789}"#, r#"{"ssn":"[REDACTED]"}"#),
    ] {
        assert_eq!(redactor.redact_text(text), expected);
    }
}

#[test]
fn indexed_gives_the_same_secret_the_same_number_wherever_it_stands() {
    let redactor = Redactor::new(&config(Style::Indexed)).unwrap();
    let text = format!("{KEY} then {OTHER} then {KEY}");
    assert_eq!(redactor.redact_text(&text), "[REDACTED_1] then [REDACTED_2] then [REDACTED_1]");
    let json = format!(r#"{{"a":"{OTHER}","api_key":"{KEY}","x":"{{\"b\":\"{OTHER}\"}}","secret":"a\"b"}}"#);
    assert_eq!(
        redactor.clone().redact_json(&json),
        r#"{"a":"[REDACTED_2]","api_key":"[REDACTED_1]","x":"{\"b\":\"[REDACTED_2]\"}","secret":"[REDACTED_3]"}"#
    );
    assert_eq!(
        redactor.redact_value(Some("password"), "a\"b"),
        "[REDACTED_3]",
        "the text, not how it is written"
    );
    assert_eq!(redactor.redact_json_value(Some("password"), &format!("\"{KEY}\"")), "\"[REDACTED_1]\"");
}

#[test]
fn a_keyed_hash_is_hmac_sha256_and_depends_on_the_key() {
    let hash = |key: &str| {
        let redactor = Redactor::new(&RedactConfig::default().with_keyed_hash(key)).unwrap();
        redactor.redact_value(Some("password"), "hunter2").into_owned()
    };
    // printf hunter2 | openssl dgst -sha256 -hmac 'a key of enough bytes'
    assert_eq!(hash("a key of enough bytes"), "[REDACTED_72850ce86036eb23]");
    assert_ne!(hash("another key of enough bytes"), hash("a key of enough bytes"));
}

#[test]
fn law_6_a_key_is_shown_nowhere_and_must_be_there() {
    let config = RedactConfig::default().with_keyed_hash("a key of enough bytes");
    let redactor = Redactor::new(&config).unwrap();
    let dump = serde_json::to_string(&config).unwrap();
    for shown in
        [format!("{config:?}"), format!("{:?}", HashKey::from("a key of enough bytes")), dump.clone()]
    {
        assert!(!shown.contains("enough"), "{shown}");
    }
    assert!(!format!("{redactor:?}").contains("enough"));
    for unusable in [
        RedactConfig::default().with_style(Style::KeyedHash),
        RedactConfig::default().with_keyed_hash("short"),
        serde_json::from_str(&dump).unwrap(),
    ] {
        let error = Redactor::new(&unusable).unwrap_err().to_string();
        assert!(error.contains("keyed_hash") && error.contains("16 bytes"), "{error}");
    }
}

#[test]
fn every_style_leaves_the_marks_of_every_other() {
    assert_eq!(all().len(), 4);
    let texts = [
        format!("{KEY} and password=hunter2hunter22, Authorization: Bearer abcdef0123456789"),
        format!(
            r#"{{"auth":{{"v":"{KEY}"}},"password":"correct-horse-battery","log":"use {OTHER}, {KEY}"}}"#
        ),
        format!("postgres://app:{OTHER}@db/app and --token abc123abc123abc123 x"),
        "Cookie: sid=abc\nexport DB_PASSWORD=s3cr(et".to_owned(),
        format!(r#"said "password": "{OTHER}" and \"token\": \"{OTHER}\" so"#),
    ];
    for first in all() {
        for text in &texts {
            let once = first.redact_text(text).into_owned();
            assert!(!once.contains(OTHER) && !once.contains(KEY), "{once}");
            for second in all() {
                assert!(matches!(second.redact_text(&once), Cow::Borrowed(_)), "{once}");
            }
        }
    }
}

#[test]
fn a_users_pattern_does_not_reach_into_marks() {
    let config = config(Style::KeyedHash).with_pattern("digits", r"\d{2,}").with_pattern("mark", r"\[\w+\]9");
    let redactor = Redactor::new(&config).unwrap();
    let once = redactor.redact_text("password=hunter2 and 1234").into_owned();
    assert_eq!(once.matches("[REDACTED_").count(), 2, "{once}");
    assert_eq!(redactor.redact_text(&once), once);
}

#[test]
fn law_6_a_value_that_only_begins_like_a_mark_is_none() {
    let redactor = Redactor::new(&RedactConfig::default().with_token("X")).unwrap();
    for (text, expected) in [
        ("password=Xk29fj3s now", "password=X now"),
        ("password=X now", "password=X now"),
        ("postgres://app:X9secret@db/app", "postgres://app:X@db/app"),
        ("Authorization: Bearer Xk29fj3s", "Authorization: Bearer X"),
        (r#"x "password": Xk29fj3s"#, r#"x "password": "X""#),
        ("export DB_PASSWORD=Xk29(fj3s", "export DB_PASSWORD=X"),
    ] {
        assert_eq!(redactor.redact_text(text), expected);
        assert_eq!(redactor.redact_text(expected), expected, "once more");
    }
}
