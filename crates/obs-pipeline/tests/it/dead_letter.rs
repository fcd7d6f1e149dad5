//! What a destination rejects is kept, and nothing else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, DeadLetters, Error, ErrorKind, Exporter, ExporterDeadLetters, Receipt, Record, Rejection, Retry,
};
use obs_pipeline::{DeadLetter, Fallback};
use obs_testkit::{Fail, Scripted, Step, conformance};
use proptest::prelude::*;

use crate::driven::{answer, assert_once, at_once, logs, number, settled};

/// What these dead letters do with a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Grave {
    #[default]
    Takes,
    Refuses,
    Panics,
}

/// Dead letters in memory.
#[derive(Debug, Default)]
pub(crate) struct Graveyard {
    does: Grave,
    put: Mutex<Vec<(String, Rejection)>>,
}

impl Graveyard {
    pub(crate) fn new(does: Grave) -> Arc<Self> {
        Arc::new(Self { does, put: Mutex::default() })
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let put = self.put.lock().unwrap();
        put.iter()
            .filter_map(|(_, rejection)| rejection.records.as_ref())
            .flat_map(Batch::to_records)
            .collect()
    }

    pub(crate) fn kinds(&self) -> Vec<ErrorKind> {
        self.put.lock().unwrap().iter().map(|(_, rejection)| rejection.kind).collect()
    }

    /// From which destination, how many, and whether the records are there.
    fn stones(&self) -> Vec<(String, usize, bool)> {
        let put = self.put.lock().unwrap();
        put.iter().map(|(from, it)| (from.clone(), it.count, it.records.is_some())).collect()
    }
}

#[async_trait]
impl DeadLetters for Graveyard {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        match self.does {
            Grave::Takes => {
                self.put.lock().unwrap().push((destination.to_owned(), rejection.clone()));
                Ok(())
            }
            Grave::Refuses => Err(Error::without_records(ErrorKind::Io, "the disk is full")),
            Grave::Panics => panic!("the lid is stuck"),
        }
    }
}

fn export(step: Step, does: Grave) -> (Result<Receipt, Error>, Arc<Graveyard>) {
    let graveyard = Graveyard::new(does);
    let dead_letter = DeadLetter::new(Scripted::new([step]), "first", graveyard.clone());
    (at_once(dead_letter.export(&logs(10))), graveyard)
}

#[test]
fn what_is_rejected_is_kept_with_its_reason() {
    let (receipt, graveyard) = export(Step::Reject(vec![2, 5]), Grave::Takes);
    let expected = Receipt { dead_lettered: 2, ..Receipt::delivered(8) };
    assert_eq!(receipt.unwrap(), expected);
    let put = graveyard.put.lock().unwrap();
    assert_eq!(put[1].0, "first");
    assert_eq!(put[1].1, Rejection::of(logs(10).slice(5..6), ErrorKind::Rejected, "the script says so"));
}

#[test]
fn an_error_that_gives_up_is_kept_and_no_error() {
    let fail =
        Fail { kind: ErrorKind::Rejected, retry: Retry::Never, status: Some(400), delivered: 3, rejected: 1 };
    let (receipt, graveyard) = export(Step::Fail(fail), Grave::Takes);
    assert_eq!(receipt.unwrap(), Receipt { dead_lettered: 7, ..Receipt::delivered(3) });
    assert_eq!(graveyard.stones(), [("first".to_owned(), 1, true), ("first".to_owned(), 6, true)]);
    assert_eq!(graveyard.put.lock().unwrap()[1].1.status, Some(400));
}

#[test]
fn transient_trouble_dead_letters_nothing() {
    let minute = Duration::from_mins(1);
    for retry in [Retry::Backoff, Retry::After(minute), Retry::Hold(minute)] {
        for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::RateLimited, ErrorKind::Auth] {
            let fail = Fail { kind, retry, status: None, delivered: 1, rejected: 2 };
            let (result, graveyard) = export(Step::Fail(fail), Grave::Takes);
            let error = result.unwrap_err();
            assert_eq!(
                (error.kind(), error.retry(), error.undelivered()),
                (kind, retry, &logs(10).slice(3..10))
            );
            assert_eq!(*error.settled(), Receipt { dead_lettered: 2, ..Receipt::delivered(1) });
            assert_eq!(graveyard.records().iter().map(number).collect::<Vec<_>>(), [1, 2]);
        }
    }
}

