//! What did not pass is tried again: when, how long, and never what settled.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Exporter, Receipt, Retry as Advice};
use obs_pipeline::{Clock, Haste, ManualClock, Retry, RetryConfig};
use obs_testkit::{Fail, Scripted, Step, conformance};
use proptest::prelude::*;

use crate::driven::{Stamped, TICK, answer, assert_once, at_once, clock, drive, logs, poll, waits};

const PLAIN: RetryConfig = RetryConfig { jitter: false, ..RetryConfig::DEFAULT };
const MILLIS: fn(u64) -> Duration = Duration::from_millis;
const SECONDS: fn(u64) -> Duration = Duration::from_secs;

struct Setup {
    scripted: Arc<Scripted>,
    stamped: Arc<Stamped>,
    retry: Retry<Arc<Stamped>>,
    clock: Clock,
    hand: ManualClock,
    haste: Haste,
}

fn setup(config: RetryConfig, scripted: Arc<Scripted>) -> Setup {
    let ((clock, hand), haste) = (clock(), Haste::new());
    let stamped = Stamped::new(&scripted, &clock);
    let retry = Retry::new(Arc::clone(&stamped), config, clock.clone()).with_haste(haste.clone());
    Setup { scripted, stamped, retry, clock, hand, haste }
}

fn always(step: Step) -> Arc<Scripted> {
    Scripted::builder([]).and_then(step).shared()
}

impl Setup {
    fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        drive(&self.hand, self.retry.export(batch))
    }
}

#[test]
fn waits_double_until_a_wait_would_end_beyond_the_budget() {
    let setup = setup(PLAIN, always(Step::unavailable()));
    let error = setup.export(&logs(3)).unwrap_err();
    let waits: Vec<_> = [500, 1_000, 2_000, 4_000, 8_000, 16_000].map(MILLIS).into();
    assert_eq!(setup.stamped.waits(), waits);
    assert_eq!(setup.clock.monotonic(), MILLIS(31_500), "the wait of 30 s was not begun");
    assert_eq!((error.retry(), error.attempts()), (Advice::Hold(SECONDS(30)), 7));
    assert_eq!(*error.undelivered(), logs(3));
}

#[test]
fn waits_are_spread_over_their_bound() {
    let config = RetryConfig { max_elapsed: SECONDS(3_600), max_retries: Some(6), ..RetryConfig::DEFAULT };
    let setup = setup(config, always(Step::unavailable()));
    let mut first = Vec::new();
    for _ in 0..50 {
        let before = setup.stamped.calls().len();
        assert!(setup.export(&logs(1)).is_err());
        let calls = setup.stamped.calls();
        let waits = waits(&calls[before..]);
        for (wait, bound) in waits.iter().zip([500, 1_000, 2_000, 4_000, 8_000, 16_000]) {
            assert!(*wait < MILLIS(bound) + TICK, "{wait:?} is beyond {bound} ms");
        }
        first.push(waits[0]);
    }
    let short = first.iter().filter(|wait| **wait < MILLIS(250)).count();
    assert!((5..45).contains(&short), "{short} of 50 waits in the lower half");
}

#[test]
fn what_a_backend_asks_for_is_a_floor() {
    let asked = |wait| Step::fail(ErrorKind::Unavailable, Advice::After(wait));
    let setup = setup(PLAIN, Scripted::new([asked(SECONDS(7)), asked(MILLIS(20))]));
    assert!(setup.export(&logs(1)).is_ok());
    assert_eq!(setup.stamped.waits(), [SECONDS(7), SECONDS(1)]);
}

#[test]
fn a_floor_beyond_the_budget_is_not_waited_for() {
    let asked = Step::fail(ErrorKind::Unavailable, Advice::After(SECONDS(90)));
    let setup = setup(PLAIN, always(asked));
    let error = at_once(setup.retry.export(&logs(1))).unwrap_err();
    assert_eq!(error.retry(), Advice::Hold(SECONDS(90)), "never shorter than what was asked for");
}

#[test]
fn a_number_can_be_the_budget() {
    let config = RetryConfig { max_retries: Some(2), ..PLAIN };
    let setup = setup(config, always(Step::unavailable()));
    assert_eq!(setup.export(&logs(1)).unwrap_err().retry(), Advice::Hold(SECONDS(30)));
    assert_eq!(setup.scripted.calls().exports, 3);
}

#[test]
fn a_rate_limit_never_becomes_a_hold() {
    let hinted = setup(PLAIN, always(Step::rate_limited(SECONDS(1_800))));
    let error = at_once(hinted.retry.export(&logs(1))).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Advice::After(SECONDS(1_800))));
    let config = RetryConfig { max_retries: Some(1), ..PLAIN };
    let unhinted = setup(config, always(Step::fail(ErrorKind::RateLimited, Advice::Backoff)));
    assert_eq!(unhinted.export(&logs(1)).unwrap_err().retry(), Advice::After(SECONDS(1)));
}

