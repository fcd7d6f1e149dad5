//! The tree of a trace.

use obs_console::{RenderOptions, render_trace};
use obs_core::{Span, Timestamp, Trace};

use crate::sample;

#[test]
fn a_run_reads_from_top_to_bottom() {
    insta::assert_snapshot!(render_trace(&sample::trace(), &RenderOptions::default()));
}

#[test]
fn a_narrow_terminal_gets_narrow_lines() {
    insta::assert_snapshot!(render_trace(&sample::trace(), &RenderOptions::default().with_width(64)));
}

#[test]
fn colours_change_nothing_but_the_looks() {
    let plain = render_trace(&sample::trace(), &RenderOptions::default().with_ids(true));
    let colored = render_trace(&sample::trace(), &RenderOptions::default().with_ids(true).with_color(true));
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, sequence)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = sequence.split_once('m').unwrap().1;
    }
    assert_eq!(stripped + rest, plain);
    insta::assert_snapshot!(colored.replace('\x1b', "ESC"));
}

#[test]
fn payloads_can_be_left_out() {
    let page = render_trace(&sample::trace(), &RenderOptions::default().with_payloads(false));
    assert!(!page.contains("What does"), "{page}");
    assert!(!page.contains("prefers short answers"), "{page}");
}

#[test]
fn a_trace_of_which_only_a_log_is_known_is_shown() {
    let mut trace = Trace::new(sample::trace_id());
    trace.logs = sample::trace().logs;
    insta::assert_snapshot!(render_trace(&trace, &RenderOptions::default()));
}

#[test]
fn a_deep_trace_is_printed_without_recursion_within_its_width() {
    let mut trace = Trace::new(sample::trace_id());
    for n in 1..=20_000 {
        let mut span = Span::new(trace.trace_id, sample::id(n), "level", Timestamp::from_nanos(n));
        span.parent_span_id = (n > 1).then(|| sample::id(n - 1));
        trace.spans.push(span);
    }
    let page = render_trace(&trace, &RenderOptions::default().with_width(80));
    assert_eq!(page.lines().count(), 20_004);
    assert!(page.lines().all(|line| line.chars().count() <= 80));
}
