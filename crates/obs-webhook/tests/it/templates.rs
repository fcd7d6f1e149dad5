//! Templates of the configuration, over records that try to break out of them.

use obs_core::{Batch, ErrorKind, Exporter, Level, Log, Payload, Rejection, Signal};
use obs_testkit::fixtures::{NASTY_TEXTS, at};
use obs_testkit::{CaptureServer, fixtures};
use obs_webhook::{Format, Per, Shape, Template, WebhookConfig, WebhookExporter};
use serde_json::{Value, json};

use crate::server::{self, log_of, logs, many, sent};

fn log(nth: u64, message: &str) -> Log {
    Log::new(at(nth), Level::Info, message.to_owned())
}

#[tokio::test]
async fn a_template_sees_the_batch() {
    let template = r#"{"v": {{ v }}, "signal": {{ signal }}, "count": {{ count }}, "service": {{ service }},
        "environment": {{ environment }}, "host": {{ host }}, "now": {{ now|seconds }},
        "first": {{ records[0].message }}, "levels": {{ records|map(attribute="level")|unique|list }}}"#;
    let batch = logs([log_of(1, "shop", Some("production")), log_of(2, "shop", None)]);
    let (requests, receipt) =
        sent(&batch, |config| config.with_template(Template::per_batch(template))).await;
    assert_eq!((requests.len(), receipt.delivered), (1, 2));
    let wanted = json!({"v": 1, "signal": "logs", "count": 2, "service": "shop", "environment": "production",
        "host": null, "now": 1_768_471_200, "first": "message 1", "levels": ["info"]});
    assert_eq!(requests[0].json().unwrap(), wanted);
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn what_stands_for_a_record_stands_in_its_place() {
    let template = || Template::per_record("{\n\"text\": {{ record.message }}}");
    for (format, shape, bodies) in [
        (
            Format::Json,
            Shape::Object,
            vec![
                r#"{"v":1,"signal":"logs","records":[{
"text": "message 0"},{
"text": "message 1"}]}"#,
            ],
        ),
        (Format::Json, Shape::Array, vec!["[{\n\"text\": \"message 0\"},{\n\"text\": \"message 1\"}]"]),
        (Format::Json, Shape::Record, vec!["{\n\"text\": \"message 0\"}", "{\n\"text\": \"message 1\"}"]),
        (Format::Ndjson, Shape::Object, vec!["{ \"text\": \"message 0\"}\n{ \"text\": \"message 1\"}\n"]),
    ] {
        let (requests, _) =
            sent(&many(2), |config| config.with_template(template()).with_format(format).with_shape(shape))
                .await;
        let sent: Vec<_> = requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
        assert_eq!(sent, bodies, "{format:?} {shape:?}");
    }
}

/// Every text of the fixtures at every place of a template comes out as the same text.
#[tokio::test]
async fn law_6_the_text_of_a_record_stays_a_text() {
    let template = r#"{"a": {{ record.message }}, "b": {{ "run " ~ record.message ~ "\"" }}, "c": [{{ record.message|tojson }}],
        "d": {{ {"x": record.message} }}, {{ "k" ~ record.message }}: 1}"#;
    let breaking = [
        "\"",
        "\", \"admin\": true, \"x\": \"",
        "\\",
        "\\\"",
        "{{ records }}",
        "{% raw %}",
        "}}",
        "],[",
        "\u{2028}",
    ];
    let texts: Vec<&str> = NASTY_TEXTS.into_iter().chain(breaking).collect();
    let batch = logs(texts.iter().zip(0..).map(|(text, nth)| log(nth, text)));
    let (requests, receipt) =
        sent(&batch, |config| config.with_template(Template::per_record(template)).with_shape(Shape::Array))
            .await;
    assert_eq!(receipt.delivered, texts.len());
    let made = requests[0].json().unwrap();
    for (made, text) in made.as_array().unwrap().iter().zip(&texts) {
        let key = format!("k{text}");
        let wanted = json!({"a": text, "b": format!("run {text}\""), "c": [text], "d": {"x": text}, key: 1});
        assert_eq!(*made, wanted);
    }
}

