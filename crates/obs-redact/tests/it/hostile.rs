//! Text made to take long.

use std::time::Duration;

use obs_redact::{Pii, RedactConfig, Redactor};

/// What makes a search start and then fail, or reach far.
const PARTS: &[&str] = &[
    "password:",
    "password=",
    "password=\"",
    "password='",
    "token: \"",
    "password: a ",
    "password=\"a\\\"",
    "password=\"\\\\",
    "\\\"password\\\":\\\"",
    "\"password\":\"\\\\\\\"",
    "\"password\":[",
    "'password':{\"",
    "{\"auth\":",
    "{\"auth\":{",
    "Cookie: a=",
    "Cookie:a",
    "Authorization: digest ",
    "Authorization:",
    "sk-",
    "xoxb-",
    "sk-xoxb-tvly-eyJ-",
    "eyJ-",
    "eyJ",
    "eyJabcdefghijklm.",
    "eyJabcdefghijklm.aaaaaaaaaaaa-",
    "sk-ant-",
    "AKIA",
    "NRAL-",
    "SG.a",
    "&sig=",
    "--token ",
    "bearer ",
    "Bearer a ",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "hooks.slack.com/services/",
    "://",
    "://a",
    "://a:",
    "://a:b",
    "://@",
    "a@b:c//",
    "[",
    "{\"a\":",
    "{\"a\":\"{",
    "\"a\":\"\\\"",
    "\\",
    "\"",
    "\"\\\"",
    "\"\\\\",
    "[\"\\n{",
    ": ",
    "=",
    "a=1&",
    "x\\n",
];

/// The same for personal data.
const PERSONAL: &[&str] = &["a@b.co1", "a@b.co_", "+1 2 3", "41111111", "DE89 ", "12-34-", "1.2.3.", "ab:"];

/// A bound that only more than linear time breaks: the slowest of these takes a fraction of a second without
/// optimisation, and took minutes where it was quadratic.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn no_text_takes_more_than_linear_time() {
    let texts = PARTS.iter().map(|part| part.repeat(150_000 / part.len()));
    search(&Redactor::default(), texts);
}

#[test]
fn nor_does_the_search_for_personal_data() {
    let all = [Pii::Email, Pii::Phone, Pii::Iban, Pii::Card, Pii::UsSsn, Pii::Ip];
    let repeated = PERSONAL.iter().map(|part| part.repeat(150_000 / part.len()));
    let long = [format!("{}@b.co1", "a".repeat(150_000)), format!("a@{}.co1", "b".repeat(150_000))];
    search(&Redactor::new(&RedactConfig::default().with_pii(all)).unwrap(), repeated.chain(long));
}

#[expect(clippy::disallowed_methods, reason = "the time that really passes is what is tested")]
fn search(redactor: &Redactor, texts: impl Iterator<Item = String>) {
    for text in texts {
        let start = std::time::Instant::now();
        let _ = redactor.redact_text(&text);
        let _ = redactor.redact_json(&text);
        let _ = redactor.redact_json(&serde_json::Value::from(&*text).to_string());
        assert!(start.elapsed() < BOUND, "{:.40} took {:?}", text, start.elapsed());
    }
}
