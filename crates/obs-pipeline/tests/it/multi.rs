//! One exporter over several.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Batch, Error, ErrorKind, Exporter, Health, Level, Log, Receipt, Record, Retry, Signal, Signals, Timestamp,
};
use obs_pipeline::{Clock, FailurePolicy, Multi, MultiConfig, Split, Strategy as Order};
use obs_testkit::{Fail, Scripted, Step, conformance};
use proptest::prelude::*;

use crate::monitored::run;

const CONFIG: MultiConfig = MultiConfig::DEFAULT;

/// Logs whose time is their number.
fn logs(count: u64) -> Batch {
    Batch::Logs((0..count).map(|at| Log::new(Timestamp::from_nanos(at), Level::Info, "m")).collect())
}

fn numbers(records: impl IntoIterator<Item = Record>) -> Vec<u64> {
    let number = |record| match record {
        Record::Log(log) => log.time.as_nanos(),
        _ => unreachable!("the batches are of logs"),
    };
    records.into_iter().map(number).collect()
}

fn over(children: &[Arc<Scripted>], config: MultiConfig) -> Multi {
    let named = ["a", "b", "c", "d"].into_iter().zip(children).map(|(name, child)| {
        let exporter: Arc<dyn Exporter> = Arc::clone(child) as Arc<dyn Exporter>;
        (name.into(), exporter)
    });
    Multi::new(named.collect(), config, &Clock::system()).unwrap()
}

/// What ten logs come to over children with one step each.
fn export(steps: Vec<Step>, config: MultiConfig) -> (Result<Receipt, Error>, Vec<Arc<Scripted>>) {
    let children: Vec<_> = steps.into_iter().map(|step| Scripted::new([step])).collect();
    (run(over(&children, config).export(&logs(10))), children)
}

fn needs(min_success_count: usize) -> MultiConfig {
    MultiConfig { min_success_count, ..CONFIG }
}

#[test]
fn enough_takers_make_a_record_delivered() {
    let steps = || vec![Step::Deliver, Step::unavailable(), Step::Reject(vec![0, 1])];
    let (result, children) = export(steps(), needs(1));
    assert_eq!(result.unwrap(), Receipt::delivered(10));
    assert!(children.iter().all(|child| child.calls().exports == 1));

    let error = export(steps(), needs(2)).0.unwrap_err();
    assert_eq!(error.settled().delivered, 8);
    assert_eq!(numbers(error.undelivered().to_records()), [0, 1], "two have too few takers");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!(error.message(), "b: the script says so");
}

#[test]
fn what_nobody_may_take_later_is_rejected_with_the_reasons_by_name() {
    let steps = vec![Step::Reject(vec![3, 4]), Step::Reject(vec![4])];
    let receipt = export(steps, needs(2)).0.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (8, 2));
    let reasons: Vec<_> = receipt.rejected.iter().map(|rejection| &*rejection.reason).collect();
    assert!(reasons.contains(&"a: the script says so; too few took it: b"), "{reasons:?}");
    assert!(reasons.contains(&"a: the script says so; b: the script says so"), "{reasons:?}");
}

#[test]
fn a_refusal_of_several_is_left_to_be_split_and_one_poison_stands_alone() {
    let poisoned = || {
        let poison = |record: &Record| matches!(record, Record::Log(log) if log.time.as_nanos() == 7);
        Scripted::builder([]).with_poison(ErrorKind::Rejected, poison).shared()
    };
    let split = Split::new(over(&[poisoned(), poisoned()], CONFIG), 256);
    let receipt = run(split.export(&logs(100))).unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (99, 1));
    assert_eq!(receipt.rejected[0].records, Some(logs(100).slice(7..8)));
}

#[test]
fn the_error_is_as_patient_as_the_least_patient_and_holds_only_where_all_hold() {
    let hold = |seconds| Step::fail(ErrorKind::Auth, Retry::Hold(Duration::from_secs(seconds)));
    let after = |seconds| Step::rate_limited(Duration::from_secs(seconds));
    let advice = |steps| export(steps, CONFIG).0.unwrap_err().retry();
    assert_eq!(advice(vec![hold(60), hold(30)]), Retry::Hold(Duration::from_secs(30)));
    assert_eq!(advice(vec![hold(60), after(9), after(5)]), Retry::After(Duration::from_secs(5)));
    assert_eq!(advice(vec![after(9), Step::unavailable()]), Retry::Backoff);
    assert_eq!(advice(vec![Step::refused(), hold(60)]), Retry::Hold(Duration::from_mins(1)));
    assert_eq!(advice(vec![Step::refused(), Step::refused()]), Retry::Never);
}

