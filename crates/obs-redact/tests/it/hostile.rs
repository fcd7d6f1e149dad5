//! Text made to take long.

use std::time::Duration;

use obs_redact::Redactor;

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

/// A bound that only more than linear time breaks: the slowest of these takes a fraction of a second without
/// optimisation, and took minutes where it was quadratic.
const BOUND: Duration = Duration::from_secs(20);

#[test]
#[expect(clippy::disallowed_methods, reason = "the time that really passes is what is tested")]
fn no_text_takes_more_than_linear_time() {
    let redactor = Redactor::default();
    for part in PARTS {
        let text = part.repeat(150_000 / part.len());
        let start = std::time::Instant::now();
        let _ = redactor.redact_text(&text);
        let _ = redactor.redact_json(&text);
        let _ = redactor.redact_json(&serde_json::Value::from(text).to_string());
        assert!(start.elapsed() < BOUND, "{part} took {:?}", start.elapsed());
    }
}
