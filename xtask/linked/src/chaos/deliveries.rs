//! A file of what was delivered, which outlives the process that delivers, and what it says.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use obs_core::{Batch, Signal};

use super::numbered;

/// Writes what is delivered.
#[derive(Debug)]
pub(crate) struct Deliveries(Mutex<File>);

impl Deliveries {
    /// Goes on at the end of the file, as a new run.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // The line that the last run was killed over ends here.
        file.write_all(b"\nrun\n")?;
        Ok(Self(Mutex::new(file)))
    }

    /// Writes the batch with one call, so that a kill leaves all of it or a part of it, and nothing in between.
    pub(crate) fn keep(&self, batch: &Batch) -> io::Result<()> {
        let lane = batch.signal();
        let line = |seen: numbered::Seen| format!("{lane} {} {:016x};\n", seen.number, seen.hash);
        let lines: String = numbered::seen(batch).into_iter().map(line).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes())
    }
}

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The numbers that were delivered.
    pub(crate) numbers: HashSet<u64>,
    /// Records whose payload is not what was recorded.
    pub(crate) corrupted: u64,
    /// Records that a run delivered although it had done so before.
    pub(crate) repeated_in_a_run: u64,
    /// Records that a run delivered although an earlier one had done so.
    pub(crate) repeated: u64,
    /// The most of those of one lane in one run.
    pub(crate) most_repeated: u64,
    /// Lines that a kill cut off.
    pub(crate) torn: u64,
}

impl Found {
    /// Reads the lines, which hold payloads of so many bytes.
    pub(crate) fn read(text: &str, bytes: usize) -> Self {
        let mut found = Self::default();
        let mut run = 0_u64;
        let mut last_run: HashMap<u64, u64> = HashMap::new();
        let mut repeats: HashMap<(u64, Signal), u64> = HashMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line == "run" {
                run += 1;
                continue;
            }
            let Some((lane, number, hash)) = parse(line) else {
                found.torn += 1;
                continue;
            };
            found.corrupted += u64::from(hash != numbered::expected(number, bytes));
            found.numbers.insert(number);
            match last_run.insert(number, run) {
                None => {}
                Some(before) if before == run => found.repeated_in_a_run += 1,
                Some(_) => {
                    found.repeated += 1;
                    *repeats.entry((run, lane)).or_default() += 1;
                }
            }
        }
        found.most_repeated = repeats.values().copied().max().unwrap_or_default();
        found
    }
}

fn parse(line: &str) -> Option<(Signal, u64, u64)> {
    let mut words = line.strip_suffix(';')?.split(' ');
    let (lane, number, hash) = (words.next()?, words.next()?, words.next()?);
    let lane = Signal::ALL.into_iter().find(|signal| signal.to_string() == lane)?;
    Some((lane, number.parse().ok()?, u64::from_str_radix(hash, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use obs_core::Timestamp;

    use super::*;

    fn batch(numbers: std::ops::Range<u64>) -> Batch {
        let record = |number| numbered::record(number, Signal::Logs, 40, Timestamp::from_nanos(1));
        Batch::group(numbers.map(record)).remove(0)
    }

    #[test]
    fn repeats_and_damage_are_counted_and_half_a_line_is_not_a_delivery() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("delivered");
        let first = Deliveries::open(&path).unwrap();
        first.keep(&batch(0..4)).unwrap();
        first.0.lock().unwrap().write_all(b"logs 4 00").unwrap();
        let second = Deliveries::open(&path).unwrap();
        second.keep(&batch(2..5)).unwrap();
        second.keep(&batch(4..6)).unwrap();
        second.0.lock().unwrap().write_all(b"logs 9 0000000000000000;\n").unwrap();
        let found = Found::read(&std::fs::read_to_string(&path).unwrap(), 40);
        let numbers = HashSet::from([0, 1, 2, 3, 4, 5, 9]);
        let expected =
            Found { numbers, corrupted: 1, repeated_in_a_run: 1, repeated: 2, most_repeated: 2, torn: 1 };
        assert_eq!(found, expected);
    }
}
