//! A destination that is out is left alone, and found again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{ErrorKind, Exporter, Health, Retry};
use obs_pipeline::{Breaker, BreakerConfig, BreakerState, Clock, ManualClock};
use obs_testkit::{Scripted, Step, conformance};

use crate::driven::{at_once, clock, logs, poll};

const MINUTE: Duration = Duration::from_mins(1);

fn setup(script: impl IntoIterator<Item = Step>) -> (Breaker<Arc<Scripted>>, Arc<Scripted>, ManualClock) {
    let (clock, hand) = clock();
    let scripted = Scripted::new(script);
    (Breaker::new(Arc::clone(&scripted), BreakerConfig::DEFAULT, clock), scripted, hand)
}

fn down(count: usize) -> Vec<Step> {
    vec![Step::unavailable(); count]
}

/// Exports one record so often, whatever comes of it.
fn export(breaker: &Breaker<Arc<Scripted>>, times: usize) {
    for _ in 0..times {
        let _ = at_once(breaker.export(&logs(1)));
    }
}

#[test]
fn five_failures_in_a_row_open_it_and_records_come_back_at_once() {
    let (breaker, scripted, hand) = setup(down(5));
    let handle = breaker.handle();
    export(&breaker, 4);
    assert_eq!(handle.state(), BreakerState::Closed);
    export(&breaker, 1);
    assert_eq!(handle.state(), BreakerState::Open { until: MINUTE });
    hand.advance(Duration::from_secs(18));
    let error = at_once(breaker.export(&logs(3))).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Hold(Duration::from_secs(42))));
    assert_eq!((error.undelivered(), scripted.calls().exports), (&logs(3), 5));
    assert_eq!(
        error.message(),
        "left alone for 42s after 5 failures in a row, the last one: the script says so"
    );
}

#[test]
fn three_calls_that_pass_close_it_and_one_failure_opens_it_again() {
    let mut script = down(5);
    script.extend([Step::Deliver, Step::unavailable(), Step::Deliver, Step::Deliver, Step::Deliver]);
    let (breaker, scripted, hand) = setup(script);
    let handle = breaker.handle();
    export(&breaker, 5);
    hand.advance(MINUTE);
    assert_eq!(handle.state(), BreakerState::HalfOpen);
    export(&breaker, 2);
    assert_eq!(handle.state(), BreakerState::Open { until: 2 * MINUTE });
    let error = at_once(breaker.export(&logs(1))).unwrap_err();
    assert_eq!(error.message(), "left alone for 60s after a failure: the script says so");
    hand.advance(MINUTE);
    export(&breaker, 2);
    assert_eq!(handle.state(), BreakerState::HalfOpen);
    export(&breaker, 1);
    assert_eq!((handle.state(), scripted.calls().exports), (BreakerState::Closed, 10));
}

#[test]
fn what_an_answer_says_about_the_destination() {
    let fail = Step::fail;
    let hold = Retry::Hold(MINUTE);
    for (step, opens, ends_the_row) in [
        (Step::unavailable(), true, false),
        (fail(ErrorKind::Timeout, Retry::Backoff), true, false),
        (fail(ErrorKind::Io, Retry::Backoff), true, false),
        (Step::fail_after(1, ErrorKind::Unavailable, Retry::Backoff), false, true),
        (Step::Deliver, false, true),
        (Step::Queue, false, true),
        (Step::Reject(vec![0, 1]), false, true),
        (Step::refused(), false, true),
        (fail(ErrorKind::TooLarge, Retry::Never), false, true),
        (Step::rate_limited(MINUTE), false, true),
        (fail(ErrorKind::Unavailable, hold), true, false),
        (fail(ErrorKind::Auth, hold), true, false),
        (fail(ErrorKind::Encode, Retry::Never), false, false),
        (fail(ErrorKind::Panic, Retry::Never), false, false),
        (fail(ErrorKind::Unsupported, Retry::Never), false, false),
        (fail(ErrorKind::Config, Retry::Never), false, false),
        (fail(ErrorKind::Closed, Retry::Never), false, false),
    ] {
        let (breaker, _, _) = setup([vec![step.clone()], down(4)].concat());
        let _ = at_once(breaker.export(&logs(2)));
        export(&breaker, 4);
        assert_eq!(breaker.handle().state() != BreakerState::Closed, opens, "opens after {step:?}");
        let (breaker, _, _) = setup([down(4), vec![step.clone()], down(1)].concat());
        export(&breaker, 4);
        let _ = at_once(breaker.export(&logs(2)));
        export(&breaker, 1);
        let closed = breaker.handle().state() == BreakerState::Closed;
        assert_eq!(closed, ends_the_row, "{step:?} ends the row");
    }
}

#[test]
fn while_it_is_half_open_calls_pass_one_after_the_other() {
    let (breaker, scripted, hand) = setup([down(5), vec![Step::Hang]].concat());
    export(&breaker, 5);
    hand.advance(MINUTE);
    let batch = logs(1);
    {
        let mut probe = pin!(breaker.export(&batch));
        assert!(poll(probe.as_mut()).is_pending());
        let error = at_once(breaker.export(&batch)).unwrap_err();
        assert_eq!(error.retry(), Retry::Hold(Duration::from_secs(1)));
        assert_eq!(scripted.calls().exports, 6);
    }
    assert_eq!(breaker.handle().state(), BreakerState::HalfOpen, "a cancelled call says nothing");
    export(&breaker, 3);
    assert_eq!(breaker.handle().state(), BreakerState::Closed, "and leaves its place to the next");
}

#[test]
fn a_check_and_an_empty_batch_pass_always() {
    let (breaker, scripted, _hand) = setup(down(5));
    export(&breaker, 5);
    assert_eq!(at_once(breaker.check()), Health::Healthy);
    assert!(at_once(breaker.export(&logs(0))).is_ok());
    assert_eq!((scripted.calls().checks, scripted.calls().exports), (1, 6));
    assert!(matches!(breaker.handle().state(), BreakerState::Open { .. }));
}

#[test]
fn breaker_keeps_the_contract() {
    let clock = Clock::system();
    conformance::decorator(|inner| Arc::new(Breaker::new(inner, BreakerConfig::DEFAULT, clock.clone())));
}

#[test]
fn a_hold_opens_it_at_once_and_for_as_long_as_it_says() {
    let hold = Retry::Hold(Duration::from_secs(7));
    for (kind, told) in [(ErrorKind::Auth, ErrorKind::Auth), (ErrorKind::Config, ErrorKind::Unavailable)] {
        let (breaker, scripted, hand) = setup(vec![Step::fail(kind, hold)]);
        let _ = at_once(breaker.export(&logs(2)));
        let error = at_once(breaker.export(&logs(2))).unwrap_err();
        assert_eq!((error.kind(), error.retry(), scripted.calls().exports), (told, hold, 1));
        hand.advance(Duration::from_secs(7));
        export(&breaker, 1);
        assert_eq!(scripted.calls().exports, 2);
    }
}
