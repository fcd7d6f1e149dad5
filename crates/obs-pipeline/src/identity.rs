//! Which record is which, without copying any: a record stays where it is for as long as its segment lives.

use std::sync::Arc;

use obs_core::Batch;

/// The positions in `all` of the records that were selected from it, in their order.
pub(crate) fn positions(all: &Batch, selected: &Batch) -> Arc<[u32]> {
    let wanted = selected.addresses();
    let mut wanted = wanted.iter().peekable();
    let all = all.addresses();
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
