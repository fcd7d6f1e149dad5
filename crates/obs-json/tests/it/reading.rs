//! Reading back what is good, and saying what is not.

use obs_core::{Batch, LineError, Signal};
use obs_json::{BadLine, BadLineCause, Lines, read_lines};
use obs_testkit::fixtures;
use proptest::prelude::*;

fn line() -> String {
    let mut line = Vec::new();
    fixtures::batch(Signal::Logs).slice(0..1).write_lines(&mut line, |_, error| panic!("{error}"));
    String::from_utf8(line).unwrap()
}

fn bad(text: &[u8]) -> Vec<BadLine> {
    Lines::new(text, "telemetry.jsonl").filter_map(Result::err).collect()
}

#[test]
fn each_bad_line_is_named_with_its_cause_and_the_rest_is_read() {
    let newer = line().replacen("\"v\":1", "\"v\":9", 1);
    let text = [
        line().as_bytes(),
        b"\n  \r\n",
        b"{\"v\":1,\"signal\":\"logs\"}\n",
        newer.as_bytes(),
        b"\xff\xfe\n",
        line().trim_end().as_bytes(),
    ]
    .concat();
    let read: Vec<_> = Lines::new(&text[..], "telemetry.jsonl").collect();
    assert_eq!(read.iter().filter(|record| record.is_ok()).count(), 2);
    let said: Vec<String> = bad(&text).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    telemetry.jsonl:4: not a record in obs's canonical JSON: missing field `record` at line 1 column 23
    telemetry.jsonl:5: written in version 9 of the canonical JSON, this build reads up to 1: update obs
    telemetry.jsonl:6: not UTF-8 text: invalid utf-8 sequence of 1 bytes from index 0
    ");
    assert!(matches!(bad(&text)[1].cause, BadLineCause::Record(LineError::Version { found: 9 })));
}

#[test]
fn a_line_over_the_limit_is_skipped_without_being_held() {
    let text = format!("{}{}\n{}", line(), "x".repeat(100_000), line());
    let lines = Lines::new(text.as_bytes(), "a").with_max_line_bytes(5_000);
    let read: Vec<_> = lines.collect();
    assert!(read[0].is_ok() && read[2].is_ok());
    let bad = read[1].as_ref().unwrap_err();
    assert_eq!(bad.to_string(), "a:2: longer than 5000 bytes; raise the limit to read it");
    let longest = line().len() - 1;
    let read: Vec<_> = Lines::new(line().as_bytes(), "a").with_max_line_bytes(longest).collect();
    assert!(read[0].is_ok(), "the newline does not count");
}

#[test]
fn a_file_that_is_not_there_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = read_lines(dir.path().join("missing.jsonl")).unwrap_err();
    assert!(error.to_string().contains("missing.jsonl"), "{error}");
    let error = read_lines(dir.path()).unwrap_err();
    assert!(error.to_string().contains("it is a folder"), "{error}");
}

proptest! {
    #[test]
    fn a_file_cut_anywhere_loses_at_most_the_line_it_is_cut_in(cut in 0usize..40_000) {
        let batch = fixtures::batch(Signal::Scores);
        let mut text = Vec::new();
        batch.write_lines(&mut text, |_, error| panic!("{error}"));
        let cut = cut.min(text.len());
        let whole = text[..cut].split(|byte| *byte == b'\n').count() - 1;
        let read: Vec<_> = Lines::new(&text[..cut], "cut").collect();
        let (good, torn): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
        prop_assert!(good.len() == whole || good.len() == whole + 1, "{} of {whole}", good.len());
        prop_assert!(torn.len() <= 1);
        for bad in torn.into_iter().filter_map(Result::err) {
            prop_assert!(matches!(bad.cause, BadLineCause::Torn), "{}", bad);
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_stop(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = [&bytes[..], b"\n", line().as_bytes()].concat();
        let last = Lines::new(&text[..], "noise").last();
        prop_assert!(last.is_some_and(|last| last.is_ok()));
    }
}

#[test]
fn an_empty_batch_writes_nothing() {
    let mut text = Vec::new();
    Batch::empty(Signal::Logs).write_lines(&mut text, |_, error| panic!("{error}"));
    assert_eq!(Lines::new(&text[..], "a").count(), 0);
}
