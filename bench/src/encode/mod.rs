//! Encoding for export, without sending: records to the bytes of requests, against the way that is usual elsewhere.
//!
//! Each side gets fresh spans, not timed, and as its exporters get them: obs lends a batch, which is freed once for all destinations, and `opentelemetry_sdk` gives it away.
//! Another exporter adds a line to [`contests`]: [`against_value`] with its encoder and the same request as a tree of `serde_json::Value`.
//! That both say the same is checked before anything is measured.
//! Where nobody's way to the same bytes is known, [`against_records`] holds it against the records themselves as such a tree, and has no goal, since the two say different things.

mod braintrust;
pub(crate) mod calls;
mod datadog;
mod file;
mod langfuse;
mod langsmith;
mod mastra;
mod newrelic;
mod otlp;
mod otlp_records;
mod records;
mod tree;
mod webhook;

use std::cell::RefCell;
use std::error::Error;
use std::hint::black_box;
use std::rc::Rc;

use obs_core::Batch;

use crate::Effort;
use crate::case::{BURST, Case, measure};
use crate::table::{Goal, Row, of};

/// Spans in a batch: what exporters of spans commonly send at once.
const BATCH: usize = 500;

/// Two ways to the same requests.
pub(crate) struct Contest {
    what: &'static str,
    /// obs's way, then the other.
    sides: [Case; 2],
    /// How many times as quick obs is to be.
    goal: Goal,
}

/// Every contest.
fn contests() -> Result<Vec<Contest>, Box<dyn Error>> {
    let names = ["encode.otlp-json", "value.otlp"];
    Ok(vec![
        otlp::protobuf(),
        against_value("OTLP spans to JSON", names, records::batch, otlp::json, otlp::value),
        otlp_records::logs(),
        otlp_records::metrics(),
        langfuse::spans()?,
        braintrust::spans()?,
        langsmith::spans()?,
        mastra::spans()?,
        datadog::spans()?,
        newrelic::spans()?,
        webhook::spans()?,
        file::spans()?,
    ])
}

/// An exporter's requests against the same requests made as a tree of `serde_json::Value` and written then.
///
/// Both functions take a batch of 500 model calls, which `make` makes, and give the bytes that they made.
pub(crate) fn against_value(
    what: &'static str,
    [ours, theirs]: [&'static str; 2],
    make: fn(usize) -> Batch,
    encode: impl FnMut(&Batch) -> usize + 'static,
    tree: impl FnMut(&Batch) -> usize + 'static,
) -> Contest {
    let ours = side(ours, make, lent(encode));
    let theirs = side(theirs, make, lent(tree));
    Contest { what, sides: [ours, theirs], goal: Goal::AtLeast(3.0) }
}

/// An exporter's requests against the records as a tree of `serde_json::Value` and written then.
///
/// The encoder takes a batch of 500 model calls, and gives the bytes that it made.
pub(crate) fn against_records(
    what: &'static str,
    [ours, theirs]: [&'static str; 2],
    encode: impl FnMut(&Batch) -> usize + 'static,
) -> Contest {
    let ours = side(ours, calls::batch, lent(encode));
    let theirs = side(theirs, calls::batch, lent(|batch: &Batch| tree::bytes(&tree::records(batch))));
    Contest { what, sides: [ours, theirs], goal: Goal::None }
}

/// A way that only looks at the spans.
fn lent(mut encode: impl FnMut(&Batch) -> usize) -> impl FnMut(&mut Batch) -> usize {
    move |batch| encode(batch)
}

/// One way: `make` gives a batch, `encode` makes requests of it and says how many bytes they have.
fn side<I: 'static>(
    name: &'static str,
    make: impl Fn(usize) -> I + 'static,
    mut encode: impl FnMut(&mut I) -> usize + 'static,
) -> Case {
    let fresh = move || -> Vec<I> { (0..BURST / BATCH).map(|_| make(BATCH)).collect() };
    let ready = Rc::new(RefCell::new(fresh()));
    let timed = Rc::clone(&ready);
    let burst = move |times| {
        assert_eq!(times, BURST, "a burst is what was made ready");
        for batch in timed.borrow_mut().iter_mut() {
            black_box(encode(batch));
        }
    };
    Case::new(name, burst, move || drop(ready.replace(fresh())))
}

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    Ok(contests()?.into_iter().flat_map(|contest| contest.sides).collect())
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let contests = contests()?;
    let told: Vec<_> = contests
        .iter()
        .map(|contest| (contest.what, contest.sides.each_ref().map(|side| side.name), contest.goal))
        .collect();
    let mut cases: Vec<Case> = contests.into_iter().flat_map(|contest| contest.sides).collect();
    let costs = measure(&mut cases, effort.rounds);
    let row = |(what, [ours, theirs], goal): (&'static str, [&'static str; 2], Goal)| {
        let nanos = |name| of(&cases, &costs, name).nanos;
        Row::times(what, nanos(ours), theirs, nanos(theirs), goal)
    };
    Ok(told.into_iter().map(row).collect())
}
