//! One destination's route at work.

use std::time::Duration;

use obs_core::Batch;
use serde::{Deserialize, Serialize};

use super::record::{RecordRef, for_each};
use super::window::{Seen, Window, WindowStats};
use super::{Route, WhenWindow};
use crate::guard::guarded;

/// How many destinations a record goes to, of those whose route takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// All of them.
    #[default]
    All,
    /// The first, in the order in which the destinations were added.
    First,
}

/// What stands before one destination: its route, those of the destinations before it where the first match decides,
/// and what their windows have seen.
///
/// Gates of several destinations agree without speaking to each other, as long as all see the same batches in order.
#[derive(Debug)]
pub struct Gate {
    own: Route,
    earlier: Vec<Route>,
    seen: Vec<Seen>,
    reason: Box<str>,
}

/// What a destination is given of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected<'a> {
    /// The records let through, in order; none was copied.
    pub batch: Batch,
    /// How many are not for this destination.
    pub filtered: usize,
    /// How many were lost because a predicate panicked over them.
    pub panicked: usize,
    /// Under what the filtered ones are counted: `route`, and behind a colon the description if there is one.
    pub reason: &'a str,
}

/// What a route says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Takes,
    Leaves,
    Panicked,
}

impl Gate {
    /// The gate of a destination with its own route, everything by default.
    ///
    /// What a route in `earlier` takes is not for this destination; pass none where every match counts.
    pub fn new(own: Option<Route>, earlier: Vec<Route>) -> Self {
        let own = own.unwrap_or_default();
        let mut seen: Vec<Seen> = Vec::new();
        for (window, _) in std::iter::once(&own).chain(&earlier).flat_map(|route| &route.windows) {
            if !seen.iter().any(|seen| seen.window == *window) {
                seen.push(Seen::new(*window));
            }
        }
        let reason = own.description().map_or_else(|| "route".into(), |text| format!("route:{text}").into());
        Self { own, earlier, seen, reason }
    }

    /// Tells the windows of a batch.
    ///
    /// Every batch of every signal must come here before it is given to [`Gate::select`]; `now` is a monotonic time.
    pub fn observe(&mut self, batch: &Batch, now: Duration) {
        for seen in &mut self.seen {
            seen.observe(batch, now);
        }
    }

    /// What this destination is given of a batch.
    ///
    /// A predicate that panics loses the record it was asked about, for this destination.
    /// In an earlier route it counts as one that does not hold, so that the record may still go to this one.
    pub fn select(&self, batch: &Batch, now: Duration) -> Selected<'_> {
        let whole = Selected { batch: batch.clone(), filtered: 0, panicked: 0, reason: &self.reason };
        if self.own.is_open() && self.earlier.is_empty() {
            return whole;
        }
        let stats: Vec<_> = self.seen.iter().map(|seen| (seen.window, seen.stats(now))).collect();
        let own = Judge::new(&self.own, &stats);
        let earlier: Vec<_> = self.earlier.iter().map(|route| Judge::new(route, &stats)).collect();
        let (mut kept, mut panicked, mut at) = (Vec::with_capacity(batch.len()), 0, 0);
        for_each(batch, |record| {
            if !earlier.iter().any(|judge| judge.judge(record) == Verdict::Takes) {
                match own.judge(record) {
                    Verdict::Takes => kept.push(at),
                    Verdict::Leaves => {}
                    Verdict::Panicked => panicked += 1,
                }
            }
            at += 1;
        });
        if kept.len() == at {
            return whole;
        }
        Selected { batch: batch.select(&kept), filtered: at - kept.len() - panicked, panicked, ..whole }
    }
}

/// A route and whether its windows' conditions hold for this batch.
struct Judge<'a> {
    route: &'a Route,
    windows: Verdict,
}

impl<'a> Judge<'a> {
    fn new(route: &'a Route, stats: &[(Window, WindowStats)]) -> Self {
        let verdicts = route.windows.iter().map(|condition| window_verdict(condition, stats));
        let windows = verdicts.fold(Verdict::Takes, |all, one| if all == Verdict::Takes { one } else { all });
        Self { route, windows }
    }

    fn judge(&self, record: RecordRef<'_>) -> Verdict {
        if !self.route.admits(record) || !self.route.keeps(record) {
            return Verdict::Leaves;
        }
        if self.windows != Verdict::Takes {
            return self.windows;
        }
        let mut verdicts = self.route.when.iter().map(|holds| verdict(|| holds(record)));
        verdicts.find(|verdict| *verdict != Verdict::Takes).unwrap_or(Verdict::Takes)
    }
}

fn window_verdict((window, holds): &(Window, WhenWindow), stats: &[(Window, WindowStats)]) -> Verdict {
    let found = stats.iter().find(|(known, _)| known == window);
    found.map_or(Verdict::Leaves, |(_, stats)| verdict(|| holds(stats)))
}

fn verdict(holds: impl FnOnce() -> bool) -> Verdict {
    match guarded(holds) {
        Ok(true) => Verdict::Takes,
        Ok(false) => Verdict::Leaves,
        Err(_) => Verdict::Panicked,
    }
}
