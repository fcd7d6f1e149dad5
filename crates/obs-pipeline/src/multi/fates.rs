//! What the answers of several exporters mean for each record.

use std::collections::BTreeMap;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Receipt, Rejection, Retry};

/// What one exporter answered; `None` where it was not called, since another had failed.
pub(super) struct Answer<'a> {
    pub(super) name: &'a str,
    pub(super) result: Option<Result<Receipt, Error>>,
}

/// What one exporter made of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Delivered,
    /// Taken, at least in part by a queue.
    Queued,
    /// Taken, or one of those that the exporter gave up without saying which.
    Doubtful,
    /// By the rejection at this position of the receipt.
    Rejected(usize),
    Failed,
    NotCalled,
}

impl Fate {
    fn is_taken(self) -> bool {
        matches!(self, Self::Delivered | Self::Queued | Self::Doubtful)
    }
}

/// How many records an exporter gave up without saying which.
#[derive(Debug, Clone, Copy, Default)]
struct Doubt {
    dead_lettered: usize,
    rejected: usize,
    /// The last rejection that names no records, by its position in the receipt.
    by: usize,
}

impl Answer<'_> {
    fn receipt(&self) -> Option<&Receipt> {
        match self.result.as_ref()? {
            Ok(receipt) => Some(receipt),
            Err(error) => Some(error.settled()),
        }
    }

    fn error(&self) -> Option<&Error> {
        self.result.as_ref()?.as_ref().err()
    }

    fn fates(&self, known: &Positions) -> (Vec<Fate>, Doubt) {
        let Some(receipt) = self.receipt() else {
            return (vec![Fate::NotCalled; known.len()], Doubt::default());
        };
        let taken = if receipt.queued == 0 { Fate::Delivered } else { Fate::Queued };
        let mut fates = vec![taken; known.len()];
        let mut doubt = Doubt { dead_lettered: receipt.dead_lettered, ..Doubt::default() };
        for (nth, rejection) in receipt.rejected.iter().enumerate() {
            if let Some(found) = rejection.records.as_ref().and_then(|records| known.of(records)) {
                replace(&mut fates, &found, Fate::Rejected(nth));
            } else {
                (doubt.rejected, doubt.by) = (doubt.rejected + rejection.count, nth);
            }
        }
        if let Some(error) = self.error() {
            match known.of(error.undelivered()) {
                Some(found) => replace(&mut fates, &found, Fate::Failed),
                None => replace_taken(&mut fates, Fate::Failed),
            }
        }
        let open = fates.iter().filter(|fate| fate.is_taken()).count();
        if doubt.rejected > 0 && doubt.rejected >= open {
            replace_taken(&mut fates, Fate::Rejected(doubt.by));
        } else if doubt.rejected + doubt.dead_lettered > 0 {
            replace_taken(&mut fates, Fate::Doubtful);
        }
        (fates, doubt)
    }

    /// Tells what this exporter did not take: where enough others took it, nobody else does.
    fn tell_troubles(&self, batch: &Batch) {
        let (exporter, signal) = (self.name, batch.signal());
        let Some(receipt) = self.receipt() else { return };
        if let Some(first) = receipt.rejected.first() {
            let (rejected, kind, reason) = (receipt.rejected_count(), first.kind, &first.reason);
            tracing::warn!(target: "obs::multi", exporter, %signal, rejected, %kind, "rejected: {reason}");
        }
        if let Some(error) = self.error() {
            let (undelivered, kind) = (error.undelivered().len(), error.kind());
            tracing::warn!(target: "obs::multi", exporter, %signal, undelivered, %kind, "not delivered: {error}");
        }
    }

    /// Why this exporter does not have a record.
    fn trouble(&self, fate: Fate) -> Option<Trouble<'_>> {
        match fate {
            Fate::Rejected(nth) => {
                let Rejection { kind, status, reason, attempts, .. } = self.receipt()?.rejected.get(nth)?;
                Some(Trouble { kind: *kind, status: *status, reason, attempts: *attempts })
            }
            Fate::Failed => {
                let error = self.error()?;
                Some(Trouble {
                    kind: error.kind(),
                    status: error.status(),
                    reason: error.message(),
                    attempts: 1,
                })
            }
            Fate::Delivered | Fate::Queued | Fate::Doubtful | Fate::NotCalled => None,
        }
    }
}

