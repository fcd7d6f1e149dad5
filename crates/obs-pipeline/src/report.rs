//! What `flush`, `shutdown` and `report` tell: the ledgers, read at one moment.

use std::fmt;

use obs_core::{Health, Signal};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::{IntakeTerms, Terms};

/// A value for each signal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PerSignal<T>([T; Signal::COUNT]);

impl<T> PerSignal<T> {
    /// The value of a signal.
    pub fn get(&self, signal: Signal) -> &T {
        &self.0[signal.index()]
    }

    /// The value of a signal, to change.
    pub fn get_mut(&mut self, signal: Signal) -> &mut T {
        &mut self.0[signal.index()]
    }

    /// The signals in order, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Signal, &T)> {
        Signal::ALL.into_iter().zip(&self.0)
    }
}

impl<T> From<[T; Signal::COUNT]> for PerSignal<T> {
    fn from(values: [T; Signal::COUNT]) -> Self {
        Self(values)
    }
}

impl<T: Serialize> Serialize for PerSignal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Signal::COUNT))?;
        for (signal, value) in self.iter() {
            map.serialize_entry(&signal, value)?;
        }
        map.end()
    }
}

/// The state of all ledgers at one moment.
///
/// `Display` is a table for people; `Serialize` has every term.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether all that was recorded before the call is settled; after a flush, `false` means that the deadline passed
    /// first or that an exporter could not flush.
    pub complete: bool,
    /// The intake, by signal.
    pub intake: PerSignal<IntakeTerms>,
    /// The destinations, in the order of the builder.
    pub destinations: Vec<DestinationReport>,
}

/// The ledgers of one destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DestinationReport {
    /// Its name, unique in the pipeline.
    pub name: Box<str>,
    /// The destination whose records it takes while that one is out, if it is a fallback.
    pub fallback_of: Option<Box<str>>,
    /// How it is, as far as its last calls tell.
    #[serde(serialize_with = "health")]
    pub health: Health,
    /// Its terms, by signal.
    pub signals: PerSignal<Terms>,
}

fn health<S: Serializer>(health: &Health, serializer: S) -> Result<S::Ok, S::Error> {
    let (state, reason) = match health {
        Health::Healthy => ("healthy", None),
        Health::Degraded(reason) => ("degraded", Some(reason)),
        Health::Unhealthy(reason) => ("unhealthy", Some(reason)),
    };
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("state", state)?;
    if let Some(reason) = reason {
        map.serialize_entry("reason", reason)?;
    }
    map.end()
}

impl Report {
    /// The ledgers of a destination.
    pub fn destination(&self, name: &str) -> Option<&DestinationReport> {
        self.destinations.iter().find(|destination| &*destination.name == name)
    }

    /// Whether law 1 holds: both equations for every signal, every destination was offered what was sealed besides its
    /// own, and fallbacks were offered what was diverted to them.
    pub fn is_balanced(&self) -> bool {
        let terms = |signal| self.destinations.iter().map(move |of| (of, of.signals.get(signal)));
        self.intake.iter().all(|(signal, intake)| {
            let offered_right =
                |(destination, terms): (&DestinationReport, &Terms)| match destination.fallback_of {
                    None => {
                        terms.offered == intake.sealed + terms.own
                            && terms.diverted == self.taken(destination, signal)
                    }
                    Some(_) => terms.own + terms.recovered == 0,
                };
            intake.is_balanced()
                && terms(signal).all(|(_, terms)| terms.is_balanced())
                && terms(signal).all(offered_right)
        })
    }

