//! Several processes and one file.

use std::process::{Child, Command, Stdio};

use obs_core::{Exporter, Record};
use obs_store::{RecordQuery, StoreConfig, StoreExporter, StoreReader};

use crate::support::{Place, ended, export, log, span, wait};

/// The variable that makes a run of this binary a writing process: the file, and its number.
const ROLE: &str = "OBS_STORE_TEST_WRITER";

const BATCHES: u64 = 40;
const RECORDS: u64 = 25;

/// This test again, as another process; without the variable, it does nothing.
#[test]
fn as_another_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (number, path) = role.split_once(' ').unwrap();
    let number: u128 = number.parse().unwrap();
    let exporter = StoreExporter::new(StoreConfig::new(path)).unwrap();
    for batch in 0..BATCHES {
        let records = (1..=RECORDS).flat_map(|n| {
            let time = batch * 100 + n;
            [ended(span(number * 1_000 + u128::from(batch), n, time)), Record::from(log(None, time))]
        });
        export(&exporter, records);
    }
    wait(exporter.shutdown()).unwrap();
}

fn spawn(place: &Place, number: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::as_another_process"])
        .env(ROLE, format!("{number} {}", place.path().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn processes_make_and_fill_one_store_together() {
    let place = Place::new();
    let others: Vec<_> = (1..=3).map(|number| spawn(&place, number)).collect();
    for other in others {
        let output = other.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let reader = StoreReader::open(place.config()).unwrap();
    let all = obs_core::TraceQuery { limit: 1_000, ..obs_core::TraceQuery::default() };
    let traces = reader.list_traces(&all).unwrap();
    assert_eq!(traces.len() as u64, 3 * BATCHES);
    assert!(traces.iter().all(|trace| trace.spans == RECORDS));
    let logs = reader.list_logs(&RecordQuery { limit: 10_000, ..RecordQuery::default() }).unwrap();
    assert_eq!(logs.len() as u64, 3 * BATCHES * RECORDS);
}

#[test]
fn a_process_that_is_killed_leaves_what_it_had_exported() {
    let place = Place::new();
    let mut other = spawn(&place, 1);
    let all = RecordQuery { limit: 10_000, ..RecordQuery::default() };
    // Nobody has the file open when it is read: what the dead left in the log is recovered.
    let count = || {
        StoreReader::open(place.config())
            .and_then(|reader| reader.list_logs(&all))
            .map(|logs| logs.len() as u64)
    };
    while count().unwrap_or(0) == 0 && other.try_wait().unwrap().is_none() {}
    other.kill().unwrap();
    other.wait().unwrap();
    let there = count().unwrap();
    assert!(there > 0 && there.is_multiple_of(RECORDS), "whole batches, not {there}");
    export(&place.exporter(), [log(None, 1).into()]);
    assert_eq!(count().unwrap(), there + 1);
}