#[test]
fn what_the_dead_letters_do_not_take_stays_rejected_and_says_why() {
    for (does, why) in
        [(Grave::Refuses, "the disk is full"), (Grave::Panics, "they panicked: the lid is stuck")]
    {
        let receipt = export(Step::Reject(vec![4]), does).0.unwrap();
        assert_eq!((receipt.delivered, receipt.dead_lettered, receipt.rejected_count()), (9, 0, 1));
        let expected = format!("the script says so; not with the dead letters: {why}");
        assert_eq!(*receipt.rejected[0].reason, *expected);
        assert_eq!(receipt.rejected[0].records, Some(logs(10).slice(4..5)));
    }
}

#[test]
fn a_rejection_without_records_is_noted_and_stays_rejected() {
    let (receipt, graveyard) = export(Step::Lose(3), Grave::Takes);
    let receipt = receipt.unwrap();
    assert_eq!((receipt.delivered, receipt.dead_lettered, receipt.rejected_count()), (7, 0, 3));
    assert_eq!(graveyard.stones(), [("first".to_owned(), 3, false)]);
    assert_eq!(&*receipt.rejected[0].reason, "some were refused");
}

#[test]
fn what_a_fallback_rejects_is_kept_under_its_name() {
    let hold = Retry::Hold(Duration::from_mins(1));
    let first = Scripted::new([Step::Fail(Fail {
        kind: ErrorKind::Unavailable,
        retry: hold,
        status: None,
        delivered: 0,
        rejected: 1,
    })]);
    let second: Arc<dyn Exporter> = Scripted::new([Step::Reject(vec![0, 1])]);
    let graveyard = Graveyard::new(Grave::Takes);
    let fallback = Fallback::new(first, vec![("second".into(), second)], false);
    let receipt = at_once(DeadLetter::new(fallback, "first", graveyard.clone()).export(&logs(10))).unwrap();
    assert_eq!((receipt.dead_lettered, receipt.diverted_count(), receipt.settled()), (1, 9, 10));
    assert_eq!(receipt.diverted[0].receipt, Receipt { dead_lettered: 2, ..Receipt::delivered(7) });
    let from: Vec<_> = graveyard.stones().into_iter().map(|(from, ..)| from).collect();
    assert_eq!(from, ["first", "second", "second"]);
}

#[test]
fn any_exporter_is_a_place_for_dead_letters() {
    let file = Scripted::new([Step::Deliver, Step::unavailable()]);
    let dead_letters = Arc::new(ExporterDeadLetters::new(Arc::clone(&file)));
    let dead_letter = DeadLetter::new(Scripted::new([Step::Reject(vec![1, 2])]), "first", dead_letters);
    let receipt = at_once(dead_letter.export(&logs(4))).unwrap();
    assert_eq!((receipt.delivered, receipt.dead_lettered, receipt.rejected_count()), (2, 1, 1));
    assert_eq!(file.records().len(), 1);
}

proptest! {
    #[test]
    fn law_1_accounting_with_dead_letters(
        script in prop::collection::vec(answer(), 0..6),
        does in prop::sample::select(vec![Grave::Takes, Grave::Refuses]),
    ) {
        let (scripted, graveyard) = (Scripted::new(script), Graveyard::new(does));
        let dead_letter = DeadLetter::new(Arc::clone(&scripted), "first", graveyard.clone());
        for _ in 0..6 {
            let (arrived, kept) = (scripted.records().len(), graveyard.records().len());
            let batch = logs(9);
            let result = at_once(dead_letter.export(&batch));
            conformance::assert_conserved(&batch, &result);
            let receipt = settled(&result);
            prop_assert_eq!(receipt.dead_lettered, graveyard.records().len() - kept);
            let mut there = scripted.records().split_off(arrived);
            there.extend(graveyard.records().split_off(kept));
            assert_once(&there, &result);
        }
    }
}

#[test]
fn dead_letter_keeps_the_contract() {
    conformance::decorator(|inner| Arc::new(DeadLetter::new(inner, "first", Graveyard::new(Grave::Takes))));
    conformance::decorator(|inner| Arc::new(DeadLetter::new(inner, "first", Graveyard::new(Grave::Refuses))));
}
