//! Trying dead letters again.

use std::collections::{HashMap, HashSet};
use std::ptr;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Exporter, Receipt, Records, Rejection, Signal};
use rusqlite::{TransactionBehavior, params, params_from_iter};

use super::{COLUMNS, DeadLetterFilter, DeadLetterStore, ReplayReport, cut, gather, letter};
use crate::transaction::number;

/// The most records that are tried at once.
const AT_ONCE: usize = 512;

impl DeadLetterStore {
    /// Delivers the letters that are meant to an exporter, which may be a [`obs_pipeline::Lane`], and removes each once
    /// its record is delivered.
    ///
    /// Records keep their ids, and whoever receives them can tell repeats: if the process dies here, some are delivered
    /// twice.
    /// A record that is rejected again stays, with the new reason.
    /// A destination that is out, or asks to wait, ends the replay.
    /// `rate` is how many records go out in a second, at most, and needs a tokio runtime with time; none for as many as the
    /// destination takes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be used.
    pub async fn replay(
        &self,
        filter: &DeadLetterFilter,
        exporter: &dyn Exporter,
        rate: Option<f64>,
    ) -> Result<ReplayReport, Error> {
        let mut report = ReplayReport::default();
        let (end, meant) = (self.end()?, self.count(filter)?);
        for signal in Signal::ALL {
            if filter.signal.is_some_and(|only| only != signal) || report.stopped.is_some() {
                continue;
            }
            if !exporter.descriptor().support(signal).is_some() {
                continue;
            }
            self.replay_signal(filter, exporter, rate, signal, end, &mut report).await?;
        }
        report.left = meant.saturating_sub(report.delivered + report.rejected + report.unreadable);
        Ok(report)
    }

    /// The number after the last letter: what is put here while others are tried again is not tried.
    fn end(&self) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(id), 0) + 1 FROM letters";
        self.using(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))
            .map(|end| end as u64)
    }

    async fn replay_signal(
        &self,
        filter: &DeadLetterFilter,
        exporter: &dyn Exporter,
        rate: Option<f64>,
        signal: Signal,
        end: u64,
        report: &mut ReplayReport,
    ) -> Result<(), Error> {
        let limits = exporter.descriptor().limits(signal);
        let most = rate.map_or(AT_ONCE, |rate| (rate as usize).clamp(1, AT_ONCE)).min(limits.items.max(1));
        let mut from = 0;
        loop {
            let page = self.page(filter, signal, from, end, most)?;
            let Some(last) = page.last().map(|letter| letter.id) else { return Ok(()) };
            from = last + 1;
            let (batch, ids, unreadable) = gather(page, signal);
            report.unreadable += unreadable;
            let sent = batch.len();
            let mut tried = Tried::new(&batch, &ids);
            let mut waiting = parts(batch, limits.bytes);
            while let Some(part) = waiting.pop() {
                waiting.extend(tried.settle(&part, exporter.export(&part).await));
                if tried.stopped.is_some() {
                    break;
                }
            }
            // What the exporter took over is where it belongs before the letter is gone.
            if let Err(error) = exporter.flush().await {
                tried.delivered.clear();
                tried.stopped.get_or_insert_with(|| error.message().into());
            }
            report.delivered += tried.delivered.len() as u64;
            report.rejected += tried.rejected.len() as u64;
            self.settle(&tried)?;
            if tried.stopped.is_some() {
                report.stopped = tried.stopped;
                return Ok(());
            }
            if let Some(rate) = rate.filter(|rate| *rate > 0.0) {
                tokio::time::sleep(Duration::from_secs_f64(sent as f64 / rate)).await;
            }
        }
    }

    fn page(
        &self,
        filter: &DeadLetterFilter,
        signal: Signal,
        from: u64,
        end: u64,
        most: usize,
    ) -> Result<Vec<super::DeadLetter>, Error> {
        let filter = DeadLetterFilter { signal: Some(signal), ..filter.clone() };
        let (condition, mut values) = filter.condition();
        let at = values.len();
        values.extend([number(from).into(), number(end).into(), number(most as u64).into()]);
        let sql = format!(
            "SELECT {COLUMNS}, record FROM letters WHERE {condition} AND id >= ?{} AND id < ?{} ORDER BY id LIMIT ?{}",
            at + 1,
            at + 2,
            at + 3
        );
        self.using(|connection| {
            let mut statement = connection.prepare(&sql)?;
            statement.query_map(params_from_iter(values), letter)?.collect()
        })
    }

    /// Removes what was delivered, and notes what was rejected again.
    fn settle(&self, tried: &Tried) -> Result<(), Error> {
        let now = number(self.clock.now().as_nanos());
        self.using(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut remove = transaction.prepare_cached("DELETE FROM letters WHERE id = ?1")?;
                for id in &tried.delivered {
                    remove.execute([number(*id)])?;
                }
                let sql =
                    "UPDATE letters SET attempts = attempts + ?2, last_try = ?3, kind = ?4, status = ?5,
                    reason = ?6 WHERE id = ?1";
                let mut keep = transaction.prepare_cached(sql)?;
                for (id, why) in &tried.rejected {
                    let Why { kind, status, reason, attempts } = why;
                    let reason = cut(reason);
                    keep.execute(params![number(*id), attempts, now, kind.as_str(), status, reason])?;
                }
            }
            transaction.commit()
        })
    }
}

