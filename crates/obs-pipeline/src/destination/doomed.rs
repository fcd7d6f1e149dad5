//! What a queue gave up, on its way to the dead letters.

use std::collections::VecDeque;

use obs_core::{Batch, Error, ErrorKind, Rejection};

use crate::queue::Removed;
use crate::terms::dropped;

/// Records that grew too old or found no room, until the dead letters have them.
#[derive(Debug, Default)]
pub(super) struct Doomed {
    waiting: VecDeque<Dead>,
    bytes: usize,
    /// Records and bytes that are being put.
    burying: (usize, usize),
}

/// What goes to the dead letters, and how many of the lane's records it stands for: a point of a series has many.
#[derive(Debug)]
pub(super) struct Dead {
    pub(super) rejection: Rejection,
    pub(super) records: usize,
}

/// What became of some of them.
#[derive(Debug)]
pub(super) struct Buried {
    pub(super) kind: ErrorKind,
    pub(super) count: usize,
    pub(super) result: Result<(), Error>,
}

impl Doomed {
    /// Takes records over if there is room, of which it takes its part; else returns how many were lost.
    pub(super) fn take(
        &mut self,
        removed: Removed,
        kind: ErrorKind,
        reason: &str,
        room: &mut usize,
    ) -> usize {
        let Removed { batch: Some(mut batch), count } = removed else { return removed.count };
        let mut bytes = batch.byte_size();
        // Where all of it has no room, a part of it may.
        while bytes > *room && !batch.is_empty() {
            batch = batch.halves().0;
            bytes = batch.byte_size();
        }
        if batch.is_empty() {
            return count;
        }
        *room -= bytes;
        let kept = batch.len();
        self.bytes += bytes;
        let rejection = Rejection { attempts: 0, ..Rejection::of(batch, kind, reason) };
        self.waiting.push_back(Dead { rejection, records: kept });
        count - kept
    }

    /// Takes the points of series over that stand for so many records, if there is room for all of them.
    pub(super) fn take_points(
        &mut self,
        points: Batch,
        records: usize,
        kind: ErrorKind,
        reason: &str,
        room: &mut usize,
    ) -> bool {
        let bytes = points.byte_size();
        if bytes > *room || points.is_empty() {
            return false;
        }
        *room -= bytes;
        self.bytes += bytes;
        let rejection = Rejection { attempts: 0, ..Rejection::of(points, kind, reason) };
        self.waiting.push_back(Dead { rejection, records });
        true
    }

    /// All that wait, if none are being put.
    pub(super) fn next(&mut self) -> Option<Vec<Dead>> {
        if !self.is_due() {
            return None;
        }
        let all: Vec<_> = std::mem::take(&mut self.waiting).into();
        self.burying = (all.iter().map(|dead| dead.records).sum(), std::mem::take(&mut self.bytes));
        Some(all)
    }

    /// Whether some wait and none are being put.
    pub(super) fn is_due(&self) -> bool {
        self.burying.0 == 0 && !self.waiting.is_empty()
    }

    /// Whether some are being put.
    pub(super) fn is_burying(&self) -> bool {
        self.burying.0 > 0
    }

    /// Those that were being put are settled.
    pub(super) fn done(&mut self) {
        self.burying = (0, 0);
    }

    /// Gives all of them up.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many records.
    pub(super) fn count(&self) -> usize {
        self.burying.0 + self.waiting.iter().map(|dead| dead.records).sum::<usize>()
    }

    /// How much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.burying.1
    }
}

/// The reason under which records of this kind are counted where the dead letters do not take them.
pub(super) fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Expired => dropped::EXPIRED,
        ErrorKind::Closed => dropped::SHUTDOWN,
        _ => dropped::OVERFLOW,
    }
}
