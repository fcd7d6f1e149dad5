//! Exporting: what is promised to the pipeline.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use obs_core::{Batch, ErrorKind, Exporter, Health, Record, Retry, Signal};
use obs_store::{RecordQuery, StoreExporter};

use crate::support::{Place, ended, export, log, span, trace_id, wait};

fn count(exporter: &StoreExporter) -> usize {
    exporter.reader().list_logs(&RecordQuery { limit: 100_000, ..RecordQuery::default() }).unwrap().len()
}

#[test]
fn law_2_everything_works_without_a_runtime() {
    let place = Place::new();
    let exporter = place.exporter();
    export(&exporter, [log(None, 1).into()]);
    wait(exporter.flush()).unwrap();
    assert_eq!(wait(exporter.check()), Health::Healthy);
    wait(exporter.shutdown()).unwrap();
    assert!(matches!(wait(exporter.check()), Health::Unhealthy(why) if why.contains("shut down")));
}

#[test]
fn law_4_all_five_signals_are_native() {
    for signal in Signal::ALL {
        assert_eq!(StoreExporter::DESCRIPTOR.support(signal), obs_core::Support::Native);
    }
    assert!(StoreExporter::DESCRIPTOR.is_local());
}

#[test]
fn what_another_process_locks_comes_back_undelivered_and_goes_in_afterwards() {
    let place = Place::new();
    let exporter = place.exporter();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = Batch::Logs(vec![log(None, 1), log(None, 2)].into());
    let error = wait(exporter.export(&batch)).unwrap_err();
    assert_eq!((error.kind(), error.retry(), error.undelivered()), (ErrorKind::Io, Retry::Backoff, &batch));
    assert!(error.message().contains("write lock") && error.message().contains("obs.db"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(wait(exporter.export(error.undelivered())).unwrap().delivered, 2);
    assert_eq!(count(&exporter), 2);
}

#[test]
fn a_file_that_became_something_else_holds_the_destination() {
    let place = Place::new();
    let exporter = place.exporter();
    std::fs::remove_file(place.path()).unwrap();
    std::fs::create_dir(place.path()).unwrap();
    let batch = Batch::Logs(vec![log(None, 1)].into());
    let error = wait(exporter.export(&batch)).unwrap_err();
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Io, &batch));
    assert!(matches!(error.retry(), Retry::Hold(_)) && error.message().contains("is a folder"), "{error:?}");
    std::fs::remove_dir(place.path()).unwrap();
    for name in ["obs.db-wal", "obs.db-shm"] {
        std::fs::remove_file(place.folder.path().join(name)).ok();
    }
    assert_eq!(wait(exporter.export(&batch)).unwrap().delivered, 1, "it heals by itself");
}

#[test]
fn readers_see_whole_batches_while_it_writes() {
    const BATCHES: usize = 60;
    const SPANS: u64 = 20;
    let place = Place::new();
    let exporter = place.exporter();
    let (done, finished) = channel();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (reader, done) = (exporter.reader(), done.clone());
            thread::spawn(move || {
                let mut seen = 0;
                while seen < BATCHES {
                    let found =
                        (1..=BATCHES as u128).filter_map(|id| reader.find_trace(trace_id(id)).unwrap());
                    let lengths: Vec<_> = found.map(|trace| trace.spans.len()).collect();
                    assert!(lengths.iter().all(|length| *length == SPANS as usize), "{lengths:?}");
                    assert!(lengths.len() >= seen, "what was there is gone");
                    seen = lengths.len();
                }
                done.send(()).unwrap();
            })
        })
        .collect();
    for trace in 1..=BATCHES as u128 {
        export(&exporter, (1..=SPANS).map(|id| ended(span(trace, id, id))));
    }
    for reader in readers {
        finished.recv_timeout(Duration::from_mins(1)).unwrap();
        reader.join().unwrap();
    }
}

#[test]
fn law_1_exports_at_once_are_all_committed_and_counted() {
    let place = Place::new();
    let exporter = place.exporter();
    thread::scope(|scope| {
        for thread in 0..8 {
            let exporter = &exporter;
            scope.spawn(move || {
                for at in 0..20 {
                    export(exporter, (0..10).map(|n| Record::from(log(Some(thread + 1), at * 10 + n))));
                }
            });
        }
    });
    assert_eq!(count(&exporter), 8 * 20 * 10);
}

#[test]
fn an_export_that_was_given_up_leaves_the_rest_as_it_is() {
    let place = Place::new();
    let exporter = place.exporter();
    let batch = Batch::Logs((0..100).map(|time| log(None, time)).collect());
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(exporter.export(&batch).now_or_never().is_none(), "it cannot be done while another one writes");
    other.execute_batch("ROLLBACK").unwrap();
    export(&exporter, [log(None, 1).into()]);
    let there = count(&exporter);
    assert!(there == 1 || there == 101, "all of it or nothing, not {there}");
}
