//! Which record is which, without copying any: a record stays where it is for as long as its segment lives.

use std::ptr;
use std::sync::Arc;

use obs_core::{Batch, Records};

/// The addresses of a batch's records, in order.
pub(crate) fn addresses(batch: &Batch) -> Vec<usize> {
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

/// The positions in `all` of the records that were selected from it, in their order.
pub(crate) fn positions(all: &Batch, selected: &Batch) -> Arc<[u32]> {
    let wanted = addresses(selected);
    let mut wanted = wanted.iter().peekable();
    let all = addresses(all);
    let found = all.iter().enumerate().filter(|(_, address)| wanted.next_if_eq(address).is_some());
    found.map(|(at, _)| at as u32).collect()
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Log, Timestamp};

    use super::*;

    #[test]
    fn positions_are_those_that_were_selected() {
        let all = Batch::Logs((0..9).map(|_| Log::new(Timestamp::default(), Level::Info, "same")).collect());
        for chosen in [vec![], vec![0], vec![2, 3, 8], (0..9).collect()] {
            let expected: Vec<u32> = chosen.iter().map(|at| *at as u32).collect();
            assert_eq!(*positions(&all, &all.select(&chosen)), *expected);
        }
    }
}
