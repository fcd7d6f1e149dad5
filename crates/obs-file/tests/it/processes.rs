//! Several writers in one folder.

use std::sync::Arc;

use obs_core::Exporter;
use obs_file::FileExporter;

use crate::support::{Hands, NOON, all_said, config, logs, names};

#[test]
fn writers_share_a_folder_and_never_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = |writer: u32| {
        let path = folder.path().to_owned();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            for round in 0..10 {
                // Each start looks for what others left, while they write.
                let exporter = FileExporter::with_clock(config(&path), Hands::at(NOON)).unwrap();
                for at in 0..5 {
                    runtime.block_on(exporter.export(&logs([format!("{writer} {round} {at}")]))).unwrap();
                }
                runtime.block_on(exporter.shutdown()).unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..8).map(run).collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let names = names(folder.path());
    assert_eq!(names.len(), 80, "{names:?}");
    for name in names {
        let text = std::fs::read_to_string(folder.path().join(&name)).unwrap();
        let writers: std::collections::BTreeSet<&str> = text
            .lines()
            .map(|line| line.split("\"message\":\"").nth(1).unwrap().rsplit_once(' ').unwrap().0)
            .collect();
        assert_eq!((text.lines().count(), writers.len()), (5, 1), "{name}: {text}");
    }
    let mut said = all_said(folder.path());
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 400);
}

#[tokio::test]
async fn one_exporter_is_shared_by_many_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Arc::new(FileExporter::new(config(folder.path()).with_max_file_size(5_000)).unwrap());
    let export = |at: u32| {
        let exporter = Arc::clone(&exporter);
        tokio::spawn(
            async move { exporter.export(&logs((0..10).map(|n| at * 10 + n))).await.unwrap().delivered },
        )
    };
    let tasks: Vec<_> = (0..50).map(export).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 10);
    }
    exporter.shutdown().await.unwrap();
    let mut said: Vec<u32> = all_said(folder.path()).iter().map(|said| said.parse().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, (0..500).collect::<Vec<_>>());
}
