use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use obs_core::{Level, Log, Timestamp};
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;

use super::*;

/// A disk with so much room, which breaks off in the middle of a write that does not fit.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    room: usize,
    cuts_fail: bool,
}

impl Disk {
    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn room(&self, room: usize) {
        self.state(|state| state.room = room);
    }
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.state(|state| {
            let fits = bytes.len().min(state.room - state.bytes.len().min(state.room));
            state.bytes.extend_from_slice(&bytes[..fits]);
            if fits == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(fits) }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Handle for Disk {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.state(|state| {
            if state.cuts_fail {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.bytes.truncate(len as usize);
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn begin(disk: &Disk) -> Parquet {
    Parquet::begin(Signal::Logs, Compression::Zstd, Box::new(disk.clone())).unwrap()
}

fn logs(from: u64, count: u64, len: usize) -> Batch {
    let log = |nth: u64| Log::new(Timestamp::from_nanos(nth), Level::Info, nth.to_string().repeat(len));
    Batch::Logs((from..from + count).map(log).collect())
}

/// The times of the rows of a finished file.
fn times(disk: &Disk) -> Vec<i64> {
    let reader = SerializedFileReader::new(Bytes::from(disk.state(|state| state.bytes.clone()))).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).map(|row| long(&row[1].1)).collect()
}

fn long(field: &parquet::record::Field) -> i64 {
    match field {
        parquet::record::Field::Long(value) => *value,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However often the disk is full, in the middle of what, and whether it can be cut or not: a file that was finished
    /// has each row that was taken, once and in order, and a batch that was refused not at all.
    #[test]
    fn a_finished_file_has_what_was_taken(
        steps in prop::collection::vec((0usize..4_000, any::<bool>(), any::<bool>(), 1u64..40), 1..12),
    ) {
        let disk = Disk::default();
        let (mut file, mut taken, mut next) = (begin(&disk), Vec::new(), 0u64);
        for (more, cuts_fail, flush, count) in steps {
            disk.state(|state| {
                state.cuts_fail = cuts_fail;
                state.room = state.bytes.len() + more;
            });
            if file.write(&logs(next, count, 3)).is_ok() {
                taken.extend((next..next + count).map(|nth| nth as i64));
            }
            next += count;
            if flush {
                let _: io::Result<()> = file.flush();
            }
        }
        let _: io::Result<()> = file.finish();
        disk.state(|state| state.cuts_fail = false);
        disk.room(usize::MAX);
        file.finish().unwrap();
        prop_assert_eq!(times(&disk), taken);
        prop_assert_eq!(file.bytes(), disk.state(|state| state.bytes.len() as u64));
    }
}

#[test]
fn row_groups_are_bounded_and_so_is_what_waits() {
    let disk = Disk::default();
    disk.room(usize::MAX);
    let mut file = begin(&disk);
    for nth in 0..60 {
        file.write(&logs(nth * 100, 100, 2_000)).unwrap();
        assert!(file.rows.bytes() < GROUP_BYTES);
    }
    let before = file.bytes();
    file.finish().unwrap();
    assert!(before.abs_diff(file.bytes()) < 8 << 20, "{before} was a bad guess of {}", file.bytes());
    let reader = SerializedFileReader::new(Bytes::from(disk.state(|state| state.bytes.clone()))).unwrap();
    assert!(reader.num_row_groups() > 1, "{}", reader.num_row_groups());
    assert_eq!(times(&disk), (0..6_000).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_gathers_no_more_than_a_row_group_and_a_batch() {
    let disk = Disk::default();
    // The front of the file and no more.
    disk.room(4);
    let mut file = begin(&disk);
    let taken: Vec<bool> = (0..60).map(|nth| file.write(&logs(nth * 100, 100, 2_000)).is_ok()).collect();
    let count = taken.iter().filter(|taken| **taken).count();
    assert!((2..60).contains(&count) && taken[..count].iter().all(|taken| *taken), "{taken:?}");
    assert!(file.rows.bytes() < GROUP_BYTES && file.bytes() < 2 * GROUP_BYTES as u64);
    disk.room(usize::MAX);
    file.finish().unwrap();
    assert_eq!(times(&disk), (0..count as i64 * 100).collect::<Vec<_>>());
}

#[test]
fn our_files_are_known_and_others_are_not() {
    let disk = Disk::default();
    disk.room(usize::MAX);
    let mut file = begin(&disk);
    file.write(&logs(0, 3, 1)).unwrap();
    file.flush().unwrap();
    let open = disk.state(|state| state.bytes.clone());
    assert!(!is_ours(&open, &open));
    file.finish().unwrap();
    let whole = disk.state(|state| state.bytes.clone());
    assert!(is_ours(&whole[..100], &whole[whole.len().saturating_sub(64 << 10)..]));
    assert!(!is_ours(b"PAR1 somebody else's", b"footer PAR1"));
}
