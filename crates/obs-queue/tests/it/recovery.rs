//! What is there after the process ended, however it did.

use obs_core::{Health, Limits};
use obs_pipeline::Log as _;

use crate::support::{PATIENCE, lane, numbered, open, texts};

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn law_1_accounting_what_was_not_delivered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut first = lane(&log, "first");
    let mut second = lane(&log, "second");
    for at in 0..10 {
        let batch = numbered(at * 10..at * 10 + 10);
        let position = log.append(&batch);
        first.take(position, batch.clone());
        second.take(position, batch);
    }
    assert!(log.sync(PATIENCE));
    assert_eq!((first.queue.at_risk(), log.health()), (0, Health::Healthy));
    let limits = Limits { items: 13, bytes: usize::MAX };
    assert_eq!(first.deliver(limits), names(0..13));
    assert_eq!(first.deliver(limits), names(13..26));
    assert_eq!(first.queue.peek(limits).map(|head| texts(&head)), Some(names(26..39)));
    drop((first, second));
    assert!(log.close(PATIENCE));
    drop(log);

    let log = open(folder.path());
    let mut first = lane(&log, "first");
    let mut second = lane(&log, "second");
    assert_eq!((first.queue.items(), second.queue.items()), (74, 100));
    assert_eq!((first.queue.bytes(), first.queue.at_risk()), (0, 0));
    assert_eq!(first.deliver_all(), names(26..100));
    assert_eq!(second.deliver_all(), names(0..100));
    assert_eq!(lane(&log, "third").queue.items(), 0, "a new lane begins at the end");
    assert!(log.close(PATIENCE));
}

#[test]
fn a_second_process_gets_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let error = obs_queue::DiskQueue::open(crate::support::config(folder.path())).unwrap_err();
    assert_eq!(error.kind(), obs_core::ErrorKind::Config);
    let said = error.to_string();
    assert!(
        said.contains(&folder.path().display().to_string()) && said.contains("another process"),
        "{said}"
    );
    assert!(log.close(PATIENCE));
    open(folder.path());
}