#[test]
fn law_1_what_was_given_up_without_a_name_is_not_called_delivered() {
    let lose = |steps, needed| export(steps, needs(needed)).0.unwrap();
    let receipt = lose(vec![Step::Lose(3), Step::Deliver], 2);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (7, 3));
    assert_eq!((&receipt.rejected[0].records, &*receipt.rejected[0].reason), (&None, "a: some were refused"));
    let receipt = lose(vec![Step::Lose(6), Step::Lose(7)], 1);
    assert_eq!((receipt.delivered, receipt.rejected_count()), (4, 6), "no more can be lost by both");
    assert_eq!(lose(vec![Step::Lose(3), Step::Deliver], 1), Receipt::delivered(10), "the other took all");
    let receipt = lose(vec![Step::Lose(10), Step::Deliver], 2);
    assert_eq!(receipt.rejected[0].records, Some(logs(10)), "all of them: which is known");
}

#[test]
fn an_exporter_that_does_not_take_the_signal_is_not_asked_nor_counted() {
    let scores = Scripted::DESCRIPTOR.narrowed(Signals::NONE.with(Signal::Scores));
    let other = Scripted::builder([]).with_descriptor(scores).shared();
    let lossy = Scripted::new([Step::Lose(3)]);
    let multi = over(&[Arc::clone(&other), lossy], needs(2));
    let receipt = run(multi.export(&logs(10))).unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (7, 3), "the answer of the only one");
    assert_eq!(other.calls().exports, 0);
    let error = run(over(&[Arc::clone(&other), other], CONFIG).export(&logs(1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn law_3_an_exporter_that_hangs_or_panics_changes_nothing_for_the_others() {
    let (result, children) = export(vec![Step::Hang, Step::Panic, Step::Deliver], CONFIG);
    assert_eq!(result.unwrap(), Receipt::delivered(10));
    assert_eq!(children[0].under_way(), 0, "given up after the timeout");
    let error = export(vec![Step::Hang, Step::Panic, Step::Deliver], needs(3)).0.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Timeout, 10));
}

#[test]
fn calls_are_at_once_as_far_as_allowed_or_in_turn_and_stop_where_that_is_asked() {
    let took = |config: MultiConfig| {
        let slow = || Step::After(Duration::from_secs(1), Box::new(Step::Deliver));
        let children: Vec<_> = (0..4).map(|_| Scripted::new([slow()])).collect();
        run(async {
            let clock = tokio::time::Instant::now();
            assert!(over(&children, config).export(&logs(2)).await.is_ok());
            clock.elapsed().as_secs()
        })
    };
    assert_eq!(took(MultiConfig { max_concurrent_exports: 4, ..CONFIG }), 1);
    assert_eq!(took(CONFIG), 2);
    assert_eq!(took(MultiConfig { strategy: Order::Sequential, ..CONFIG }), 4);

    let stop = MultiConfig { strategy: Order::Sequential, failure_policy: FailurePolicy::Stop, ..CONFIG };
    let (result, children) = export(vec![Step::Deliver, Step::unavailable(), Step::Deliver], stop);
    assert_eq!(result.unwrap(), Receipt::delivered(10), "the first took all");
    assert_eq!(children.iter().map(|child| child.calls().exports).collect::<Vec<_>>(), [1, 1, 0]);
}

#[test]
fn check_flush_and_shutdown_reach_all_and_name_those_in_trouble() {
    let children = [Scripted::new([]), Scripted::new([]), Scripted::new([])];
    let multi = over(&children, needs(2));
    run(async {
        assert_eq!(multi.check().await, Health::Healthy);
        children[1].set_health(Health::Unhealthy("down".into()));
        assert_eq!(multi.check().await, Health::Degraded("b: down".into()));
        children[2].set_health(Health::Unhealthy("gone".into()));
        assert_eq!(multi.check().await, Health::Unhealthy("b: down; c: gone".into()));
        children[0].set_flush_error(Some(ErrorKind::Io));
        let error = multi.flush().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "a: the script says so"));
        assert_eq!(multi.shutdown().await.unwrap_err().kind(), ErrorKind::Io);
        assert!(multi.shutdown().await.is_ok());
        assert_eq!(multi.export(&logs(1)).await.unwrap_err().kind(), ErrorKind::Closed);
    });
    assert!(children.iter().all(|child| child.calls().flushes == 1 && child.is_closed()));
}

#[test]
fn a_wrong_configuration_is_refused_with_the_field() {
    let refused = |names: &[&str], config| {
        let child = |name: &&str| ((*name).into(), Scripted::new([]) as Arc<dyn Exporter>);
        let error = Multi::new(names.iter().map(child).collect(), config, &Clock::system()).unwrap_err();
        error.message().to_owned()
    };
    assert!(refused(&[], CONFIG).starts_with("multi.exporters: there are none"));
    assert!(refused(&["x", "x"], CONFIG).contains("two are called `x`"));
    assert!(refused(&["x"], needs(0)).starts_with("multi.min_success_count"));
    let none_at_once = MultiConfig { max_concurrent_exports: 0, ..CONFIG };
    assert!(refused(&["x"], none_at_once).starts_with("multi.max_concurrent_exports"));
}

