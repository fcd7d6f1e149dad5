//! The scripted exporter does what its script says, and keeps to the contract while it does.

use std::time::Duration;

use obs_core::{ErrorKind, Exporter, Record, Retry, Signal};
use obs_testkit::conformance::assert_conserved;
use obs_testkit::{Fail, Fate, Scripted, Step, fixtures};

#[tokio::test(start_paused = true)]
async fn each_step_is_accounted_for() {
    let fail = Fail {
        kind: ErrorKind::Unavailable,
        retry: Retry::Backoff,
        status: Some(503),
        delivered: 2,
        rejected: 1,
    };
    for (step, delivered, rejected) in [
        (Step::Deliver, 6, 0),
        (Step::Queue, 6, 0),
        (Step::Reject(vec![0, 3, 99]), 4, 2),
        (Step::Lose(2), 4, 2),
        (Step::Fail(fail), 2, 1),
        (Step::refused(), 0, 0),
        (Step::After(Duration::from_secs(5), Box::new(Step::Deliver)), 6, 0),
    ] {
        let exporter = Scripted::new([step.clone()]);
        let batch = fixtures::batch(Signal::Logs);
        assert_eq!(batch.len(), 6);
        let result = exporter.export(&batch).await;
        assert_conserved(&batch, &result);
        let settled = result.as_ref().unwrap_or_else(|error| error.settled());
        let counts = (settled.delivered + settled.queued, settled.rejected_count());
        assert_eq!(counts, (delivered, rejected), "{step:?}");
        assert_eq!(exporter.delivered(Signal::Logs), delivered, "{step:?}");
        assert_eq!(exporter.records().len(), delivered, "{step:?}");
    }
}

#[tokio::test]
async fn a_hanging_export_is_counted_until_it_is_released_or_dropped() {
    let exporter = Scripted::new([Step::Hang, Step::Hang]);
    let batch = fixtures::batch(Signal::Scores);
    let (held, given) = (exporter.clone(), batch.clone());
    let hanging = tokio::spawn(async move { held.export(&given).await });
    while exporter.under_way() == 0 {
        tokio::task::yield_now().await;
    }
    exporter.release();
    assert_eq!(hanging.await.unwrap().unwrap().delivered, batch.len());
    let (held, given) = (exporter.clone(), batch.clone());
    let hanging = tokio::spawn(async move { held.export(&given).await });
    while exporter.under_way() == 0 {
        tokio::task::yield_now().await;
    }
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    assert_eq!((exporter.under_way(), exporter.calls().exports), (0, 2));
}

#[tokio::test]
async fn poison_spoils_every_batch_that_holds_it() {
    let poison = |record: &Record| matches!(record, Record::Log(log) if log.message.contains("fatal"));
    let exporter = Scripted::builder([]).with_poison(ErrorKind::TooLarge, poison).shared();
    let batch = fixtures::batch(Signal::Logs);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::TooLarge, batch.len()));
    assert_eq!(exporter.export(&batch.slice(0..5)).await.unwrap().delivered, 5);
    assert_eq!(exporter.batches().len(), 2);
}

#[tokio::test]
async fn law_1_accounting_each_record_meets_its_fate_however_its_batch_is_cut() {
    let batch = fixtures::batch(Signal::Logs);
    let records = batch.to_records();
    let fates = [Fate::Deliver, Fate::Reject(ErrorKind::TooLarge), Fate::Queue];
    let judge = move |record: &Record| {
        let at = records.iter().position(|known| known == record).unwrap();
        fates[at % fates.len()]
    };
    let fail = Fail { rejected: 1, ..fail_after(2) };
    for step in [Step::Deliver, Step::Reject(vec![0]), Step::Lose(1), Step::Fail(fail), Step::Hang] {
        for size in 1..=batch.len() {
            let exporter = Scripted::builder([step.clone()]).with_fates(judge.clone()).shared();
            for start in (0..batch.len()).step_by(size) {
                let part = batch.slice(start..(start + size).min(batch.len()));
                let (result, ()) = tokio::join!(exporter.export(&part), async { exporter.release() });
                assert_conserved(&part, &result);
                let receipt = result.as_ref().unwrap_or_else(|error| error.settled());
                let known = [ErrorKind::TooLarge, ErrorKind::Rejected];
                assert!(receipt.rejected.iter().all(|rejection| known.contains(&rejection.kind)));
            }
            let arrived = exporter.records();
            assert!(arrived.iter().all(|record| !matches!(judge(record), Fate::Reject(_))), "{step:?}");
            if step == Step::Deliver || step == Step::Hang {
                assert_eq!(arrived.len(), 4, "{step:?} of {size}");
            }
        }
    }
}

#[tokio::test]
async fn a_poisonous_fate_spoils_the_batch_before_any_step() {
    let batch = fixtures::batch(Signal::Scores);
    let bad = batch.to_records().pop().unwrap();
    let judge =
        move |record: &Record| if *record == bad { Fate::Poison(ErrorKind::Encode) } else { Fate::Deliver };
    let exporter = Scripted::builder([Step::Queue]).with_fates(judge).shared();
    assert_eq!(exporter.export(&batch).await.unwrap_err().kind(), ErrorKind::Encode);
    let rest = batch.slice(0..batch.len() - 1);
    assert_eq!(exporter.export(&rest).await.unwrap().queued, rest.len());
    assert!(format!("{exporter:?}").contains("Fates(by record)"));
}

fn fail_after(delivered: usize) -> Fail {
    Fail { kind: ErrorKind::Unavailable, retry: Retry::Backoff, status: None, delivered, rejected: 0 }
}

#[tokio::test]
async fn it_closes_and_says_what_flush_and_check_are_told_to_say() {
    let exporter = Scripted::builder([]).and_then(Step::unavailable()).shared();
    exporter.push(Step::Deliver);
    let batch = fixtures::batch(Signal::Feedback);
    assert!(exporter.export(&batch).await.is_ok());
    assert_eq!(exporter.export(&batch).await.unwrap_err().kind(), ErrorKind::Unavailable);
    exporter.set_flush_error(Some(ErrorKind::Io));
    assert_eq!(exporter.flush().await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(exporter.shutdown().await.unwrap_err().kind(), ErrorKind::Io);
    assert!(exporter.shutdown().await.is_ok() && exporter.is_closed());
    assert_eq!(exporter.export(&batch).await.unwrap_err().kind(), ErrorKind::Closed);
}
