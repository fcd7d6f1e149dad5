//! All decorators together, as they stand before an exporter.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Error, ErrorKind, Exporter, Receipt, Record};
use obs_pipeline::{
    Breaker, BreakerConfig, Clock, DeadLetter, Fallback, Haste, RateLimit, RateLimitConfig, Retry,
    RetryConfig, Split, Timeout, Unwind,
};
use obs_testkit::{Scripted, Step, conformance};
use proptest::prelude::*;

use crate::dead_letter::{Grave, Graveyard};
use crate::driven::{answer, assert_once, clock, drive, logs, number, settled};

/// Waits short enough that many scripts are played.
const RETRY: RetryConfig = RetryConfig {
    initial_delay: Duration::from_millis(100),
    max_elapsed: Duration::from_secs(5),
    ..RetryConfig::DEFAULT
};
const BREAKER: BreakerConfig =
    BreakerConfig { recovery_timeout: Duration::from_secs(10), ..BreakerConfig::DEFAULT };
const RATE: RateLimitConfig = RateLimitConfig { records_per_second: Some(200.0), ..RateLimitConfig::DEFAULT };

fn stack(
    leaf: impl Exporter,
    second: Arc<dyn Exporter>,
    graveyard: Arc<Graveyard>,
    clock: &Clock,
    haste: &Haste,
) -> Arc<dyn Exporter> {
    let call = Timeout::new(Unwind::new(leaf), Duration::from_secs(2), clock.clone());
    let attempt = Breaker::new(RateLimit::new(call, RATE, clock.clone()), BREAKER, clock.clone());
    let whole = Split::new(Retry::new(attempt, RETRY, clock.clone()).with_haste(haste.clone()), 256);
    Arc::new(DeadLetter::new(
        Fallback::new(whole, vec![("second".into(), second)], false),
        "first",
        graveyard,
    ))
}

/// Any answer, and none.
fn trouble() -> impl Strategy<Value = Step> {
    prop_oneof![8 => answer(), 1 => Just(Step::Hang), 1 => Just(Step::Panic), 3 => Just(Step::unavailable())]
}

fn is_poison(record: &Record) -> bool {
    number(record) == 7
}

/// All that a receipt calls delivered, here or elsewhere.
fn arrived(receipt: &Receipt) -> usize {
    let diverted: usize = receipt.diverted.iter().map(|diverted| arrived(&diverted.receipt)).sum();
    receipt.delivered + receipt.queued + diverted
}

fn dead(receipt: &Receipt) -> usize {
    receipt.dead_lettered + receipt.diverted.iter().map(|diverted| dead(&diverted.receipt)).sum::<usize>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn law_1_accounting_through_all_decorators(
        script in prop::collection::vec(trouble(), 0..24), other in prop::collection::vec(answer(), 0..8),
        batches in prop::collection::vec((1u64..16, 0u64..15), 1..6),
        poisoned in any::<bool>(), hasty in any::<bool>(),
    ) {
        let ((clock, hand), haste) = (clock(), Haste::new());
        let first = Scripted::builder(script);
        let first = if poisoned { first.with_poison(ErrorKind::Rejected, is_poison) } else { first }.shared();
        let (second, graveyard) = (Scripted::new(other), Graveyard::new(Grave::Takes));
        let stack = stack(Arc::clone(&first), second.clone(), graveyard.clone(), &clock, &haste);
        if hasty {
            haste.begin();
        }
        for (count, pause) in batches {
            let places = || [first.records(), second.records(), graveyard.records()];
            let before = places().map(|records| records.len());
            let batch = logs(count);
            let result: Result<Receipt, Error> = drive(&hand, stack.export(&batch));
            conformance::assert_conserved(&batch, &result);
            let [first, second, kept] = places();
            prop_assert_eq!(arrived(settled(&result)), first.len() + second.len() - before[0] - before[1]);
            prop_assert_eq!(dead(settled(&result)), kept.len() - before[2]);
            let there: Vec<_> =
                [first, second, kept].into_iter().zip(before).flat_map(|(mut all, from)| all.split_off(from)).collect();
            assert_once(&there, &result);
            hand.advance(Duration::from_secs(pause));
        }
        for kind in graveyard.kinds() {
            let transient = [
                ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::RateLimited, ErrorKind::Io, ErrorKind::Auth,
            ];
            prop_assert!(!transient.contains(&kind), "{} was dead-lettered", kind);
        }
    }
}

#[test]
fn an_outage_is_tried_stood_in_for_and_found_to_be_over() {
    let ((clock, hand), haste) = (clock(), Haste::new());
    let first = Scripted::new(vec![Step::unavailable(); 5]);
    let (second, graveyard) = (Scripted::new([]), Graveyard::new(Grave::Takes));
    let stack = stack(Arc::clone(&first), second.clone(), graveyard.clone(), &clock, &haste);
    let receipt = drive(&hand, stack.export(&logs(3))).unwrap();
    assert_eq!((first.calls().exports, receipt.diverted_count()), (5, 3), "the breaker ended the attempts");
    let receipt = drive(&hand, stack.export(&logs(3))).unwrap();
    assert_eq!((first.calls().exports, receipt.diverted_count()), (5, 3), "it was left alone");
    hand.advance(BREAKER.recovery_timeout);
    let receipt = drive(&hand, stack.export(&logs(3))).unwrap();
    assert_eq!((first.calls().exports, receipt), (6, Receipt::delivered(3)));
    assert!(graveyard.records().is_empty());
}

#[test]
fn the_stack_keeps_the_contract() {
    let (clock, haste) = (Clock::system(), Haste::new());
    conformance::decorator(|inner| {
        stack(inner, Scripted::new([]), Graveyard::new(Grave::Takes), &clock, &haste)
    });
}
