//! Whether what arrived is what was recorded.

use obs_core::Signal;
use obs_pipeline::Report;

use super::listed::{Carried, Listed};
use super::place::{Arrival, Carrier};
use super::scene::Sent;

/// What came of an exporter.
#[derive(Debug, PartialEq)]
pub(super) struct Judged {
    /// By signal, how many carriers had some of it, and how many records that were.
    pub(super) counts: [Count; Signal::COUNT],
    /// What is wrong, one line each, each naming the signal.
    pub(super) wrong: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) carriers: usize,
    pub(super) records: usize,
}

/// Holds what arrived against the matrix and against the ids that were recorded.
pub(super) fn judge(
    listed: &Listed,
    promised: [bool; Signal::COUNT],
    carriers: &[Carrier],
    sent: &Sent,
) -> Judged {
    let mut judged = Judged { counts: [Count::default(); Signal::COUNT], wrong: Vec::new() };
    for signal in Signal::ALL {
        let of = |carrier: &Carrier| carrier.iter().filter(|arrival| arrival.signal == signal).count();
        let count = &mut judged.counts[signal.index()];
        count.carriers = carriers.iter().filter(|carrier| of(carrier) > 0).count();
        count.records = carriers.iter().map(of).sum();
        let arrived: Vec<_> = carriers.iter().flatten().filter(|arrival| arrival.signal == signal).collect();
        let carried = &listed.carried[signal.index()];
        let wrong = match (promised[signal.index()], arrived.is_empty()) {
            (true, true) => vec!["nothing arrived, and the matrix says it is taken".to_owned()],
            (false, false) => vec!["it arrived, and the matrix says it is not taken".to_owned()],
            (false, true) => Vec::new(),
            (true, false) => ids(signal, carried, &arrived, sent),
        };
        judged.wrong.extend(wrong.into_iter().map(|wrong| format!("{signal}: {wrong}")));
    }
    judged
}

/// What is wrong with the ids of a signal: each arrival has those of the call, spans those of the run or of the call, both of
/// which are there; and none has ids where none are known to stand.
fn ids(signal: Signal, carried: &Carried, arrived: &[&Arrival], sent: &Sent) -> Vec<String> {
    let trace = carried.trace.map(|spelled| spelled(sent));
    let mut spans = vec![carried.span.map(|spelled| spelled(sent.span))];
    if signal == Signal::Traces {
        spans.push(carried.span.map(|spelled| spelled(sent.root)));
    }
    let mut wrong = Vec::new();
    for arrival in arrived {
        if arrival.trace != trace {
            wrong.push(format!(
                "its trace is {}, and {} is that of the call",
                shown(arrival.trace.as_deref()),
                shown(trace.as_deref())
            ));
        }
        if !spans.contains(&arrival.span) {
            wrong.push(format!(
                "its span is {}, and {} is that of the call",
                shown(arrival.span.as_deref()),
                shown(spans[0].as_deref())
            ));
        }
    }
    let lost = spans.iter().filter(|span| !arrived.iter().any(|arrival| arrival.span == **span));
    wrong.extend(lost.map(|span| format!("nothing of span {} arrived", shown(span.as_deref()))));
    wrong
}

fn shown(id: Option<&str>) -> &str {
    id.unwrap_or("none")
}

/// What the ledger of a destination says that is wrong: all that was offered was delivered, but what the exporter does not
/// take.
pub(super) fn ledger(name: &str, report: &Report) -> Vec<String> {
    let Some(destination) = report.destination(name) else { return vec![format!("{name} has no ledger")] };
    let mut wrong = Vec::new();
    if !report.is_balanced() {
        wrong.push(format!("the ledgers do not balance:\n{report}"));
    }
    for (signal, terms) in destination.signals.iter() {
        let (delivered, filtered, offered) = (terms.delivered, terms.filtered.total(), terms.offered);
        if delivered + filtered != offered || offered == 0 {
            wrong.push(format!(
                "{name}, {signal}: of {offered} offered, {delivered} were delivered and {filtered} filtered"
            ));
        }
    }
    wrong
}
