//! A process that is killed at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use obs_core::{Batch, Limits, Signal};
use obs_pipeline::Log as _;

use crate::support::{PATIENCE, lane, numbered, open, texts};

/// The variables that make this program the child: where the queue is, and the first number.
const FOLDER: &str = "OBS_TEST_QUEUE";
const FIRST: &str = "OBS_TEST_FIRST";

const LIMITS: Limits = Limits { items: 16, bytes: usize::MAX };

/// Records numbers, and says which are acknowledged and which are on their way, until it is killed.
#[test]
fn the_child_of_another_test() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut next: u32 = std::env::var(FIRST).unwrap().parse().unwrap();
    let log = open(Path::new(&folder));
    let mut lane = lane(&log, "lane");
    let mut out = std::io::stdout();
    loop {
        for _ in 0..3 {
            let batch = numbered(next..next + 7);
            next += 7;
            let position = log.append(&batch);
            lane.take(position, batch);
        }
        assert!(log.sync(PATIENCE));
        writeln!(out, "acknowledged {next}").unwrap();
        lane.load(LIMITS);
        if let Some(head) = lane.queue.peek(LIMITS) {
            writeln!(out, "sent {}", texts(&head).join(" ")).unwrap();
            lane.queue.commit(Batch::empty(Signal::Logs));
            lane.settle();
        }
    }
}

#[test]
fn law_1_accounting_kill_9_loses_nothing_acknowledged_and_repeats_at_most_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut arrived: BTreeMap<u32, usize> = BTreeMap::new();
    let (mut first, mut acknowledged) = (0, BTreeSet::new());
    for kill in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::the_child_of_another_test", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut end = first;
        let mut seen = 0;
        let wanted = 1 + kill * 7 % 23;
        for line in lines {
            let line = line.unwrap();
            // The first line of the child comes behind what the harness writes.
            if let Some((_, number)) = line.split_once("acknowledged ") {
                end = number.parse().unwrap();
            } else if let Some((_, numbers)) = line.split_once("sent ") {
                for number in numbers.split(' ') {
                    *arrived.entry(number.parse().unwrap()).or_default() += 1;
                }
            }
            seen += u64::from(line.contains("acknowledged ") || line.contains("sent "));
            if seen == wanted {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= wanted, "the child ended by itself");
        acknowledged.extend(first..end);
        // Numbers that were recorded and not acknowledged may be there or not.
        first = end + 1_000;
    }
    let log = open(folder.path());
    for text in lane(&log, "lane").deliver_all() {
        *arrived.entry(text.parse().unwrap()).or_default() += 1;
    }
    let lost: Vec<_> = acknowledged.iter().filter(|number| !arrived.contains_key(number)).collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    let twice: usize = arrived.values().map(|times| times - 1).sum();
    assert!(twice <= 25 * LIMITS.items, "{twice} came again");
    assert!(log.close(PATIENCE));
}