#[test]
fn it_keeps_the_contract_over_one_child_and_beside_one_that_refuses_everything() {
    let clock = Clock::system();
    conformance::decorator(|inner| {
        Arc::new(Multi::new(vec![("only".into(), inner)], CONFIG, &clock).unwrap())
    });
    conformance::decorator(|inner| {
        let refuses = Scripted::builder([]).with_descriptor(inner.descriptor().clone());
        let refuses = refuses.and_then(Step::refused()).shared();
        Arc::new(
            Multi::new(vec![("inner".into(), inner), ("other".into(), refuses)], CONFIG, &clock).unwrap(),
        )
    });
}

fn step() -> impl Strategy<Value = Step> {
    let retry = prop_oneof![
        Just(Retry::Never),
        Just(Retry::Backoff),
        Just(Retry::After(Duration::from_secs(1))),
        Just(Retry::Hold(Duration::from_mins(1))),
    ];
    let kinds = vec![ErrorKind::Unavailable, ErrorKind::Auth, ErrorKind::Rejected, ErrorKind::TooLarge];
    let fail = (prop::sample::select(kinds), retry, 0usize..8, 0usize..4).prop_map(
        |(kind, retry, delivered, rejected)| {
            Step::Fail(Fail { kind, retry, status: None, delivered, rejected })
        },
    );
    prop_oneof![
        Just(Step::Deliver),
        Just(Step::Queue),
        prop::collection::vec(0usize..8, 0..5).prop_map(Step::Reject),
        fail.clone(),
        fail,
        Just(Step::Hang),
    ]
}

fn config() -> impl Strategy<Value = MultiConfig> {
    (1usize..=4, 1usize..=3, any::<bool>(), any::<bool>()).prop_map(|(needed, at_once, in_turn, stop)| {
        MultiConfig {
            strategy: if in_turn { Order::Sequential } else { Order::Parallel },
            failure_policy: if stop { FailurePolicy::Stop } else { FailurePolicy::Continue },
            min_success_count: needed,
            max_concurrent_exports: at_once,
            ..CONFIG
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn law_1_every_record_has_one_fate_and_is_delivered_where_enough_took_it(
        steps in prop::collection::vec(step(), 3), config in config(), count in 1u64..8,
    ) {
        let children: Vec<_> = steps.into_iter().map(|step| Scripted::new([step])).collect();
        let result = run(over(&children, config).export(&logs(count)));
        let (receipt, undelivered) = match &result {
            Ok(receipt) => (receipt, vec![]),
            Err(error) => (error.settled(), numbers(error.undelivered().to_records())),
        };
        let arrived: Vec<Vec<u64>> = children.iter().map(|child| numbers(child.records())).collect();
        let takers = |at: u64| arrived.iter().filter(|arrived| arrived.contains(&at)).count();
        let needed = config.min_success_count.min(3);
        let taken = (0..count).filter(|at| takers(*at) >= needed).count();
        prop_assert_eq!(receipt.delivered + receipt.queued, taken);
        prop_assert_eq!(receipt.settled() + undelivered.len(), count as usize);
        let rejected = receipt.rejected.iter().flat_map(|rejection| rejection.records.clone().unwrap().to_records());
        let mut others: Vec<u64> = numbers(rejected);
        others.extend(undelivered);
        others.sort_unstable();
        let expected: Vec<u64> = (0..count).filter(|at| takers(*at) < needed).collect();
        prop_assert_eq!(others, expected);
    }

    #[test]
    fn law_1_losses_without_a_name_never_make_more_delivered_than_arrived(
        steps in prop::collection::vec(prop_oneof![step(), (0usize..8).prop_map(Step::Lose)], 3),
        config in config(), count in 1u64..8,
    ) {
        let children: Vec<_> = steps.into_iter().map(|step| Scripted::new([step])).collect();
        let result = run(over(&children, config).export(&logs(count)));
        let (receipt, undelivered) = match &result {
            Ok(receipt) => (receipt, 0),
            Err(error) => (error.settled(), error.undelivered().len()),
        };
        let arrived: Vec<Vec<u64>> = children.iter().map(|child| numbers(child.records())).collect();
        let takers = |at: u64| arrived.iter().filter(|arrived| arrived.contains(&at)).count();
        let taken = (0..count).filter(|at| takers(*at) >= config.min_success_count.min(3)).count();
        prop_assert!(receipt.delivered + receipt.queued <= taken);
        prop_assert_eq!(receipt.settled() + undelivered, count as usize);
    }
}
