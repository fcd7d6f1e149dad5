//! Whether what does not arrive as it should is told.

use obs_core::{Signal, SpanId, TraceId};

use super::judge::{Count, judge};
use super::listed::Carried;
use super::place::Arrival;
use super::scene::Sent;
use super::*;

fn sent() -> Sent {
    let span = |id| SpanId::new(id).unwrap();
    Sent { trace: TraceId::new(1).unwrap(), root: span(2), span: span(3) }
}

/// An exporter that takes traces with all ids, logs with the span alone, and scores with none.
fn one() -> Listed {
    const NONE: Carried = Carried { trace: None, span: None, why: "" };
    let all =
        Carried { trace: Some(|sent| sent.trace.to_string()), span: Some(|span| span.to_string()), why: "" };
    let span = Carried { trace: None, ..all };
    let open = |_: &Ground| anyhow::bail!("nobody opens it");
    Listed { name: "obs-a", open, carried: [all, NONE, span, NONE, NONE] }
}

const PROMISED: [bool; Signal::COUNT] = [true, false, true, true, false];

fn ids(signal: Signal, trace: Option<u128>, span: Option<u64>) -> Arrival {
    let trace = trace.map(|id| format!("{id:032x}"));
    let span = span.map(|id| format!("{id:016x}"));
    Arrival::new(signal, trace.as_deref(), span.as_deref())
}

/// What arrives where all is well: both spans at once, a log, a score.
fn well() -> Vec<Vec<Arrival>> {
    vec![
        vec![ids(Signal::Traces, Some(1), Some(2)), ids(Signal::Traces, Some(1), Some(3))],
        vec![ids(Signal::Logs, None, Some(3))],
        vec![ids(Signal::Scores, None, None)],
        Vec::new(),
    ]
}

#[test]
fn what_arrives_as_promised_is_counted() {
    let judged = judge(&one(), PROMISED, &well(), &sent());
    assert_eq!(judged.wrong, Vec::<String>::new());
    let count = |carriers, records| Count { carriers, records };
    assert_eq!(judged.counts, [count(1, 2), count(0, 0), count(1, 1), count(1, 1), count(0, 0)]);
    let table = table::table(&[(&one(), "request", judged)]);
    let lines: Vec<_> =
        table.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect()).collect();
    let cells: Vec<&str> = lines.into_iter().nth(1).unwrap();
    let wanted = [
        "obs-a",
        "2 in 1 request, trace and span",
        " –",
        " 1 in 1 request, span",
        " 1 in 1 request, no ids",
        "–",
    ];
    assert_eq!(cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>(), wanted.map(str::trim));
}

#[test]
fn whatever_does_not_arrive_as_promised_is_told() {
    let call = "00000000000000000000000000000001";
    let [root, span, other] = ["0000000000000002", "0000000000000003", "0000000000000009"];
    for (at, arrivals, said) in [
        (0, vec![], vec!["traces: nothing arrived, and the matrix says it is taken".to_owned()]),
        (
            0,
            vec![ids(Signal::Traces, Some(1), Some(3))],
            vec![format!("traces: nothing of span {root} arrived")],
        ),
        (
            0,
            vec![ids(Signal::Traces, Some(1), Some(2))],
            vec![format!("traces: nothing of span {span} arrived")],
        ),
        (
            1,
            vec![ids(Signal::Logs, Some(1), Some(3))],
            vec![format!("logs: its trace is {call}, and none is that of the call")],
        ),
        (
            1,
            vec![ids(Signal::Logs, None, Some(9))],
            vec![
                format!("logs: its span is {other}, and {span} is that of the call"),
                format!("logs: nothing of span {span} arrived"),
            ],
        ),
        (
            1,
            vec![ids(Signal::Logs, None, Some(2)), ids(Signal::Logs, None, Some(3))],
            vec![format!("logs: its span is {root}, and {span} is that of the call")],
        ),
        (
            1,
            vec![ids(Signal::Logs, None, Some(3)), ids(Signal::Logs, None, None)],
            vec![format!("logs: its span is none, and {span} is that of the call")],
        ),
        (
            3,
            vec![ids(Signal::Metrics, None, None)],
            vec!["metrics: it arrived, and the matrix says it is not taken".to_owned()],
        ),
        (
            0,
            vec![ids(Signal::Traces, Some(9), Some(2)), ids(Signal::Traces, Some(1), Some(3))],
            vec![format!(
                "traces: its trace is 00000000000000000000000000000009, and {call} is that of the call"
            )],
        ),
    ] {
        let mut carriers = well();
        carriers[at] = arrivals;
        assert_eq!(judge(&one(), PROMISED, &carriers, &sent()).wrong, said);
    }
}

#[test]
fn an_exporter_without_a_line_and_a_line_without_an_exporter_are_told() {
    assert_eq!(unlisted(LISTED), Vec::<String>::new());
    let told = unlisted(&[one()]);
    assert_eq!(told.len(), EXPORTERS.len() + 1);
    assert_eq!(told[0], "obs-json has no line in xtask/linked/src/arrivals/listed.rs");
    assert_eq!(told.last().map(String::as_str), Some("obs-a is no exporter of EXPORTERS"));
}
