//! Prints how many megabytes a second are searched, for texts of several kinds.
//!
//! Run it with `cargo run --release -p obs-redact --example redact-throughput`; a word behind `--` chooses the kinds whose
//! names hold it.

use std::hint::black_box;
use std::time::Duration;

use obs_redact::Redactor;

const PROSE: &str = "The agent read four documents about the billing service and compared what they say of refunds. \
    Two of them agree: a refund is made within ten days, to the card that paid, unless the customer asks for credit. \
    The third, from 2023, names another time limit; the model used 1,204 prompt_tokens to find that out. ";

const CODE: &str = "fn total(items: &[Item], rate: f64) -> Result<Money, Error> {\n    let mut sum = Money::zero();\n    \
    for item in items.iter().filter(|item| item.price > 0) {\n        sum += item.price * rate; // id: 4f1c\n    }\n    \
    Ok(sum)\n}\n";

const SECRET: &str = "log in with password=hunter2 at https://bob:s3cret@example.com and send \
    Authorization: Bearer abc.def.ghi to it; the other key was sk-ant-api03-0123456789abcdef0123456789. ";

fn message(role: &str, content: &str) -> String {
    let content = content.replace('\n', "\\n");
    format!(
        r#"{{"role":"{role}","content":"{content}","usage":{{"input_tokens":1204,"output_tokens":88}},"id":"msg_01Xa"}}"#
    )
}

fn repeated(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len() + 1)
}

fn list(item: &str, bytes: usize) -> String {
    format!("[{}]", vec![item; bytes / item.len() + 1].join(","))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// The best of many short rounds, since others use the machine too.
fn measure(name: &str, text: &str, redact: impl Fn(&str) -> usize) {
    if !std::env::args().nth(1).is_none_or(|part| name.contains(&part)) {
        return;
    }
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = now();
        black_box(redact(black_box(text)));
        best = best.min(start.elapsed());
    }
    let speed = text.len() as f64 / best.as_secs_f64() / 1e6;
    println!("{name:<44} {:>7} kB {speed:>8.0} MB/s", text.len() / 1000);
}

fn main() {
    let redactor = Redactor::default();
    let text = |text: &str| redactor.redact_text(text).len();
    let json = |text: &str| redactor.redact_json(text).len();
    let size = 400_000;
    measure("clean prose", &repeated(PROSE, size), text);
    measure("clean code", &repeated(CODE, size), text);
    measure("clean JSON, long strings", &list(&message("user", &PROSE.repeat(8)), size), json);
    measure("clean JSON, short strings", &list(&message("user", "Yes, please."), size), json);
    measure("clean JSON, escaped strings", &list(&message("user", &CODE.repeat(8)), size), json);
    measure(
        "clean JSON inside of a JSON string",
        &serde_json::json!(list(&message("user", PROSE), size)).to_string(),
        json,
    );
    measure("clean event of 2 kB", &message("assistant", &PROSE.repeat(6)), json);
    measure("prose, one secret in 400 kB", &format!("{}{SECRET}", repeated(PROSE, size)), text);
    measure("prose, a tenth of it secrets", &repeated(&format!("{}{SECRET}", PROSE.repeat(6)), size), text);
    measure("nothing but secrets", &repeated(SECRET, size), text);
    measure(
        "JSON, a tenth of it secrets",
        &list(&message("user", &format!("{}{SECRET}", PROSE.repeat(6))), size),
        json,
    );
}