#[test]
fn a_hold_and_a_refusal_pass_at_once() {
    for advice in [Advice::Hold(SECONDS(60)), Advice::Never] {
        let setup = setup(PLAIN, always(Step::fail_after(1, ErrorKind::Auth, advice)));
        let error = at_once(setup.retry.export(&logs(3))).unwrap_err();
        assert_eq!((error.retry(), error.settled().delivered), (advice, 1));
        assert_eq!((setup.scripted.calls().exports, error.undelivered().len()), (1, 2));
    }
}

#[test]
fn only_what_is_undelivered_is_sent_again() {
    let fail = |delivered, rejected| {
        let (kind, retry, status) = (ErrorKind::Unavailable, Advice::Backoff, Some(503));
        Step::Fail(Fail { kind, retry, status, delivered, rejected })
    };
    let setup = setup(PLAIN, Scripted::new([fail(2, 1), fail(3, 1), Step::Reject(vec![0])]));
    let receipt = setup.export(&logs(10)).unwrap();
    assert_eq!(setup.scripted.batches(), [logs(10), logs(10).slice(3..10), logs(10).slice(7..10)]);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (7, 3));
    let attempts: Vec<_> = receipt.rejected.iter().map(|rejection| rejection.attempts).collect();
    assert_eq!(attempts, [1, 2, 3], "a rejection tells how often its records were tried");
}

#[test]
fn a_refusal_after_other_trouble_tells_all_attempts() {
    let setup = setup(PLAIN, Scripted::new([Step::unavailable(), Step::unavailable(), Step::refused()]));
    let error = setup.export(&logs(2)).unwrap_err();
    assert_eq!(error.into_rejection(1).rejected[0].attempts, 3);
}

#[test]
fn haste_ends_a_wait_for_one_more_attempt() {
    let setup = setup(PLAIN, always(Step::unavailable()));
    let batch = logs(1);
    let mut export = pin!(setup.retry.export(&batch));
    assert!(poll(export.as_mut()).is_pending());
    setup.haste.begin();
    let Poll::Ready(Err(error)) = poll(export) else { panic!("it waits in haste") };
    assert_eq!((setup.scripted.calls().exports, error.retry()), (2, Advice::Hold(SECONDS(30))));
    assert_eq!(setup.clock.monotonic(), Duration::ZERO);
    assert!(at_once(setup.retry.export(&batch)).is_err());
    assert_eq!(setup.scripted.calls().exports, 3, "what begins in haste is tried once");
}

#[test]
fn haste_respects_what_a_backend_asked_for() {
    let setup = setup(PLAIN, always(Step::rate_limited(SECONDS(10))));
    let batch = logs(1);
    let mut export = pin!(setup.retry.export(&batch));
    assert!(poll(export.as_mut()).is_pending());
    setup.hand.advance(SECONDS(4));
    assert!(poll(export.as_mut()).is_pending());
    setup.haste.begin();
    let Poll::Ready(Err(error)) = poll(export) else { panic!("it waits in haste") };
    assert_eq!((setup.scripted.calls().exports, error.retry()), (1, Advice::After(SECONDS(6))));
    let error = at_once(setup.retry.export(&batch)).unwrap_err();
    assert_eq!((setup.scripted.calls().exports, error.retry()), (2, Advice::After(SECONDS(10))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn law_1_accounting_never_sends_again_what_settled(
        script in prop::collection::vec(answer(), 0..8), count in 1u64..12,
        max_retries in prop::option::of(0u32..6), hasty in any::<bool>(),
    ) {
        let setup = setup(RetryConfig { max_retries, ..RetryConfig::DEFAULT }, Scripted::new(script));
        if hasty {
            setup.haste.begin();
        }
        let batch = logs(count);
        let result = setup.export(&batch);
        conformance::assert_conserved(&batch, &result);
        assert_once(&setup.scripted.records(), &result);
        let most = if hasty { 1 } else { max_retries.map_or(usize::MAX, |most| most as usize + 1) };
        prop_assert!(setup.scripted.calls().exports <= most);
        prop_assert!(setup.clock.monotonic() <= PLAIN.max_elapsed + TICK);
        if let Err(error) = result {
            prop_assert_ne!(error.retry(), Advice::Backoff);
        }
    }
}

#[test]
fn retry_keeps_the_contract() {
    let clock = Clock::system();
    conformance::decorator(|inner| Arc::new(Retry::new(inner, RetryConfig::DEFAULT, clock.clone())));
}
