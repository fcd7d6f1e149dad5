//! A span of a model call with eight attributes.

use std::collections::HashMap;
use std::error::Error;

use crate::Effort;
use crate::case::{Case, measure};
use crate::table::{Goal, Row, of, short};
use crate::{allocations, instructions, ours, ours_tracing, peers};

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    peers::fastrace::start();
    Ok(vec![
        ours::copied()?,
        ours::copied_counted()?,
        ours::arc()?,
        ours::unsampled()?,
        ours::unsampled_counted()?,
        peers::otel::copied(),
        peers::otel::arc(),
        peers::otel::unsampled(),
        peers::fastrace::copied(),
        peers::fastrace::unsampled(),
        ours_tracing::layer()?,
        ours_tracing::unsampled()?,
        peers::tracing::lean(),
        peers::tracing::default(),
    ])
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let allocated = allocations::all().unwrap_or_else(|error| {
        eprintln!("no allocations counted: {error}");
        HashMap::new()
    });
    let mut cases = cases()?;
    let costs = measure(&mut cases, effort.rounds);
    let cost = |name: &str| of(&cases, &costs, name);
    let unsampled = cost("obs.unsampled").nanos;
    let ratio =
        |what, ours: &str, peer: &str, goal| Row::ratio(what, cost(ours).nanos, peer, cost(peer).nanos, goal);
    let mut rows = vec![
        ratio("span, payload copied", "obs.copied", "otel.copied", Goal::AtMost(1.0 / 3.0)),
        ratio("span, payload copied", "obs.copied", "fastrace.copied", Goal::AtMost(1.0 / 2.5)),
        ratio("span, payload shared", "obs.shared", "otel.shared", Goal::AtMost(0.25)),
        ratio("span, against tracing", "obs.copied", "tracing-otel.lean", Goal::None),
        ratio("span, against tracing", "obs.copied", "tracing-otel.default", Goal::None),
        ratio("span, through tracing", "obs-tracing", "tracing-otel.lean", Goal::AtMost(0.5)),
        ratio("span, through tracing", "obs-tracing", "tracing-otel.default", Goal::AtMost(0.5)),
        Row::figure("unsampled span", unsampled, "ns", Goal::AtMost(5.0)),
        ratio("unsampled span", "obs.unsampled", "otel.unsampled", Goal::None),
        ratio("unsampled span", "obs.unsampled", "fastrace.unsampled", Goal::None),
        ratio("span, automatic metrics on", "obs.copied.counted", "otel.copied", Goal::None),
        Row::figure("unsampled span, counted", cost("obs.unsampled.counted").nanos, "ns", Goal::None),
        Row::figure("unsampled span, through tracing", cost("obs-tracing.unsampled").nanos, "ns", Goal::None),
    ];
    for (name, goal) in [
        ("obs.copied", Goal::AtMost(1_000.0)),
        ("obs.shared", Goal::AtMost(500.0)),
        ("obs-tracing", Goal::None),
        ("otel.copied", Goal::None),
        ("fastrace.copied", Goal::None),
        ("tracing-otel.lean", Goal::None),
    ] {
        if let Some(count) = instructions::of(name) {
            rows.push(Row::figure(name, count, "instructions", goal));
        }
    }
    for (name, goal) in [
        ("obs.copied", Goal::AtMost(2.0)),
        ("obs.shared", Goal::AtMost(0.0)),
        ("obs.unsampled", Goal::AtMost(0.0)),
        ("obs.log", Goal::None),
        ("obs-tracing", Goal::None),
        ("otel.copied", Goal::None),
        ("otel.shared", Goal::None),
        ("otel.log", Goal::None),
        ("fastrace.copied", Goal::None),
        ("tracing-otel.lean", Goal::None),
    ] {
        if let Some(allocated) = allocated.get(name) {
            let told = format!("{} allocations, {} bytes", short(allocated.count), short(allocated.bytes));
            rows.push(Row::told(name, told, allocated.count, goal));
        }
    }
    Ok(rows)
}
