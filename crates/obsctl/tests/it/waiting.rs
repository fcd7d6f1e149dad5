//! `obsctl queue` and `obsctl dlq`: what waits, and what was rejected.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, DeadLetters as _, ErrorKind, Level, Log, Rejection, Signal, Timestamp};
use obs_pipeline::{Clock, Log as _, Offer};
use obs_queue::{DeadLetterConfig, DeadLetterStore, DiskQueue, QueueConfig};

use crate::program::{failed, obsctl, obsctl_with, records};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

fn logs(count: u64) -> Batch {
    let log = |n| Log::new(Timestamp::from_nanos(n), Level::Info, format!("message {n}\u{1b}[2J"));
    Batch::Logs((1..=count).map(log).collect())
}

/// A queue that an application left: ten records in five rows for each of these destinations.
pub(crate) fn waiting(folder: &Path, destinations: &[&str]) -> DiskQueue {
    let log = DiskQueue::open(QueueConfig::new(folder.join("obs-queue"))).unwrap();
    let clock = Clock::system();
    let lane = |name: &&str| log.lane(name, Signal::Logs, &clock, Arc::new(|| ()));
    let mut lanes: Vec<_> = destinations.iter().map(lane).collect();
    for _ in 0..5 {
        let batch = logs(2);
        let position = Some(log.append(&batch));
        for lane in &mut lanes {
            lane.offer(Offer {
                batch: batch.clone(),
                position,
                selection: None,
                bytes: 100,
                now: clock.monotonic(),
            });
        }
    }
    assert!(log.sync(PATIENCE));
    log
}

