//! From mapped calls to a receipt: the same for every leaf.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::{Batch, Call, Error, ErrorKind, Mapped, Receipt, Rejection, Retry};

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
    /// Which of several failures of one destination is told: the one that asks for the longest rest.
    fn weight(&self) -> (u8, Duration) {
        match self.retry {
            Retry::Backoff => (0, Duration::ZERO),
            Retry::After(wait) => (1, wait),
            Retry::Hold(rest) => (2, rest),
            Retry::Never => (3, Duration::ZERO),
        }
    }

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
/// The failure of the destination, else the first refusal of a call of several records, else a wish for records again,
/// which is [`ErrorKind::RateLimited`], since it rests one lane and no other.
pub async fn deliver<R, F, S>(batch: &Batch, mapped: Mapped<R>, send: S) -> Result<Receipt, Error>
where
    S: FnMut(R) -> F,
    F: Future<Output = Result<Reply, Failure>>,
{
    deliver_abreast(batch, mapped, 1, send).await
}

/// [`deliver`] with up to `abreast` calls under way at once, for backends that take one record a request.
///
/// After a failure that concerns the whole destination no call is begun, and those under way are waited for, because
/// the backend may have taken them.
///
/// # Errors
/// As [`deliver`]; of several failures of the destination, the one that asks for the longest rest.
pub async fn deliver_abreast<R, F, S>(
    batch: &Batch,
    mapped: Mapped<R>,
    abreast: usize,
    mut send: S,
) -> Result<Receipt, Error>
where
    S: FnMut(R) -> F,
    F: Future<Output = Result<Reply, Failure>>,
{
    let mut sums = Sums::of(batch, mapped.refused);
    let mut calls = mapped.calls.into_iter();
    let mut under_way: Vec<(Vec<usize>, Pin<Box<F>>)> = Vec::new();
    loop {
        while sums.out.is_none() && under_way.len() < abreast.max(1) {
            let Some(Call { request, records }) = calls.next() else { break };
            under_way.push((records, Box::pin(send(request))));
        }
        if under_way.is_empty() {
            break;
        }
        let (records, outcome) = first_done(&mut under_way).await;
        sums.add(records, outcome);
    }
    sums.left.extend(calls.flat_map(|call| call.records));
    sums.end()
}

/// Waits until one of the calls has its outcome, and takes it out.
async fn first_done<F: Future>(under_way: &mut Vec<(Vec<usize>, Pin<Box<F>>)>) -> (Vec<usize>, F::Output) {
    poll_fn(|context| {
        for at in 0..under_way.len() {
            if let Poll::Ready(outcome) = under_way[at].1.as_mut().poll(context) {
                return Poll::Ready((under_way.remove(at).0, outcome));
            }
        }
        Poll::Pending
    })
    .await
}

/// What became of the records so far.
struct Sums<'a> {
    batch: &'a Batch,
    receipt: Receipt,
    /// Positions of records that are to be tried again.
    left: Vec<usize>,
    /// Why the destination as a whole takes no more.
    out: Option<Failure>,
    /// The first refusal of a call of several records.
    refusal: Option<Failure>,
}

impl<'a> Sums<'a> {
    fn of(batch: &'a Batch, refused: Vec<Refused>) -> Self {
        let rejected = refused.into_iter().map(|refused| rejection(batch, refused.at, refused)).collect();
        let receipt = Receipt { rejected, ..Receipt::default() };
        Self { batch, receipt, left: Vec::new(), out: None, refusal: None }
    }

    fn add(&mut self, records: Vec<usize>, outcome: Result<Reply, Failure>) {
        match outcome {
            Ok(reply) => self.left.extend(settle(self.batch, &records, reply, &mut self.receipt)),
            // A call without records is a part of a record that a later call has: without it, that record is not there.
            Err(failure) if records.is_empty() || !failure.kind.is_content() => {
                self.left.extend(records);
                self.out = Some(match self.out.take() {
                    Some(known) if known.weight() >= failure.weight() => known,
                    _ => failure,
                });
            }
            Err(Failure { kind, status, message: reason, .. }) if records.len() == 1 => {
                let refused = Refused { at: 0, kind, status, reason };
                self.receipt.rejected.push(rejection(self.batch, records[0], refused));
            }
            Err(failure) => {
                self.left.extend(records);
                self.refusal.get_or_insert(failure);
            }
        }
    }

