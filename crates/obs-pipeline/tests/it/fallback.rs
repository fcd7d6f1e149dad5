//! Others take what a destination that is out cannot.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, ErrorKind, Exporter, Health, Receipt, Retry, Signal, Signals};
use obs_pipeline::Fallback;
use obs_testkit::{Fail, Scripted, Step, conformance};
use proptest::prelude::*;

use crate::driven::{answer, assert_once, at_once, logs};

const HOLD: Retry = Retry::Hold(Duration::from_mins(1));

fn fallback<const N: usize>(
    primary: &Arc<Scripted>,
    alternatives: [&Arc<Scripted>; N],
    on_auth: bool,
) -> Fallback<Arc<Scripted>> {
    let named = ["second", "third", "fourth"].into_iter().zip(alternatives);
    let named = named.map(|(name, exporter)| (name.into(), Arc::clone(exporter) as Arc<dyn Exporter>));
    Fallback::new(Arc::clone(primary), named.collect(), on_auth)
}

fn export<const N: usize>(primary: Step, alternatives: [&Arc<Scripted>; N]) -> Result<Receipt, Error> {
    at_once(fallback(&Scripted::new([primary]), alternatives, false).export(&logs(10)))
}

fn out() -> Step {
    Step::fail(ErrorKind::Unavailable, HOLD)
}

#[test]
fn what_is_left_goes_to_the_first_that_takes_it() {
    let (second, third) = (Scripted::new([Step::Reject(vec![1])]), Scripted::new([]));
    let receipt = export(Step::fail_after(4, ErrorKind::Unavailable, HOLD), [&second, &third]).unwrap();
    assert_eq!((receipt.delivered, receipt.diverted_count(), receipt.rejected_count()), (4, 6, 0));
    let diverted = &receipt.diverted[0];
    assert_eq!(
        (&*diverted.to, diverted.receipt.delivered, diverted.receipt.rejected_count()),
        ("second", 5, 1)
    );
    assert_eq!(second.batches(), [logs(10).slice(4..10)]);
    assert_eq!(third.calls().exports, 0);
}

#[test]
fn what_one_leaves_goes_to_the_next() {
    let (kind, retry, status) = (ErrorKind::RateLimited, Retry::Backoff, None);
    let part = Fail { kind, retry, status, delivered: 3, rejected: 1 };
    let (second, third) = (Scripted::new([Step::Fail(part)]), Scripted::new([]));
    let receipt = export(out(), [&second, &third]).unwrap();
    let to: Vec<_> = receipt.diverted.iter().map(|part| (&*part.to, part.receipt.settled())).collect();
    assert_eq!(to, [("second", 4), ("third", 6)]);
    assert_eq!(third.batches(), [logs(10).slice(4..10)]);
}

#[test]
fn what_none_takes_stays_with_the_error_of_the_destination() {
    let second = Scripted::new([Step::fail_after(3, ErrorKind::Timeout, Retry::Backoff)]);
    let third = Scripted::new([Step::refused()]);
    let error = export(out(), [&second, &third]).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, HOLD));
    assert_eq!((error.settled().diverted_count(), error.undelivered()), (3, &logs(10).slice(3..10)));
    assert_eq!(
        error.message(),
        "the script says so; its fallbacks failed as well (second: the script says so; third: the script says so)"
    );
}

#[test]
fn only_a_destination_that_is_out_is_stood_in_for() {
    for (kind, retry) in [
        (ErrorKind::Unavailable, Retry::Backoff),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(1))),
        (ErrorKind::Rejected, Retry::Never),
        (ErrorKind::Auth, HOLD),
    ] {
        let second = Scripted::new([]);
        let error = export(Step::fail_after(1, kind, retry), [&second]).unwrap_err();
        assert_eq!((error.kind(), error.retry(), error.undelivered().len()), (kind, retry, 9));
        assert_eq!(second.calls().exports, 0, "{kind}");
    }
    let (primary, second) = (Scripted::new([Step::fail(ErrorKind::Auth, HOLD)]), Scripted::new([]));
    let receipt = at_once(fallback(&primary, [&second], true).export(&logs(2))).unwrap();
    assert_eq!(receipt.diverted_count(), 2, "where it was asked for");
}

#[test]
fn an_alternative_without_the_signal_is_passed_over() {
    let traces = Scripted::DESCRIPTOR.narrowed(Signals::NONE.with(Signal::Traces));
    let second = Scripted::builder([]).with_descriptor(traces).shared();
    let third = Scripted::new([]);
    assert_eq!(&*export(out(), [&second, &third]).unwrap().diverted[0].to, "third");
    assert_eq!(export(out(), [&second]).unwrap_err().message(), "the script says so");
    assert_eq!(second.calls().exports, 0);
}

#[test]
fn flush_and_shutdown_reach_all_and_check_the_destination() {
    let [primary, second, third] = [(); 3].map(|()| Scripted::new([]));
    let fallback = fallback(&primary, [&second, &third], false);
    second.set_flush_error(Some(ErrorKind::Io));
    second.set_health(Health::Unhealthy("down".into()));
    assert_eq!(at_once(fallback.flush()).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(at_once(fallback.check()), Health::Healthy);
    assert!(at_once(fallback.shutdown()).is_err());
    for exporter in [primary, second, third] {
        assert!(exporter.is_closed() && exporter.calls().flushes == 1);
    }
}

proptest! {
    #[test]
    fn law_1_accounting_with_fallbacks(
        scripts in prop::array::uniform3(prop::collection::vec(answer(), 0..4)), on_auth in any::<bool>(),
    ) {
        let [primary, second, third] = scripts.map(Scripted::new);
        let fallback = fallback(&primary, [&second, &third], on_auth);
        for _ in 0..4 {
            let before = [&primary, &second, &third].map(|exporter| exporter.records().len());
            let batch = logs(9);
            let result = at_once(fallback.export(&batch));
            conformance::assert_conserved(&batch, &result);
            let arrived = [&primary, &second, &third].into_iter().zip(before);
            let arrived: Vec<_> = arrived.flat_map(|(exporter, from)| exporter.records().split_off(from)).collect();
            assert_once(&arrived, &result);
        }
    }
}

#[test]
fn fallback_keeps_the_contract() {
    conformance::decorator(|inner| {
        let other: Arc<dyn Exporter> = Scripted::new([]);
        Arc::new(Fallback::new(inner, vec![("other".into(), other)], true))
    });
}
