//! What became of the letters of one page that were tried again.

use std::collections::{HashMap, HashSet};

use obs_core::{Batch, Error, ErrorKind, Receipt, Rejection, Retry};

use super::ReplayReport;

/// Why a record was rejected again.
#[derive(Debug, Clone)]
pub(super) struct Why {
    pub(super) kind: ErrorKind,
    pub(super) status: Option<u16>,
    pub(super) reason: Box<str>,
    pub(super) attempts: u32,
}

/// What became of one page.
#[derive(Debug)]
pub(super) struct Tried {
    /// The letter of the record at an address: records stay where they are while the batch lives.
    letters: HashMap<usize, u64>,
    pub(super) delivered: HashSet<u64>,
    pub(super) rejected: HashMap<u64, Why>,
    dead_lettered: HashSet<u64>,
    queued: HashSet<u64>,
    unknown: HashSet<u64>,
    pub(super) stopped: Option<Box<str>>,
}

/// What a receipt says of the records that it does not name.
#[derive(Debug, Clone, Copy, Default)]
struct Unnamed<'a> {
    delivered: usize,
    queued: usize,
    dead_lettered: usize,
    rejected: usize,
    /// The last rejection of those that name no records.
    why: Option<&'a Rejection>,
}

impl Tried {
    pub(super) fn new(batch: &Batch, ids: &[u64]) -> Self {
        Self {
            letters: batch.addresses().into_iter().zip(ids.iter().copied()).collect(),
            delivered: HashSet::new(),
            rejected: HashMap::new(),
            dead_lettered: HashSet::new(),
            queued: HashSet::new(),
            unknown: HashSet::new(),
            stopped: None,
        }
    }

    /// The letters that stay and of which there is nothing new to say.
    pub(super) fn kept(&self) -> impl Iterator<Item = &u64> {
        self.dead_lettered.iter().chain(&self.queued).chain(&self.unknown)
    }

    pub(super) fn add_to(&self, report: &mut ReplayReport) {
        report.delivered += self.delivered.len() as u64;
        report.rejected += self.rejected.len() as u64;
        report.dead_lettered += self.dead_lettered.len() as u64;
        report.queued += self.queued.len() as u64;
        report.unknown += self.unknown.len() as u64;
    }

    fn ids(&self, batch: &Batch) -> Vec<u64> {
        batch.addresses().iter().filter_map(|address| self.letters.get(address).copied()).collect()
    }

    /// Notes what became of a part; returns what is to be tried in smaller parts.
    pub(super) fn settle(&mut self, part: &Batch, outcome: Result<Receipt, Error>) -> Vec<Batch> {
        let (receipt, error) = match outcome {
            Ok(receipt) => (receipt, None),
            Err(error) => {
                let (receipt, error) = error.take_settled();
                (receipt, Some(error))
            }
        };
        let undelivered =
            error.as_ref().map_or_else(|| Batch::empty(part.signal()), |error| error.undelivered().clone());
        let mut open: HashSet<u64> = self.ids(part).into_iter().collect();
        let waiting = self.ids(&undelivered);
        for id in &waiting {
            open.remove(id);
        }
        let mut unnamed = Unnamed::default();
        self.look_through(&receipt, &mut open, &mut unnamed);
        if waiting.len() == undelivered.len() {
            self.settle_unnamed(open, unnamed);
        } else {
            self.unknown.extend(open);
        }
        match error {
            None => Vec::new(),
            Some(error) if error.kind().is_content() && undelivered.len() > 1 => {
                let (first, second) = undelivered.halves();
                vec![second, first]
            }
            Some(error) if error.retry() == Retry::Never && error.kind().is_content() => {
                let why = Why {
                    kind: error.kind(),
                    status: error.status(),
                    reason: error.message().into(),
                    attempts: 1,
                };
                self.rejected.extend(waiting.into_iter().map(|id| (id, why.clone())));
                Vec::new()
            }
            Some(error) => {
                self.stopped = Some(error.message().into());
                Vec::new()
            }
        }
    }

    /// Notes the records that a receipt names, also of what other destinations took, and counts the others.
    fn look_through<'a>(&mut self, receipt: &'a Receipt, open: &mut HashSet<u64>, unnamed: &mut Unnamed<'a>) {
        unnamed.delivered += receipt.delivered;
        unnamed.queued += receipt.queued;
        unnamed.dead_lettered += receipt.dead_lettered;
        for rejection in &receipt.rejected {
            let ids = rejection.records.as_ref().map(|batch| self.ids(batch)).unwrap_or_default();
            if ids.len() != rejection.count {
                unnamed.rejected += rejection.count;
                unnamed.why = Some(rejection);
                continue;
            }
            for id in ids {
                open.remove(&id);
                self.rejected.insert(id, why(rejection));
            }
        }
        for diverted in &receipt.diverted {
            self.look_through(&diverted.receipt, open, unnamed);
        }
    }

    /// Notes the records that no receipt names: where all of them met with the same, it is known what.
    fn settle_unnamed(&mut self, open: HashSet<u64>, unnamed: Unnamed<'_>) {
        let Unnamed { delivered, queued, dead_lettered, rejected, why: because } = unnamed;
        match (delivered, queued, dead_lettered, rejected, because) {
            (_, 0, 0, 0, _) => self.delivered.extend(open),
            (0, _, 0, 0, _) => self.queued.extend(open),
            (0, 0, _, 0, _) => self.dead_lettered.extend(open),
            (0, 0, 0, _, Some(because)) => {
                self.rejected.extend(open.into_iter().map(|id| (id, why(because))));
            }
            _ => self.unknown.extend(open),
        }
    }
}

fn why(rejection: &Rejection) -> Why {
    let Rejection { kind, status, reason, attempts, .. } = rejection;
    Why { kind: *kind, status: *status, reason: reason.clone(), attempts: (*attempts).max(1) }
}
