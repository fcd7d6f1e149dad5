//! Conservation, checked from outside.

use std::collections::HashMap;

use obs_core::{Batch, Error, ErrorKind, Exporter, Receipt, Rejection};

use super::cut;

/// What one or several exports came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What settled.
    pub settled: Receipt,
    /// How many records were left undelivered.
    pub undelivered: usize,
    /// The errors, in order.
    pub errors: Vec<Error>,
}

impl Outcome {
    /// Fails the test unless every record was delivered, queued, or rejected for a reason that lies in the record.
    pub(super) fn assert_settled(&self, what: &str) {
        assert!(self.errors.is_empty(), "{what}: the export failed: {:?}", self.errors);
        for rejection in &self.settled.rejected {
            let own = matches!(
                rejection.kind,
                ErrorKind::Encode | ErrorKind::UnresolvableTarget | ErrorKind::TooLarge
            );
            assert!(own, "{what}: rejected as {}: {}", rejection.kind, rejection.reason);
        }
    }
}

/// Exports the batch within the limits of the descriptor, piece by piece, and holds each to conservation.
///
/// # Panics
/// Where what settled and what is left is not the piece.
pub async fn export_and_account(exporter: &dyn Exporter, batch: &Batch) -> Outcome {
    let mut outcome = Outcome::default();
    for piece in cut(batch, exporter.descriptor()) {
        let result = exporter.export(&piece).await;
        assert_conserved(&piece, &result);
        match result {
            Ok(receipt) => outcome.settled.absorb(receipt),
            Err(error) => {
                outcome.undelivered += error.undelivered().len();
                let (settled, error) = error.take_settled();
                outcome.settled.absorb(settled);
                outcome.errors.push(error);
            }
        }
    }
    outcome
}

/// Holds the result of one `export` to conservation: what settled and what is left is exactly the batch.
///
/// # Panics
/// Where the counts do not add up, a rejection miscounts its records, or records came back that were not given, or twice.
pub fn assert_conserved(batch: &Batch, result: &Result<Receipt, Error>) {
    let empty = Batch::empty(batch.signal());
    let (settled, undelivered) = match result {
        Ok(receipt) => (receipt, &empty),
        Err(error) => (error.settled(), error.undelivered()),
    };
    let (given, back) = (batch.len(), settled.settled() + undelivered.len());
    assert_eq!(given, back, "{given} {} given, {back} accounted for: {result:?}", batch.signal());
    let rejections = rejections(settled);
    let rejected: Vec<&Batch> =
        rejections.iter().filter_map(|rejection| rejection.records.as_ref()).collect();
    for rejection in &rejections {
        let held = rejection.records.as_ref().map_or(rejection.count, Batch::len);
        assert_eq!(held, rejection.count, "a rejection counts {} records and holds {held}", rejection.count);
    }
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    if rejected.is_empty() && undelivered.is_empty() {
        return;
    }
    for line in lines(batch) {
        *known.entry(line).or_default() += 1;
    }
    for line in rejected.into_iter().chain([undelivered]).flat_map(lines) {
        match known.get_mut(&line) {
            Some(left) if *left > 0 => *left -= 1,
            _ => panic!("a record came back that was not given, or twice: {}", shown(&line)),
        }
    }
}

/// The rejections of a receipt, and of those inside it.
fn rejections(receipt: &Receipt) -> Vec<&Rejection> {
    let diverted = receipt.diverted.iter().flat_map(|diverted| rejections(&diverted.receipt));
    receipt.rejected.iter().chain(diverted).collect()
}

fn lines(batch: &Batch) -> Vec<Vec<u8>> {
    let line = |record: obs_core::Record| {
        let mut line = Vec::new();
        match record.write_line(&mut line) {
            Ok(()) => line,
            Err(error) => error.to_string().into_bytes(),
        }
    };
    batch.to_records().into_iter().map(line).collect()
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned()
}
