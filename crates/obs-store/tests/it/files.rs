//! The file itself: who may read it, and what is left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use obs_core::{Error, ErrorKind};
use obs_store::{RecordQuery, StoreConfig, StoreExporter, StoreReader};

use crate::support::{Place, export, log};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refused(path: &Path) -> Error {
    StoreExporter::new(StoreConfig::new(path)).unwrap_err()
}

#[test]
fn only_the_owner_reads_the_file_and_the_folders_made_for_it() {
    let place = Place::new();
    let path = place.folder.path().join("a/b/obs.db");
    let exporter = StoreExporter::new(StoreConfig::new(&path)).unwrap();
    export(&exporter, [log(None, 1).into()]);
    for name in ["obs.db", "obs.db-wal", "obs.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!((mode(path.parent().unwrap()), mode(&place.folder.path().join("a"))), (0o700, 0o700));
}

#[test]
fn what_is_something_else_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let path = place.path();
    let foreign = || {
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch("CREATE TABLE customers (name)").unwrap();
    };
    let cases: [(&str, &dyn Fn()); 4] = [
        ("is not a SQLite database", &|| fs::write(&path, "dear diary").unwrap()),
        ("is the database of another program", &foreign),
        ("is damaged", &|| fs::write(&path, [b"SQLite format 3\0".as_slice(), &[7; 4000]].concat()).unwrap()),
        ("is a folder", &|| fs::create_dir(&path).unwrap()),
    ];
    for (cause, make) in cases {
        make();
        let before = fs::read(&path).ok();
        for error in [refused(&path), StoreReader::open(StoreConfig::new(&path)).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            let parts = [cause, &path.display().to_string(), "choose another path"];
            assert!(parts.iter().all(|part| error.message().contains(part)), "{error}");
        }
        assert_eq!(fs::read(&path).ok(), before, "{cause}");
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
    }
}

#[test]
fn a_path_that_cannot_be_is_told_with_the_cause() {
    let place = Place::new();
    fs::write(place.folder.path().join("file"), "").unwrap();
    let error = refused(&place.folder.path().join("file/obs.db"));
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("file: the folder cannot be made"), "{error}");
    assert!(error.message().ends_with("mend it, or choose another path"), "{error}");
}

#[test]
fn reading_makes_nothing() {
    let place = Place::new();
    let error = StoreReader::open(place.config()).unwrap_err();
    assert!(error.message().contains("there is no store to read"), "{error}");
    assert!(!place.path().exists());
    fs::write(place.path(), "").unwrap();
    let error = StoreReader::open(place.config()).unwrap_err();
    assert!(error.message().contains("holds no records yet"), "{error}");
}

#[test]
fn a_file_that_was_moved_away_is_replaced_and_loses_nothing_that_comes_after() {
    let place = Place::new();
    let exporter = place.exporter();
    let reader = exporter.reader();
    export(&exporter, [log(None, 1).into()]);
    assert_eq!(reader.list_logs(&RecordQuery::default()).unwrap().len(), 1);
    for name in ["obs.db", "obs.db-wal", "obs.db-shm"] {
        fs::rename(place.folder.path().join(name), place.folder.path().join(format!("old-{name}"))).unwrap();
    }
    export(&exporter, [log(None, 2).into(), log(None, 3).into()]);
    assert_eq!(reader.list_logs(&RecordQuery::default()).unwrap().len(), 2, "the reader sees the new file");
}

#[test]
fn a_store_that_exists_is_added_to() {
    let place = Place::new();
    for time in 1..=3 {
        export(&place.exporter(), [log(None, time).into()]);
    }
    let reader = StoreReader::open(place.config()).unwrap();
    assert_eq!(reader.list_logs(&RecordQuery::default()).unwrap().len(), 3);
}