    /// How many records the fallbacks of a destination were offered.
    fn taken(&self, primary: &DestinationReport, signal: Signal) -> u64 {
        let fallbacks = self.destinations.iter().filter(|of| of.fallback_of.as_ref() == Some(&primary.name));
        fallbacks.map(|fallback| fallback.signals.get(signal).offered).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.complete { "complete" } else { "not complete" };
        write!(f, "{state}")?;
        let terms = |of: fn(&Terms) -> u64| -> u64 {
            self.destinations.iter().flat_map(|to| to.signals.iter()).map(|(_, terms)| of(terms)).sum()
        };
        for (count, what) in
            [(terms(|terms| terms.rejected), "rejected"), (terms(|terms| terms.dropped.total()), "dropped")]
        {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for (signal, terms) in self.intake.iter().filter(|(_, terms)| !terms.is_empty()) {
            let parts = [("sealed", terms.sealed), ("pending", terms.pending)];
            line(f, "intake", signal, terms.recorded, "recorded", &parts)?;
            reasons(f, "dropped", &terms.dropped)?;
            reasons(f, "filtered", &terms.filtered)?;
        }
        for destination in &self.destinations {
            for (signal, terms) in destination.signals.iter().filter(|(_, terms)| !terms.is_empty()) {
                let parts = [
                    ("own", terms.own),
                    ("recovered", terms.recovered),
                    ("delivered", terms.delivered),
                    ("rejected", terms.rejected),
                    ("dead-lettered", terms.dead_lettered),
                    ("diverted", terms.diverted),
                    ("queued", terms.queued),
                ];
                line(f, &destination.name, signal, terms.offered, "offered", &parts)?;
                reasons(f, "dropped", &terms.dropped)?;
                reasons(f, "filtered", &terms.filtered)?;
            }
            if let Health::Degraded(reason) | Health::Unhealthy(reason) = &destination.health {
                write!(f, "\n{:<16} trouble: {reason}", destination.name)?;
            }
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    place: &str,
    signal: Signal,
    count: u64,
    of: &str,
    parts: &[(&str, u64)],
) -> fmt::Result {
    write!(f, "\n{place:<16} {signal:<8} {count:>8} {of}")?;
    for (name, count) in parts.iter().filter(|(_, count)| *count > 0) {
        write!(f, ", {count} {name}")?;
    }
    Ok(())
}

fn reasons(f: &mut fmt::Formatter<'_>, what: &str, counts: &crate::Counts) -> fmt::Result {
    if counts.is_empty() { Ok(()) } else { write!(f, ", {} {what} ({counts})", counts.total()) }
}

/// What `sync` tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncReport {
    /// Whether every record made before the call is either settled or on disk.
    pub durable: bool,
    /// Lanes whose queue is in memory, as `destination/signal`: a crash loses what waits in them.
    pub not_durable: Vec<Box<str>>,
    /// Why it is not durable, if it is not.
    pub reason: Option<Box<str>>,
    /// The ledgers.
    pub report: Report,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;

    fn report() -> Report {
        let mut intake = PerSignal::<IntakeTerms>::default();
        let logs = intake.get_mut(Signal::Logs);
        (logs.recorded, logs.sealed) = (12, 10);
        logs.dropped.add(crate::dropped::INTAKE_FULL, 2);
        let mut ledger = Ledger::new();
        ledger.offered(10);
        ledger.settled(&obs_core::Receipt::delivered(7));
        ledger.dropped(crate::dropped::EXPIRED, 1);
        let mut signals = PerSignal::<Terms>::default();
        *signals.get_mut(Signal::Logs) = ledger.terms().clone();
        let health = Health::Unhealthy("unavailable: no route".into());
        let destinations =
            vec![DestinationReport { name: "langfuse-eu".into(), fallback_of: None, health, signals }];
        Report { complete: false, intake, destinations }
    }

    #[test]
    fn a_report_reads_well() {
        let report = report();
        assert!(report.is_balanced());
        let expected = "not complete, 1 dropped\n\
                        intake           logs           12 recorded, 10 sealed, 2 dropped (intake_full 2)\n\
                        langfuse-eu      logs           10 offered, 7 delivered, 2 queued, 1 dropped (expired 1)\n\
                        langfuse-eu      trouble: unavailable: no route";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_report_serialises_with_every_term() {
        let json = serde_json::to_value(report()).unwrap();
        let destination = &json["destinations"][0];
        assert_eq!(destination["health"]["state"], "unhealthy");
        assert_eq!(destination["signals"]["logs"]["dropped"]["expired"], 1);
        assert_eq!(json["intake"]["traces"]["recorded"], 0);
    }
}
