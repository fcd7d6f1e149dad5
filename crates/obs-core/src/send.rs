//! From mapped calls to a receipt: the same for every leaf.

use crate::{Batch, Error, ErrorKind, Mapped, Receipt, Rejection, Retry};

/// A record that will never be delivered, by its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The position: in the batch for a mapper, among the call's records for a reply.
    pub at: usize,
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// The status of the item, if the backend gave one.
    pub status: Option<u16>,
    /// Why.
    pub reason: Box<str>,
}

impl Refused {
    /// A record that cannot be put into the backend's form.
    pub fn encode(at: usize, reason: impl Into<Box<str>>) -> Self {
        Self { at, kind: ErrorKind::Encode, status: None, reason: reason.into() }
    }

    /// A score or feedback whose target the backend could not find.
    pub fn unresolvable_target(at: usize, reason: impl Into<Box<str>>) -> Self {
        Self { at, kind: ErrorKind::UnresolvableTarget, status: None, reason: reason.into() }
    }
}

/// What a backend said to a call that it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Records it refused, by their position among the call's.
    pub refused: Vec<Refused>,
    /// Records it asks for once more, by their position among the call's.
    pub again: Vec<usize>,
    /// How many it refused without saying which, and why.
    pub lost: Option<(usize, Box<str>)>,
}

/// Why a call did not pass.
#[derive(Debug)]
pub struct Failure {
    /// What kind of trouble; [`ErrorKind::is_content`] decides whether the next call is worth trying.
    pub kind: ErrorKind,
    /// Whether and when to try again.
    pub retry: Retry,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// Why.
    pub message: Box<str>,
}

impl Failure {
    fn into_error(self, undelivered: Batch) -> Error {
        Error::new(self.kind, self.retry, self.message, undelivered).with_status(self.status)
    }
}

/// Sends the calls one after the other and adds up what became of the records.
///
/// A failure that concerns the whole destination ends it, and what is left is undelivered.
/// A call refused for its content does not stop the others: one record is a rejection, several are undelivered, for the
/// caller to split.
///
/// # Errors
/// The failure of the destination, else the first refusal of a call of several records, else a wish for records again.
pub async fn deliver<R, F, S>(batch: &Batch, mapped: Mapped<R>, mut send: S) -> Result<Receipt, Error>
where
    S: FnMut(R) -> F,
    F: Future<Output = Result<Reply, Failure>>,
{
    let mut receipt = Receipt::default();
    for refused in mapped.refused {
        receipt.rejected.push(rejection(batch, refused.at, refused));
    }
    let (mut left, mut first): (Vec<usize>, Option<Failure>) = (Vec::new(), None);
    let mut calls = mapped.calls.into_iter();
    while let Some(call) = calls.next() {
        match send(call.request).await {
            Ok(reply) => left.extend(settle(batch, &call.records, reply, &mut receipt)),
            Err(failure) if !failure.kind.is_content() => {
                left.extend(call.records);
                left.extend(calls.flat_map(|call| call.records));
                return Err(failure.into_error(batch.select(&left)).with_settled(receipt));
            }
            Err(failure) if call.records.len() == 1 => {
                let Failure { kind, status, message: reason, .. } = failure;
                receipt.rejected.push(rejection(
                    batch,
                    call.records[0],
                    Refused { at: 0, kind, status, reason },
                ));
            }
            Err(failure) => {
                left.extend(call.records);
                first.get_or_insert(failure);
            }
        }
    }
    if left.is_empty() {
        return Ok(receipt);
    }
    let failure = first.unwrap_or_else(|| Failure {
        kind: ErrorKind::Unavailable,
        retry: Retry::Backoff,
        status: None,
        message: "the backend asks for some records once more".into(),
    });
    Err(failure.into_error(batch.select(&left)).with_settled(receipt))
}

fn rejection(batch: &Batch, at: usize, refused: Refused) -> Rejection {
    let Refused { kind, status, reason, .. } = refused;
    Rejection { records: Some(batch.select(&[at])), count: 1, kind, status, reason, attempts: 1 }
}

/// Adds a reply to the receipt and returns what is wanted again; positions beyond the call are ignored.
fn settle(batch: &Batch, records: &[usize], reply: Reply, receipt: &mut Receipt) -> Vec<usize> {
    let mut open = vec![true; records.len()];
    let mut close = |at: usize| open.get_mut(at).is_some_and(std::mem::take);
    for refused in reply.refused {
        if close(refused.at) {
            receipt.rejected.push(rejection(batch, records[refused.at], refused));
        }
    }
    let again: Vec<usize> = reply.again.into_iter().filter(|at| close(*at)).map(|at| records[at]).collect();
    let remaining = open.into_iter().filter(|open| *open).count();
    let (lost, reason) = reply.lost.unwrap_or_default();
    let lost = lost.min(remaining);
    if lost > 0 {
        let (kind, status) = (ErrorKind::Rejected, None);
        receipt.rejected.push(Rejection { records: None, count: lost, kind, status, reason, attempts: 1 });
    }
    receipt.delivered += remaining - lost;
    again
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Call, Level, Log, Timestamp};

    fn logs(count: usize) -> Batch {
        Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
    }

    fn answer(code: u8, len: usize) -> Result<Reply, Failure> {
        let fail = |kind, retry| Err(Failure { kind, retry, status: None, message: "no".into() });
        match code % 7 {
            0 => Ok(Reply {
                refused: vec![Refused::encode(0, "x"), Refused::encode(99, "x")],
                ..Reply::default()
            }),
            1 => Ok(Reply { again: vec![0, 0, len], ..Reply::default() }),
            2 => Ok(Reply { lost: Some((2, "some".into())), ..Reply::default() }),
            3 => fail(ErrorKind::Rejected, Retry::Never),
            4 => fail(ErrorKind::Unavailable, Retry::Backoff),
            _ => Ok(Reply::default()),
        }
    }

    proptest! {
        #[test]
        fn settled_and_undelivered_are_the_batch(sizes in prop::collection::vec(0usize..5, 0..8), codes in any::<[u8; 8]>()) {
            let total: usize = sizes.iter().sum::<usize>() + 1;
            let batch = logs(total);
            let mut at = 1;
            let calls = sizes.iter().zip(codes).map(|(size, code)| {
                let records: Vec<usize> = (at..at + size).collect();
                at += size;
                Call { request: (code, *size), records }
            }).collect();
            let mapped = Mapped { calls, refused: vec![Refused::encode(0, "no form")] };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let outcome = runtime.block_on(deliver(&batch, mapped, |(code, len)| async move { answer(code, len) }));
            let settled = match &outcome {
                Ok(receipt) => receipt.settled(),
                Err(error) => error.settled().settled() + error.undelivered().len(),
            };
            prop_assert_eq!(settled, total);
        }
    }

    #[tokio::test]
    async fn one_refused_record_does_not_stop_the_others() {
        let calls = (0..3).map(|at| Call { request: at, records: vec![at] }).collect();
        let mapped = Mapped { calls, refused: vec![] };
        let send = |at| async move { if at == 1 { answer(3, 1) } else { answer(6, 1) } };
        let receipt = deliver(&logs(3), mapped, send).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
        assert_eq!(receipt.rejected[0].kind, ErrorKind::Rejected);
    }
}
