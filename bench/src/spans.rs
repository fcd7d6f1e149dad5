//! A span of a model call with eight attributes.

use std::error::Error;

use crate::Effort;
use crate::case::{Case, measure};
use crate::table::{Goal, Row, of};
use crate::{instructions, ours, peers};

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    peers::fastrace::start();
    Ok(vec![
        ours::copied()?,
        ours::arc()?,
        ours::unsampled()?,
        peers::otel::copied(),
        peers::otel::arc(),
        peers::otel::unsampled(),
        peers::fastrace::copied(),
        peers::fastrace::unsampled(),
        peers::tracing::lean(),
        peers::tracing::default(),
    ])
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut cases = cases()?;
    let costs = measure(&mut cases, effort.rounds);
    let cost = |name: &str| of(&cases, &costs, name);
    let (copied, shared, unsampled) = (cost("obs.copied"), cost("obs.shared"), cost("obs.unsampled"));
    let ratio = |what, ours: &str, peer: &str, most| {
        Row::ratio(what, cost(ours).nanos, peer, cost(peer).nanos, Goal::AtMost(most))
    };
    let third = 1.0 / 3.0;
    let mut rows = vec![
        ratio("span, payload copied", "obs.copied", "otel.copied", third),
        ratio("span, payload copied", "obs.copied", "fastrace.copied", 1.0 / 2.5),
        Row::figure("span, payload copied", copied.allocations, "allocations", Goal::AtMost(2.0)),
        Row::figure("span, payload copied", copied.bytes, "bytes allocated", Goal::None),
        ratio("span, payload shared", "obs.shared", "otel.shared", 0.25),
        Row::figure("span, payload shared", shared.allocations, "allocations", Goal::AtMost(0.0)),
        ratio("span, against tracing", "obs.copied", "tracing-otel.lean", 0.5),
        ratio("span, against tracing", "obs.copied", "tracing-otel.default", 0.5),
        Row::figure("unsampled span", unsampled.nanos, "ns", Goal::AtMost(5.0)),
        Row::figure("unsampled span", unsampled.allocations, "allocations", Goal::AtMost(0.0)),
        Row::ratio(
            "unsampled span",
            unsampled.nanos,
            "otel.unsampled",
            cost("otel.unsampled").nanos,
            Goal::None,
        ),
        Row::ratio(
            "unsampled span",
            unsampled.nanos,
            "fastrace.unsampled",
            cost("fastrace.unsampled").nanos,
            Goal::None,
        ),
    ];
    for (name, goal) in [
        ("obs.copied", Goal::AtMost(1_000.0)),
        ("obs.shared", Goal::AtMost(500.0)),
        ("otel.copied", Goal::None),
        ("fastrace.copied", Goal::None),
    ] {
        if let Some(count) = instructions::of(name) {
            rows.push(Row::figure(name, count, "instructions", goal));
        }
    }
    for name in ["otel.copied", "otel.shared", "fastrace.copied", "tracing-otel.lean"] {
        rows.push(Row::figure(name, cost(name).allocations, "allocations", Goal::None));
    }
    Ok(rows)
}
