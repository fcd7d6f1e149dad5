//! What is handed to a sink: the canonical JSON of a batch, or the batch itself.

use obs_core::{Batch, Call, Mapped, Refused};

use crate::JsonExporter;

/// One write.
#[derive(Debug)]
pub(crate) enum Request {
    /// Whole lines, one for each record.
    Lines(Vec<u8>),
    /// The records as they are, for a sink that keeps them in memory.
    Records(Batch),
}

/// One write for the whole batch, without the records that have no JSON.
pub(crate) fn request(exporter: &JsonExporter, batch: Batch) -> Mapped<Request> {
    let len = batch.len();
    if len == 0 {
        return Mapped::default();
    }
    if exporter.keeps_records() {
        return Mapped::whole(Request::Records(batch), len);
    }
    let (mut lines, mut refused) = (exporter.buffer(), Vec::new());
    batch.write_lines(&mut lines, |at, cause| {
        refused.push(Refused::encode(at, format!("the record has no JSON form: {cause}")));
    });
    let mut failed = refused.iter().map(|refused| refused.at).peekable();
    let records = (0..len).filter(|at| failed.next_if_eq(at).is_none()).collect();
    Mapped { calls: vec![Call { request: Request::Lines(lines), records }], refused }
}
