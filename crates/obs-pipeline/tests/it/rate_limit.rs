//! A destination is given only so much in a second.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use obs_core::Exporter;
use obs_core::units::Bytes;
use obs_pipeline::{Clock, ManualClock, RateLimit, RateLimitConfig};
use obs_testkit::{Scripted, conformance};

use crate::driven::{Stamped, at_once, clock, drive, logs, poll};

const SECOND: Duration = Duration::from_secs(1);

fn setup(config: RateLimitConfig) -> (RateLimit<Arc<Stamped>>, Arc<Stamped>, ManualClock) {
    let (clock, hand) = clock();
    let stamped = Stamped::new(&Scripted::new([]), &clock);
    (RateLimit::new(Arc::clone(&stamped), config, clock), stamped, hand)
}

fn records(rate: f64) -> RateLimitConfig {
    RateLimitConfig { records_per_second: Some(rate), ..RateLimitConfig::DEFAULT }
}

#[test]
fn a_seconds_worth_leaves_at_once_and_the_rest_at_the_rate() {
    let (limit, stamped, hand) = setup(records(100.0));
    for _ in 0..4 {
        assert!(drive(&hand, limit.export(&logs(50))).is_ok());
    }
    let half = SECOND / 2;
    assert_eq!(stamped.waits(), [Duration::ZERO, half, half]);
}

#[test]
fn a_batch_beyond_a_seconds_worth_goes_into_debt() {
    let (limit, stamped, hand) = setup(records(100.0));
    for count in [1, 300, 1] {
        assert!(drive(&hand, limit.export(&logs(count))).is_ok());
    }
    assert_eq!(stamped.waits(), [SECOND / 100, 2 * SECOND + SECOND / 100]);
}

#[test]
fn bytes_are_limited_as_well() {
    let batch = logs(10);
    let bytes_per_second = Some(Bytes::new(batch.byte_size() as u64));
    let (limit, stamped, hand) = setup(RateLimitConfig { bytes_per_second, ..records(1_000.0) });
    for _ in 0..3 {
        assert!(drive(&hand, limit.export(&batch)).is_ok());
    }
    assert_eq!(stamped.waits(), [SECOND, SECOND]);
}

#[test]
fn batches_leave_in_order_and_a_cancelled_wait_takes_nothing() {
    let (limit, stamped, hand) = setup(records(10.0));
    let (small, large) = (logs(1), logs(10));
    assert!(at_once(limit.export(&large)).is_ok());
    let mut last = pin!(limit.export(&small));
    {
        let mut first = pin!(limit.export(&large));
        assert!(poll(first.as_mut()).is_pending());
        hand.advance(SECOND / 2);
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(last.as_mut()).is_pending(), "a small one does not overtake");
    }
    assert!(poll(last).is_ready(), "what the cancelled one waited for is there for the next");
    assert_eq!(stamped.calls(), [Duration::ZERO, SECOND / 2]);
}

#[test]
fn no_limit_and_no_sound_one_never_wait() {
    for rate in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
        let config = RateLimitConfig { records_per_second: rate, bytes_per_second: Some(Bytes::new(0)) };
        let (limit, stamped, _hand) = setup(config);
        for _ in 0..3 {
            assert!(at_once(limit.export(&logs(1_000))).is_ok());
        }
        assert_eq!(stamped.calls().len(), 3);
    }
}

#[test]
fn less_than_one_record_a_second_still_passes() {
    let (limit, stamped, hand) = setup(records(0.1));
    for _ in 0..3 {
        assert!(drive(&hand, limit.export(&logs(2))).is_ok());
    }
    assert_eq!(stamped.waits(), [20 * SECOND, 20 * SECOND]);
}

#[test]
fn an_empty_batch_takes_nothing_and_waits_for_nothing() {
    let (limit, stamped, _hand) = setup(records(1.0));
    assert!(at_once(limit.export(&logs(1))).is_ok());
    assert!(at_once(limit.export(&logs(0))).is_ok());
    assert_eq!(stamped.calls().len(), 2);
}

#[test]
fn rate_limit_keeps_the_contract() {
    let clock = Clock::system();
    let config =
        RateLimitConfig { records_per_second: Some(1e6), bytes_per_second: Some(Bytes::new(1 << 40)) };
    conformance::decorator(|inner| Arc::new(RateLimit::new(inner, config, clock.clone())));
}
