//! Comma-separated values: a table for each signal.

use obs_core::{Batch, Refused, Signal};

use crate::format::{Rows, Whole};

/// Rows of CSV.
#[derive(Debug)]
pub(crate) struct Csv;

impl Rows for Csv {
    fn header(&self, _: Signal) -> Vec<u8> {
        Vec::new()
    }

    fn encode(&self, batch: &Batch, _: &mut Vec<u8>, refused: &mut Vec<Refused>) {
        refused.extend((0..batch.len()).map(|at| Refused::encode(at, "CSV is not there yet")));
    }

    fn whole(&self, _: &[u8]) -> Whole {
        Whole::default()
    }
}