/// The batch in parts of at most so many bytes, as they are to be taken from the end.
fn parts(batch: Batch, bytes: usize) -> Vec<Batch> {
    let mut parts = Vec::new();
    let mut waiting = vec![batch];
    while let Some(part) = waiting.pop() {
        if part.len() > 1 && part.byte_size() > bytes {
            let (first, second) = part.halves();
            waiting.extend([first, second]);
        } else if !part.is_empty() {
            parts.push(part);
        }
    }
    parts
}

/// Why a record was rejected again.
#[derive(Debug, Clone)]
struct Why {
    kind: ErrorKind,
    status: Option<u16>,
    reason: Box<str>,
    attempts: u32,
}

/// What became of one page.
#[derive(Debug)]
struct Tried {
    /// The letter of the record at an address: records stay where they are while the batch lives.
    letters: HashMap<usize, u64>,
    delivered: HashSet<u64>,
    rejected: HashMap<u64, Why>,
    stopped: Option<Box<str>>,
}

impl Tried {
    fn new(batch: &Batch, ids: &[u64]) -> Self {
        let letters = addresses(batch).into_iter().zip(ids.iter().copied()).collect();
        Self { letters, delivered: HashSet::new(), rejected: HashMap::new(), stopped: None }
    }

    fn ids(&self, batch: &Batch) -> Vec<u64> {
        addresses(batch).iter().filter_map(|address| self.letters.get(address).copied()).collect()
    }

    /// Notes what became of a part; returns what is to be tried in smaller parts.
    fn settle(&mut self, part: &Batch, outcome: Result<Receipt, Error>) -> Vec<Batch> {
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
        let known = waiting.len() == undelivered.len() && self.reject(&receipt.rejected, &mut open);
        for id in &waiting {
            open.remove(id);
        }
        if known {
            self.delivered.extend(open);
        } else {
            // Which of them were rejected is not told: all stay, and those that arrived keep their ids.
            let why = receipt.rejected.first().map_or_else(|| unsure(error.as_ref()), why);
            self.rejected.extend(open.into_iter().map(|id| (id, why.clone())));
        }
        match error {
            None => Vec::new(),
            Some(error) if error.kind().is_content() && undelivered.len() > 1 => {
                let (first, second) = undelivered.halves();
                vec![second, first]
            }
            Some(error) if error.retry() == obs_core::Retry::Never && error.kind().is_content() => {
                let why = unsure(Some(&error));
                self.rejected.extend(waiting.into_iter().map(|id| (id, why.clone())));
                Vec::new()
            }
            Some(error) => {
                self.stopped = Some(error.message().into());
                Vec::new()
            }
        }
    }

    /// Notes what was rejected; whether it is known which records those were.
    fn reject(&mut self, rejections: &[Rejection], open: &mut HashSet<u64>) -> bool {
        let mut known = true;
        for rejection in rejections {
            let ids = rejection.records.as_ref().map(|batch| self.ids(batch)).unwrap_or_default();
            known &= ids.len() == rejection.count;
            for id in ids {
                open.remove(&id);
                self.rejected.insert(id, why(rejection));
            }
        }
        known
    }
}

fn why(rejection: &Rejection) -> Why {
    let Rejection { kind, status, reason, attempts, .. } = rejection;
    Why { kind: *kind, status: *status, reason: reason.clone(), attempts: (*attempts).max(1) }
}

fn unsure(error: Option<&Error>) -> Why {
    let kind = error.map_or(ErrorKind::Rejected, Error::kind);
    let reason = error.map_or("some of a batch were rejected", Error::message).into();
    Why { kind, status: error.and_then(Error::status), reason, attempts: 1 }
}

fn addresses(batch: &Batch) -> Vec<usize> {
    fn of<T>(records: &Records<T>) -> Vec<usize> {
        records.iter().map(|record| ptr::from_ref(record).addr()).collect()
    }
    match batch {
        Batch::Traces(records) => of(records),
        Batch::Metrics(records) => of(records),
        Batch::Logs(records) => of(records),
        Batch::Scores(records) => of(records),
        Batch::Feedback(records) => of(records),
    }
}