struct Trouble<'a> {
    kind: ErrorKind,
    status: Option<u16>,
    reason: &'a str,
    attempts: u32,
}

fn replace(fates: &mut [Fate], positions: &[usize], by: Fate) {
    for at in positions {
        fates[*at] = by;
    }
}

fn replace_taken(fates: &mut [Fate], by: Fate) {
    fates.iter_mut().filter(|fate| fate.is_taken()).for_each(|fate| *fate = by);
}

/// Where the records of a batch lie, by their address: segments are shared, so that an answer has the same ones.
struct Positions(Vec<(usize, usize)>);

impl Positions {
    fn new(batch: &Batch) -> Self {
        let mut known: Vec<_> = batch.addresses().into_iter().zip(0..).collect();
        known.sort_unstable();
        Self(known)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// The positions of these records; `None` if there is one that the batch does not have, such as a shortened copy.
    fn of(&self, records: &Batch) -> Option<Vec<usize>> {
        let mut found = Vec::with_capacity(records.len());
        for address in records.addresses() {
            let from = self.0.partition_point(|(known, _)| *known < address);
            let same = self.0[from..].iter().take_while(|(known, _)| *known == address);
            let before = found.len();
            found.extend(same.map(|(_, at)| *at));
            if found.len() == before {
                return None;
            }
        }
        Some(found)
    }
}

/// What becomes of the batch, where this many exporters must take a record.
pub(super) fn combine(batch: &Batch, answers: &[Answer<'_>], needed: usize) -> Result<Receipt, Error> {
    for answer in answers {
        answer.tell_troubles(batch);
    }
    let all = Receipt::delivered(batch.len());
    if answers.iter().all(|answer| matches!(&answer.result, Some(Ok(receipt)) if *receipt == all)) {
        return Ok(all);
    }
    let known = Positions::new(batch);
    let (by_answer, doubts): (Vec<Vec<Fate>>, Vec<Doubt>) =
        answers.iter().map(|answer| answer.fates(&known)).unzip();
    let (mut receipt, mut undelivered) = (Receipt::default(), Vec::new());
    let (mut doubtful, mut losses) = (0, usize::MAX);
    let (mut failed, mut doubted) = (vec![false; answers.len()], vec![false; answers.len()]);
    let mut rejected: BTreeMap<Vec<Fate>, Vec<usize>> = BTreeMap::new();
    for at in 0..batch.len() {
        let fates: Vec<Fate> = by_answer.iter().map(|fates| fates[at]).collect();
        let count = |wanted: &[Fate]| fates.iter().filter(|fate| wanted.contains(fate)).count();
        if count(&[Fate::Delivered]) >= needed {
            receipt.delivered += 1;
        } else if count(&[Fate::Delivered, Fate::Queued]) >= needed {
            receipt.queued += 1;
        } else if let Some(spare) =
            count(&[Fate::Delivered, Fate::Queued, Fate::Doubtful]).checked_sub(needed)
        {
            doubtful += 1;
            losses = losses.min(spare + 1);
            mark(&mut doubted, &fates, Fate::Doubtful);
        } else if may_pass(answers, &fates) {
            undelivered.push(at);
            mark(&mut failed, &fates, Fate::Failed);
        } else {
            rejected.entry(fates).or_default().push(at);
        }
    }
    let reject =
        |(fates, positions): (Vec<Fate>, Vec<usize>)| rejection(answers, &fates, batch.select(&positions));
    receipt.rejected = rejected.into_iter().map(reject).collect();
    let doubts = answers.iter().zip(doubts).zip(doubted).filter(|(_, doubted)| *doubted);
    let doubts: Vec<_> = doubts.map(|(pair, _)| pair).collect();
    settle(&mut receipt, doubtful, losses, &doubts);
    let errors = answers.iter().zip(failed).filter(|(_, failed)| *failed);
    let errors: Vec<_> = errors.filter_map(|(answer, _)| Some((answer.name, answer.error()?))).collect();
    match errors.iter().min_by_key(|(_, error)| patience(error.retry())) {
        None => Ok(receipt),
        Some((_, least)) => {
            let said = errors.iter().map(|(name, error)| format!("{name}: {}", error.message()));
            let message = said.collect::<Vec<_>>().join("; ");
            let error = Error::new(least.kind(), least.retry(), message, batch.select(&undelivered));
            Err(error.with_status(least.status()).with_settled(receipt))
        }
    }
}

fn mark(marks: &mut [bool], fates: &[Fate], wanted: Fate) {
    marks.iter_mut().zip(fates).for_each(|(mark, fate)| *mark |= *fate == wanted);
}

/// Settles the records that depend on exporters which do not say what they gave up: as many as may lack takers count as
/// given up, where a record lacks them only if it is among so many exporters' losses.
fn settle(receipt: &mut Receipt, doubtful: usize, losses: usize, doubts: &[(&Answer<'_>, Doubt)]) {
    let lost: usize = doubts.iter().map(|(_, doubt)| doubt.dead_lettered + doubt.rejected).sum();
    let given_up = doubtful.min(lost / losses);
    let mut left = given_up;
    let mut queued = false;
    for (answer, doubt) in doubts {
        let Some(told) = answer.receipt() else { continue };
        queued |= told.queued > 0;
        let dead_lettered = doubt.dead_lettered.min(left);
        receipt.dead_lettered += dead_lettered;
        left -= dead_lettered;
        let count = doubt.rejected.min(left);
        if let Some(last) = told.rejected.get(doubt.by).filter(|_| count > 0) {
            let reason = format!("{}: {}", answer.name, last.reason).into();
            receipt.rejected.push(Rejection { records: None, count, reason, ..last.clone() });
            left -= count;
        }
    }
    let taken = doubtful - given_up + left;
    *(if queued { &mut receipt.queued } else { &mut receipt.delivered }) += taken;
}

/// Whether a record with too few takers may find them later, or in a smaller batch.
fn may_pass(answers: &[Answer<'_>], fates: &[Fate]) -> bool {
    let failed = answers.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Failed);
    failed.filter_map(|(answer, _)| answer.error()).any(|error| {
        error.retry() != Retry::Never || (error.kind().is_content() && error.undelivered().len() > 1)
    })
}

/// The least patient first; a hold behind all that ends by itself.
fn patience(retry: Retry) -> (u8, Duration) {
    match retry {
        Retry::Backoff => (0, Duration::ZERO),
        Retry::After(wait) => (1, wait),
        Retry::Hold(wait) => (2, wait),
        Retry::Never => (3, Duration::ZERO),
    }
}

fn rejection(answers: &[Answer<'_>], fates: &[Fate], records: Batch) -> Rejection {
    let pairs = || answers.iter().zip(fates);
    let troubles: Vec<_> =
        pairs().filter_map(|(answer, fate)| Some((answer.name, answer.trouble(*fate)?))).collect();
    let mut reasons: Vec<_> =
        troubles.iter().map(|(name, trouble)| format!("{name}: {}", trouble.reason)).collect();
    let takers: Vec<_> = pairs().filter(|(_, fate)| fate.is_taken()).map(|(answer, _)| answer.name).collect();
    if !takers.is_empty() {
        reasons.push(format!("too few took it: {}", takers.join(", ")));
    }
    let first = troubles.first().map(|(_, trouble)| trouble);
    let kind = first.map_or(ErrorKind::Rejected, |trouble| trouble.kind);
    Rejection {
        status: first.and_then(|trouble| trouble.status),
        attempts: troubles.iter().map(|(_, trouble)| trouble.attempts).max().unwrap_or(1),
        ..Rejection::of(records, kind, reasons.join("; "))
    }
}
