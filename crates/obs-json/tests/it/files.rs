//! Files in all the states that they are found in.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use obs_core::{Batch, ErrorKind, Exporter, Health, Level, Log, Record, Retry, Signal, Timestamp};
use obs_json::{BadLineCause, JsonConfig, JsonExporter, read_lines};
use obs_testkit::conformance::assert_conserved;
use obs_testkit::fixtures;

fn logs(from: u64, count: u64) -> Batch {
    let log = |nth| Log::new(Timestamp::from_nanos(nth), Level::Info, format!("message {nth}"));
    Batch::Logs((from..from + count).map(log).collect())
}

/// The times of all logs of the file; a bad line fails.
fn times(path: &Path) -> Vec<u64> {
    let time = |record: Record| match record {
        Record::Log(log) => log.time.as_nanos(),
        other => panic!("not a log: {other:?}"),
    };
    read_lines(path).unwrap().map(|record| time(record.unwrap())).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_made_with_its_folders_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/telemetry.jsonl");
    let exporter = JsonExporter::file(&path).unwrap();
    exporter.export(&logs(1, 2)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    drop(exporter);
    JsonExporter::file(&path).unwrap().export(&logs(3, 1)).await.unwrap();
    assert_eq!(times(&path), [1, 2, 3], "it is appended to");
}

#[test]
fn what_is_no_file_is_refused_with_the_reason_and_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |path: &Path, reason: &str| {
        let error = JsonExporter::file(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.to_string();
        assert!(message.starts_with("path: ") && message.contains(reason), "{message}");
    };
    refused(dir.path(), "it is a folder; give the path of a file in it");
    refused(Path::new(""), "the path is empty; give the path of a file");
    fs::write(dir.path().join("file"), "").unwrap();
    refused(&dir.path().join("file/telemetry.jsonl"), "its folder");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.path().join("nowhere/x"), dir.path().join("dangling")).unwrap();
        refused(&dir.path().join("dangling"), "it is a link to");
        std::os::unix::fs::symlink(dir.path().join("loop"), dir.path().join("loop")).unwrap();
        refused(&dir.path().join("loop"), "it is a link to");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_file_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target.jsonl"), dir.path().join("link.jsonl"));
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let exporter = JsonExporter::file(&link).unwrap();
    exporter.export(&logs(1, 1)).await.unwrap();
    exporter.export(&logs(2, 1)).await.unwrap();
    assert_eq!(times(&target), [1, 2]);
}

#[tokio::test]
async fn a_moved_or_removed_file_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rotated) = (dir.path().join("a/telemetry.jsonl"), dir.path().join("a/telemetry.1.jsonl"));
    let exporter = JsonExporter::file(&path).unwrap();
    exporter.export(&logs(1, 1)).await.unwrap();
    fs::rename(&path, &rotated).unwrap();
    exporter.export(&logs(2, 1)).await.unwrap();
    assert_eq!((times(&rotated), times(&path)), (vec![1], vec![2]));
    fs::remove_file(&path).unwrap();
    exporter.export(&logs(3, 1)).await.unwrap();
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    exporter.export(&logs(4, 1)).await.unwrap();
    assert_eq!(times(&path), [4]);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_an_error_that_can_be_retried() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/telemetry.jsonl");
    let exporter = JsonExporter::file(&path).unwrap();
    fs::remove_dir_all(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a"), "in the way").unwrap();
    let batch = logs(1, 3);
    let result = exporter.export(&batch).await;
    assert_conserved(&batch, &result);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Io, Retry::Backoff));
    assert_eq!(error.undelivered().len(), 3);
    assert!(matches!(exporter.check().await, Health::Unhealthy(_)));
    fs::remove_file(dir.path().join("a")).unwrap();
    assert_eq!(exporter.check().await, Health::Healthy);
    assert_eq!(exporter.export(error.undelivered()).await.unwrap().delivered, 3);
    assert_eq!(times(&path), [1, 2, 3]);
}

#[tokio::test]
async fn a_line_that_broke_off_in_a_crash_spoils_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.jsonl");
    let mut line = Vec::new();
    logs(1, 1).write_lines(&mut line, |_, error| panic!("{error}"));
    fs::write(&path, [&line[..], &line[..20]].concat()).unwrap();
    JsonExporter::file(&path).unwrap().export(&logs(2, 1)).await.unwrap();
    let read: Vec<_> = read_lines(&path).unwrap().collect();
    assert_eq!(read.len(), 3);
    assert!(read[0].is_ok() && read[2].is_ok());
    let bad = read[1].as_ref().unwrap_err();
    assert!(matches!(bad.cause, BadLineCause::Record(_)) && bad.line == 2, "{bad}");
}

/// What arrives and what is reported agree, wherever the disk is full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_device_leaves_everything_undelivered() {
    let exporter = JsonExporter::new(JsonConfig::new("/dev/full")).unwrap();
    let batch = fixtures::batch(Signal::Traces);
    let result = exporter.export(&batch).await;
    assert_conserved(&batch, &result);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Io, batch.len()));
    assert!(error.to_string().contains("space"), "{error}");
}

/// Takes so many bytes, then is full.
#[derive(Debug)]
struct Full(Arc<std::sync::Mutex<Vec<u8>>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut taken = self.0.lock().unwrap();
        let room = self.1.saturating_sub(taken.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        taken.extend(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn law_1_wherever_a_write_breaks_off_whole_lines_are_delivered_and_the_rest_is_left() {
    let batch = logs(1, 4);
    let mut lines = Vec::new();
    batch.write_lines(&mut lines, |_, error| panic!("{error}"));
    for room in 0..lines.len() {
        let taken = Arc::default();
        let exporter = JsonExporter::writer(Full(Arc::clone(&taken), room));
        let result = exporter.export(&batch).await;
        assert_conserved(&batch, &result);
        let error = result.unwrap_err();
        let whole = lines[..room].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(error.settled().delivered, whole, "room for {room} bytes");
        assert_eq!(*error.undelivered(), batch.slice(whole..4), "room for {room} bytes");
        assert_eq!(*taken.lock().unwrap(), lines[..room]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_exporters_append_whole_lines_to_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("telemetry.jsonl");
    let writers: Vec<_> = (0..4u64)
        .map(|nth| {
            let path = path.clone();
            tokio::spawn(async move {
                let exporter = JsonExporter::file(path).unwrap();
                for batch in 0..50 {
                    exporter.export(&logs(nth * 10_000 + batch * 20, 20)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut times = times(&path);
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 4 * 50 * 20);
}

#[tokio::test]
async fn flush_with_sync_reaches_the_disk_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = JsonConfig::new(dir.path().join("a.jsonl")).with_sync(true);
    let exporter = JsonExporter::new(config).unwrap();
    exporter.export(&logs(1, 1)).await.unwrap();
    exporter.flush().await.unwrap();
    let mut file = OpenOptions::new().append(true).open(dir.path().join("a.jsonl")).unwrap();
    file.write_all(b"\n").unwrap();
    assert_eq!(times(&dir.path().join("a.jsonl")), [1], "an empty line is skipped");
}
