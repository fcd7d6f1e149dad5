//! Trying dead letters again.

use std::time::Duration;

use obs_core::{Batch, Error, Exporter, Signal};
use rusqlite::{TransactionBehavior, params, params_from_iter};

use super::letters::cut;
use super::tried::{Tried, Why};
use super::{COLUMNS, DeadLetterFilter, DeadLetterStore, ReplayReport, gather, letter};
use crate::transaction::number;

/// The most records that are tried at once.
const AT_ONCE: usize = 512;

impl DeadLetterStore {
    /// Delivers the letters that are meant to an exporter, which may be a [`obs_pipeline::Lane`], and removes each once
    /// its record is delivered.
    ///
    /// Records keep their ids, and whoever receives them can tell repeats: if the process dies here, some are delivered
    /// twice.
    /// What another destination takes instead, such as a fallback, is delivered there.
    /// A record that is rejected again stays, with the new reason.
    /// So does one that goes to dead letters of the exporter's own, which may be these: give it a lane without any.
    /// A destination that is out, or asks to wait, ends the replay.
    /// `rate` is how many records go out in a second, at most, and needs a tokio runtime with time; none for as many as the
    /// destination takes.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Io`] where the file cannot be used.
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
        if filter.signal.is_none() {
            report.unreadable += self.count_unsaid(filter)?;
        }
        report.left = meant.saturating_sub(report.met());
        Ok(report)
    }

    /// The number after the last letter: what is put here while others are tried again is not tried.
    fn end(&self) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(id), 0) + 1 FROM letters";
        self.letters
            .using(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))
            .map(|end| end as u64)
    }

    /// How many records have no signal, since the backend did not say which they were.
    fn count_unsaid(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT coalesce(sum(count), 0) FROM letters WHERE {condition} AND signal IS NULL");
        self.letters
            .using(|connection| {
                connection.query_row(&sql, params_from_iter(values), |row| row.get::<_, i64>(0))
            })
            .map(|count| count as u64)
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
            tried.add_to(report);
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
        self.letters.using(|connection| {
            let mut statement = connection.prepare(&sql)?;
            statement.query_map(params_from_iter(values), letter)?.collect()
        })
    }

    /// Removes what was delivered, and notes what was rejected again.
    fn settle(&self, tried: &Tried) -> Result<(), Error> {
        let now = number(self.letters.clock.now().as_nanos());
        self.letters.using(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut remove = transaction.prepare_cached("DELETE FROM letters WHERE id = ?1")?;
                for id in &tried.delivered {
                    remove.execute([number(*id)])?;
                }
                let sql = "UPDATE letters SET attempts = attempts + 1, last_try = ?2 WHERE id = ?1";
                let mut touch = transaction.prepare_cached(sql)?;
                for id in tried.kept() {
                    touch.execute([number(*id), now])?;
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