#[tokio::test]
async fn law_6_every_fixture_goes_through_a_template_as_it_is() {
    for batch in fixtures::all() {
        let (requests, receipt) = sent(&batch, |config| {
            config.with_template(Template::per_record("{{ record }}")).with_shape(Shape::Array)
        })
        .await;
        assert_eq!((receipt.delivered, receipt.rejected_count()), (batch.len(), 0), "{:?}", receipt.rejected);
        let made: Vec<Value> =
            requests.iter().flat_map(|request| request.json().unwrap().as_array().unwrap().clone()).collect();
        for (made, record) in made.iter().zip(batch.to_records()) {
            let mut line = Vec::new();
            record.write_line(&mut line).unwrap();
            // What cannot be read as JSON stands there as text.
            let Ok(line) = serde_json::from_slice::<Value>(&line) else { continue };
            assert_eq!(*made, line["record"]);
        }
    }
}

#[tokio::test]
async fn a_record_that_fails_is_refused_and_sinks_nobody() {
    let fails = "{% if record.message == \"bad\" %}{{ record.nothing }}{% endif %}{{ record.message }}";
    let all = "[{% for r in records %}{% if r.message == \"bad\" %}{{ r.nothing }}{% endif %}{{ r.message }}\
               {% if not loop.last %},{% endif %}{% endfor %}]";
    let batch = logs(["a", "bad", "b", "bad", "c"].iter().zip(0..).map(|(text, nth)| log(nth, text)));
    for (template, shape) in
        [(Template::per_record(fails), Shape::Array), (Template::per_batch(all), Shape::Object)]
    {
        let (requests, receipt) =
            sent(&batch, |config| config.with_template(template).with_shape(shape)).await;
        assert_eq!((receipt.delivered, receipt.rejected_count(), requests.len()), (3, 2, 1));
        assert_eq!(requests[0].json().unwrap(), json!(["a", "b", "c"]));
        for rejection in &receipt.rejected {
            assert_eq!((rejection.kind, rejection.count), (ErrorKind::Encode, 1));
            assert!(
                rejection.reason.contains("line 1") && rejection.reason.contains("undefined"),
                "{}",
                rejection.reason
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_json_or_nothing_at_all_is_refused() {
    for (template, reason) in [
        ("{\"a\": {{ count }}", "no JSON"),
        ("{{ count }} {{ count }}", "no JSON"),
        ("{% if count == 0 %}1{% endif %}", "nothing was made of it"),
    ] {
        let (requests, receipt) =
            sent(&many(3), |config| config.with_template(Template::per_batch(template))).await;
        assert_eq!((requests.len(), receipt.rejected_count()), (0, 3), "{template}");
        assert!(receipt.rejected[0].reason.contains(reason), "{}", receipt.rejected[0].reason);
    }
}

#[tokio::test]
async fn records_that_fail_only_together_are_parted() {
    let template = "{% if count > 2 %}{{ nothing }}{% endif %}{{ records|map(attribute=\"message\")|list }}";
    let (requests, receipt) =
        sent(&many(5), |config| config.with_template(Template::per_batch(template))).await;
    assert_eq!(receipt.delivered, 5);
    let made: Vec<Value> =
        requests.iter().flat_map(|request| request.json().unwrap().as_array().unwrap().clone()).collect();
    assert_eq!(made, (0..5).map(|nth| Value::from(format!("message {nth}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn plain_text_has_no_quotes_but_its_own() {
    let server = CaptureServer::start().await;
    let config = server::config(&server)
        .with_format(Format::Text)
        .with_template(Template::per_record("{{ signal }}: \"{{ record.message }}\""));
    server::exporter(config).export(&many(2)).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(String::from_utf8_lossy(&request.body), "logs: \"message 0\"\nlogs: \"message 1\"");
}

#[tokio::test]
async fn a_loop_without_end_costs_its_records_and_nothing_else() {
    let template = "{% for a in records %}{% for b in records %}{% for c in records %}{% if c.message == \"\" %}x{% endif %}\
                    {% endfor %}{% endfor %}{% endfor %}1";
    let template = Template::per_batch(template).with_fuel(10_000);
    let (requests, receipt) = sent(&many(64), |config| config.with_template(template)).await;
    assert_eq!(receipt.delivered + receipt.rejected_count(), 64);
    assert!(receipt.delivered == 64 && requests.len() > 1, "halves need fewer steps");
}

#[tokio::test]
async fn a_batch_that_costs_too_much_again_and_again_is_given_up() {
    let template = "{% for a in record.data %}{% for b in record.data %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}1";
    let all = template.replace("record.", "records[0].");
    for template in [Template::per_record(template), Template::per_batch(all)] {
        let batch = logs((0..200).map(|nth| {
            let mut log = log(nth, "m");
            log.data = Some(Payload::from(format!("[{}1]", "1,".repeat(99))));
            log
        }));
        let (requests, receipt) =
            sent(&batch, |config| config.with_template(template.with_fuel(5_000))).await;
        assert_eq!((requests.len(), receipt.rejected_count()), (0, 200));
        let given_up = |rejection: &&Rejection| rejection.reason.contains("64 renderings");
        let given_up: usize = receipt.rejected.iter().filter(given_up).map(|rejection| rejection.count).sum();
        assert!((130..=140).contains(&given_up), "{given_up}");
        assert!(receipt.rejected.iter().any(|rejection| rejection.reason.contains("more steps than `fuel`")));
    }
}

#[test]
fn limits_of_no_use_and_without_end_are_refused_at_construction() {
    let said = |template: Template| {
        WebhookExporter::new(WebhookConfig::new("https://h").with_template(template)).unwrap_err().to_string()
    };
    let template = || Template::per_batch("{{ records }}");
    for fuel in [0, 999, 100_000_001] {
        assert!(said(template().with_fuel(fuel)).starts_with("payload_transformer.fuel: "), "{fuel}");
    }
    for max_output in [0_u64, 1_023, (64 << 20) + 1] {
        let said = said(template().with_max_output(max_output));
        assert!(said.starts_with("payload_transformer.max_output: "), "{said}");
    }
    let array = WebhookConfig::new("https://h").with_shape(Shape::Array).with_template(template());
    let said = WebhookExporter::new(array).unwrap_err().to_string();
    assert!(said.starts_with("shape: ") && said.contains("per: record"), "{said}");
}

#[test]
fn what_does_not_compile_is_refused_at_construction() {
    let config =
        |template: &str| WebhookConfig::new("https://h").with_template(Template::per_batch(template));
    let said = |template: &str| WebhookExporter::new(config(template)).unwrap_err().to_string();
    let quoted = said("{\n  \"text\": \"run {{ name }}\"\n}");
    assert!(
        quoted.starts_with("payload_transformer.template: line 2: a placeholder stands between quotes"),
        "{quoted}"
    );
    assert!(said("{{ records | }}").starts_with("payload_transformer.template: line 1: syntax error"));
}

#[test]
fn a_template_is_read_from_a_file_s_words() {
    let json = r#"{"endpoint": "https://h", "payload_transformer": {"template": "{{ record }}", "per": "record", "max_output": "2MB"}}"#;
    let config: WebhookConfig = serde_json::from_str(json).unwrap();
    let wanted = Template::per_record("{{ record }}").with_max_output(2_000_000);
    assert_eq!(wanted.per, Per::Record);
    assert_eq!(config, WebhookConfig::new("https://h").with_template(wanted));
    let unknown = r#"{"endpoint": "https://h", "payload_transformer": {"templat": "x"}}"#;
    let said = serde_json::from_str::<WebhookConfig>(unknown).unwrap_err().to_string();
    assert!(said.contains("did you mean `template`?"), "{said}");
}

#[tokio::test]
async fn spans_and_their_errors_are_read_as_the_canonical_json_has_them() {
    let template = "{{ [record.ended.name, record.ended.type, record.ended.status|default(\"unset\")] }}";
    let batch = fixtures::batch(Signal::Traces);
    let Batch::Traces(records) = &batch else { unreachable!() };
    let ended = Batch::Traces(records.iter().filter(|record| record.ended().is_some()).cloned().collect());
    let (requests, receipt) =
        sent(&ended, |config| config.with_template(Template::per_record(template)).with_shape(Shape::Array))
            .await;
    assert_eq!((receipt.delivered, receipt.rejected_count()), (ended.len(), 0), "{:?}", receipt.rejected);
    assert!(
        requests[0]
            .json()
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .all(|made| made[0].is_string() && made[2].is_string())
    );
}