    fn end(mut self) -> Result<Receipt, Error> {
        if self.left.is_empty() {
            return Ok(self.receipt);
        }
        self.left.sort_unstable();
        // A wish for some records again concerns them alone: the destination is not out, and other lanes go on.
        let failure = self.out.or(self.refusal).unwrap_or_else(|| Failure {
            kind: ErrorKind::RateLimited,
            retry: Retry::Backoff,
            status: None,
            message: "the backend asks for some records once more".into(),
        });
        Err(failure.into_error(self.batch.select(&self.left)).with_settled(self.receipt))
    }
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
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::{Call, Level, Log, Timestamp};

    fn logs(count: usize) -> Batch {
        Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
    }

    #[tokio::test]
    async fn law_1_a_part_of_a_record_that_is_refused_leaves_the_record_to_be_sent() {
        let batch = logs(2);
        let calls = [vec![0], vec![], vec![1]].map(|records| Call { request: records.len(), records });
        let mapped = Mapped { calls: calls.into(), refused: Vec::new() };
        let send = |records: usize| async move {
            let refused = Failure {
                kind: ErrorKind::Rejected,
                retry: Retry::Never,
                status: Some(400),
                message: "no".into(),
            };
            if records == 0 { Err(refused) } else { Ok(Reply::default()) }
        };
        let error = deliver(&batch, mapped, send).await.unwrap_err();
        assert_eq!((error.settled().delivered, error.undelivered().len()), (1, 1));
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
        fn settled_and_undelivered_are_the_batch(sizes in prop::collection::vec(0usize..5, 0..8), codes in any::<[u8; 8]>(), abreast in 0usize..4) {
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
            let outcome = runtime.block_on(deliver_abreast(&batch, mapped, abreast, |(code, len)| async move {
                for _ in 0..code % 3 {
                    tokio::task::yield_now().await;
                }
                answer(code, len)
            }));
            let settled = match &outcome {
                Ok(receipt) => receipt.settled(),
                Err(error) => error.settled().settled() + error.undelivered().len(),
            };
            prop_assert_eq!(settled, total);
        }
    }

    #[tokio::test]
    async fn as_many_calls_are_under_way_as_was_asked_for_and_none_begins_after_an_outage() {
        let (running, most, begun) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let calls = (0..9).map(|at| Call { request: at, records: vec![at] }).collect();
        let send = |at| {
            let (running, most, begun) = (&running, &most, &begun);
            async move {
                begun.set(begun.get() + 1);
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                tokio::task::yield_now().await;
                running.set(running.get() - 1);
                answer(if at == 4 { 4 } else { 6 }, 1)
            }
        };
        let mapped = Mapped { calls, refused: vec![] };
        let error = deliver_abreast(&logs(9), mapped, 3, send).await.unwrap_err();
        assert_eq!((most.get(), running.get(), error.kind()), (3, 0, ErrorKind::Unavailable));
        assert_eq!(error.settled().delivered + 1, begun.get());
        assert_eq!(error.settled().delivered + error.undelivered().len(), 9);
        assert!(begun.get() < 9);
    }

    #[tokio::test]
    async fn of_two_failures_the_one_with_the_longer_rest_is_told() {
        let minute = Duration::from_mins(1);
        for (first, second, told) in [
            (Retry::Backoff, Retry::After(minute), Retry::After(minute)),
            (Retry::After(minute), Retry::Backoff, Retry::After(minute)),
            (Retry::After(minute), Retry::Hold(minute), Retry::Hold(minute)),
        ] {
            let calls = [first, second].into_iter().enumerate();
            let calls = calls.map(|(at, retry)| Call { request: retry, records: vec![at] }).collect();
            let mapped = Mapped { calls, refused: vec![] };
            let send = |retry| async move {
                Err(Failure { kind: ErrorKind::Unavailable, retry, status: None, message: "no".into() })
            };
            let error = deliver_abreast(&logs(2), mapped, 2, send).await.unwrap_err();
            assert_eq!((error.retry(), error.undelivered().len()), (told, 2));
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
