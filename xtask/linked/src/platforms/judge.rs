//! What a platform was sent, held against what was recorded.

use obs_core::{Record, Signal, SpanRecord};
use obs_pipeline::{DestinationReport, Report, Terms};
use obs_testkit::Captured;

use super::figures::Figures;
use super::wire;
use crate::platform::{Expected, Item, Kind, Platform, close, differences, expected, without_parent};

/// What came of one source at one platform.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) figures: Figures,
    /// What is wrong, one line each; empty is right.
    pub(crate) faults: Vec<String>,
}

/// Decodes the requests and compares them, their sums, their trees and the ledger with the source.
pub(crate) fn judge(
    platform: &dyn Platform,
    records: &[Record],
    requests: &[Captured],
    report: &Report,
) -> Judged {
    let decoded = wire::decode(platform.name(), requests);
    let wanted = expected(platform, records);
    let mut faults = decoded.faults;
    faults.extend(differences(&wanted.items, &decoded.items));
    faults.extend(trees(&wanted.items, &decoded.items));
    faults.extend(sums(records, &decoded.items));
    faults.extend(ledger(platform.name(), &wanted, report));
    let mut figures = Figures::of(records, &decoded.items, requests);
    figures.takes_logs = report.destination(platform.name()).is_some_and(takes_logs);
    figures.unresolvable = wanted.unresolvable;
    Judged { figures, faults }
}

/// Whether the exporter takes logs, as its ledger tells.
fn takes_logs(destination: &DestinationReport) -> bool {
    destination.signals.get(Signal::Logs).filtered.is_empty()
}

/// Every parent that was sent is a span that was sent, unless it is missing at the source, too.
fn trees(wanted: &[Item], found: &[Item]) -> Vec<String> {
    let known = without_parent(wanted);
    let lonely = without_parent(found).into_iter().filter(|pair| !known.contains(pair));
    lonely
        .map(|(span, parent)| format!("span {span}: its parent {parent} is no span that was sent"))
        .collect()
}

/// The sums over all spans are the source's.
fn sums(records: &[Record], found: &[Item]) -> Vec<String> {
    let there = Sums::of_items(found);
    let source = Sums::of_records(records);
    let pairs = [
        ("input tokens", source.input, there.input),
        ("output tokens", source.output, there.output),
        ("dollars", source.cost, there.cost),
    ];
    let wrong = pairs.iter().filter(|(_, source, there)| !close(*source, *there));
    wrong.map(|(what, source, there)| format!("{there} {what} in all, and {source} at the source")).collect()
}

/// Tokens and costs of many spans.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Sums {
    pub(crate) input: f64,
    pub(crate) output: f64,
    pub(crate) cost: f64,
}

impl Sums {
    /// Straight from the records, by no platform's rules.
    pub(crate) fn of_records(records: &[Record]) -> Self {
        let mut sums = Self::default();
        for record in records {
            let Record::Span(SpanRecord::Ended(span)) = record else { continue };
            if let Some((_, _, usage)) = span.span_type.model() {
                sums.input += usage.input.unwrap_or_default() as f64;
                sums.output += usage.output.unwrap_or_default() as f64;
            }
            let cost = span.span_type.as_generation().and_then(|call| call.cost.as_ref());
            sums.cost += cost.map_or(0.0, |cost| cost.total);
        }
        sums
    }

    pub(crate) fn of_items(items: &[Item]) -> Self {
        let mut sums = Self::default();
        for item in items.iter().filter(|item| item.kind == Kind::Span) {
            sums.input += item.number("input_tokens");
            sums.output += item.number("output_tokens");
            sums.cost += item.number("cost");
        }
        sums
    }
}

/// The ledger balances, and says of every signal that all was delivered but what cannot be placed.
fn ledger(name: &str, wanted: &Expected, report: &Report) -> Vec<String> {
    let Some(destination) = report.destination(name) else { return vec!["there is no ledger".into()] };
    let mut faults = Vec::new();
    if !report.is_balanced() {
        faults.push(format!("the ledgers do not balance:\n{report}"));
    }
    for (signal, terms) in destination.signals.iter() {
        let unplaced = wanted.unresolvable.iter().filter(|(of, _)| *of == signal).count() as u64;
        faults.extend(settled(signal, terms, wanted.taken[signal.index()], unplaced));
    }
    faults
}

fn settled(signal: Signal, terms: &Terms, taken: u64, unplaced: u64) -> Option<String> {
    let refused = terms.rejected + terms.dropped.total() + terms.dead_lettered + terms.diverted;
    let (delivered, queued) = (terms.delivered, terms.queued);
    let wrong = (delivered, refused, queued) != (taken, unplaced, 0);
    wrong.then(|| {
        format!(
            "{signal}: {delivered} delivered, {refused} refused and {queued} waiting, of {taken} that it takes and {unplaced} that \
             have no place there"
        )
    })
}