/// Three records that each of two destinations rejected.
pub(crate) fn rejected(folder: &Path) {
    let store = DeadLetterStore::open(DeadLetterConfig::new(folder.join("obs-queue"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (destination, kind, status) in
        [("langfuse", ErrorKind::Rejected, Some(400)), ("datadog", ErrorKind::TooLarge, None)]
    {
        let rejection = Rejection { status, ..Rejection::of(logs(3), kind, "the field traceId is missing") };
        runtime.block_on(store.put(destination, &rejection)).unwrap();
    }
}

#[test]
fn what_waits_is_listed_while_the_application_runs() {
    let folder = tempfile::tempdir().unwrap();
    let log = waiting(folder.path(), &["datadog", "langfuse"]);
    let text = obsctl(folder.path(), &["queue", "ls"]).ended(0).stdout;
    assert!(text.starts_with("DESTINATION") && text.contains("datadog") && text.contains("logs"), "{text}");
    let json = obsctl(folder.path(), &["queue", "ls", "--json"]).ended(0).json();
    let lane = &json["lanes"][1];
    assert_eq!((lane["destination"].as_str(), lane["records"].as_u64()), (Some("langfuse"), Some(10)));
    assert!(lane["bytes"].as_u64() > Some(500) && lane["oldest"].is_u64(), "{lane}");
    assert!(text.contains("LAST MOVE") && lane["moved"].is_u64(), "{text}");
    let json = obsctl(folder.path(), &["queue", "verify", "--json"]).ended(0).json();
    assert_eq!(
        (json["verified"]["rows"].as_u64(), json["verified"]["records"].as_u64()),
        (Some(5), Some(10))
    );
    let drain = ["queue", "drain", "--dest", "langfuse", "--to", "out.jsonl"];
    failed(obsctl(folder.path(), &drain), &["in use by another process"]);
    assert!(log.close(PATIENCE));
}

#[test]
fn a_drained_lane_is_empty_and_others_keep_what_waits_for_them() {
    let folder = tempfile::tempdir().unwrap();
    assert!(waiting(folder.path(), &["datadog", "langfuse"]).close(PATIENCE));
    failed(obsctl(folder.path(), &["queue", "drain", "--to", "o.jsonl"]), &["datadog, langfuse", "--dest"]);
    failed(obsctl(folder.path(), &["queue", "drain", "--dest", "x", "--to", "o.jsonl"]), &["knows datadog"]);
    failed(
        obsctl(folder.path(), &["queue", "drain", "--dest", "datadog", "--to", "o.csv"]),
        &[".jsonl file", ".db file"],
    );
    let drain = ["queue", "drain", "--dest", "datadog", "--to", "out.jsonl", "--json"];
    let json = obsctl(folder.path(), &drain).ended(0).json();
    assert_eq!((json[0]["delivered"].as_u64(), json[0]["left"].as_u64()), (Some(10), Some(0)), "{json}");
    assert_eq!(records(&folder.path().join("out.jsonl")).len(), 10);
    let drain = ["queue", "drain", "--to", "out.db"];
    obsctl(folder.path(), &drain).ended(0);
    assert!(obsctl(folder.path(), &drain).ended(0).stderr.contains("nothing waits"));
    let file = ["queue", "drain", "--dir", "obs-queue/queue.db", "--to", "out.jsonl"];
    failed(obsctl(folder.path(), &file), &["obs-queue/queue.db", "folder of its own"]);
    let json = obsctl(folder.path(), &["queue", "ls", "--json"]).ended(0).json();
    assert!(json["lanes"].as_array().unwrap().iter().all(|lane| lane["records"] == 0), "{json}");
}

#[test]
fn damage_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(waiting(folder.path(), &["datadog"]).close(PATIENCE));
    let file = rusqlite::Connection::open(folder.path().join("obs-queue/queue.db")).unwrap();
    file.execute("UPDATE log SET data = x'7b' WHERE position = (SELECT min(position) FROM log)", []).unwrap();
    drop(file);
    let ran = obsctl(folder.path(), &["queue", "verify"]).ended(1);
    assert!(ran.stdout.contains("damaged: row ") && ran.stderr.contains("1 places are damaged"), "{ran:#?}");
    let drain = ["queue", "drain", "--to", "out.jsonl", "--json"];
    let json = obsctl(folder.path(), &drain).ended(3).json();
    assert_eq!((json[0]["delivered"].as_u64(), json[0]["damaged"].as_u64()), (Some(8), Some(2)), "{json}");
    let json = obsctl(folder.path(), &["queue", "verify", "--json"]).ended(0).json();
    assert_eq!(json["verified"]["put_aside"], 2, "{json}");
}

#[test]
fn a_destination_that_is_gone_stays_in_the_list_and_moves_no_more() {
    let folder = tempfile::tempdir().unwrap();
    assert!(waiting(folder.path(), &["renamed"]).close(PATIENCE));
    let moves = || {
        let json = obsctl(folder.path(), &["queue", "ls", "--json"]).ended(0).json();
        let moved = |lane: &serde_json::Value| (lane["destination"].clone(), lane["moved"].as_u64().unwrap());
        json["lanes"].as_array().unwrap().iter().map(moved).collect::<Vec<_>>()
    };
    let (gone, start) = (moves(), Clock::system().now().as_nanos());
    assert!(gone[0].1 < start, "{gone:?}");
    assert!(waiting(folder.path(), &["the-new-name"]).close(PATIENCE));
    let now = moves();
    assert_eq!(now[0], gone[0]);
    assert!(now[1].0 == "the-new-name" && now[1].1 >= start, "{now:?}");
}

#[test]
fn a_place_without_a_queue_is_named_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["queue", "ls"][..], &["queue", "verify"], &["queue", "drain", "--to", "a.jsonl"]] {
        failed(obsctl(folder.path(), args), &["obs-queue", "no queue", "directory"]);
    }
    for args in [&["dlq", "ls"][..], &["dlq", "show", "1"], &["dlq", "purge", "--yes"]] {
        failed(obsctl(folder.path(), args), &["obs-queue", "no dead letters", "OBS_QUEUE_DIR"]);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn dead_letters_are_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    rejected(folder.path());
    let elsewhere = folder.path().join("obs-queue");
    let variables = [("OBS_QUEUE_DIR", elsewhere.to_str().unwrap())];
    let text = obsctl_with(&std::env::temp_dir(), &["dlq", "ls"], &variables).ended(0).stdout;
    assert!(text.contains("http_400") && text.contains("too_large") && text.contains("traceId"), "{text}");
    let ls = ["dlq", "ls", "--json", "--reason", "http_400", "--limit", "2", "--since", "1h"];
    let json = obsctl(folder.path(), &ls).ended(0).json();
    assert_eq!((json["records"].as_u64(), json["letters"].as_array().unwrap().len()), (Some(3), 2));
    let id = json["letters"][0]["id"].to_string();
    let shown = obsctl(folder.path(), &["dlq", "show", &id, "--json"]).ended(0).json();
    assert_eq!(shown["record"]["message"], "message 1\u{1b}[2J", "{shown}");
    let text = obsctl(folder.path(), &["dlq", "show", &id]).ended(0).stdout;
    assert!(
        text.contains("rejected by langfuse: rejected, status 400") && !text.contains('\u{1b}'),
        "{text}"
    );
    failed(obsctl(folder.path(), &["dlq", "show", "999"]), &["no dead letter 999", "dlq ls"]);
}

#[test]
fn a_replay_delivers_each_once_and_a_purge_asks() {
    let folder = tempfile::tempdir().unwrap();
    rejected(folder.path());
    let dry = obsctl(folder.path(), &["dlq", "replay", "--dest", "langfuse", "--dry-run"]).ended(0);
    assert!(dry.stdout.contains("3 records would"), "{dry:#?}");
    let replay = ["dlq", "replay", "--dest", "langfuse", "--to", "again.jsonl", "--rate", "1000/s", "--json"];
    let json = obsctl(folder.path(), &replay).ended(0).json();
    assert_eq!((json["delivered"].as_u64(), json["left"].as_u64()), (Some(3), Some(0)), "{json}");
    assert_eq!(records(&folder.path().join("again.jsonl")).len(), 3);
    failed(obsctl(folder.path(), &["dlq", "purge"]), &["all 3 records", "--yes"]);
    let purged = obsctl(folder.path(), &["dlq", "purge", "--yes", "--json"]).ended(0).json();
    assert_eq!(purged["removed"], 3);
    assert!(obsctl(folder.path(), &["dlq", "ls"]).ended(0).stdout.contains("no dead letters"));
    obsctl(folder.path(), &["dlq", "replay"]).ended(2);
}
