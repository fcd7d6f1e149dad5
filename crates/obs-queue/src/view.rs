//! What a queue holds, seen from outside the process that uses it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use obs_core::{Error, ErrorKind, Signal, Timestamp};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::cursor::Cursor;
use crate::failure::Trouble;
use crate::rows::Row;
use crate::schema;
use crate::shared::DATABASE;
use crate::transaction::number;

/// A queue, read beside the application that uses it, or where nothing can be written; nothing is changed and nothing is
/// locked.
#[derive(Debug)]
pub struct QueueView {
    path: PathBuf,
    connection: Connection,
}

/// What waits for one destination, of one signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LaneView {
    /// The name of the destination.
    pub destination: String,
    /// The signal.
    pub signal: Signal,
    /// Records that wait, before the destination's route: some may not be meant for it.
    pub records: u64,
    /// Rows that hold them.
    pub rows: u64,
    /// Bytes of those rows.
    pub bytes: u64,
    /// When the oldest of them was sealed.
    pub oldest: Option<Timestamp>,
    /// When the lane last delivered or gave up something, or was new: that of a destination that is gone stands still, as
    /// does that of one that has nothing to do or is out.
    pub moved: Timestamp,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Damage {
    /// Its place in the log; none where the file as a whole is damaged.
    pub position: Option<u64>,
    /// How many records it should hold.
    pub records: u64,
    /// What is wrong.
    pub reason: String,
}

/// What looking a whole queue through came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// Rows that were read.
    pub rows: u64,
    /// Records in those that are well.
    pub records: u64,
    /// What is not well.
    pub damage: Vec<Damage>,
    /// Records that were found damaged before, kept in the table `damaged`.
    pub put_aside: u64,
}

impl QueueView {
    /// Looks at the queue in a folder, or at a file of one that was set aside.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where there is no queue, or it cannot be read: the message says which, and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let given = path.as_ref();
        let path = if given.is_dir() { given.join(DATABASE) } else { given.to_owned() };
        let missing =
            |cause: io::Error| matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        if fs::metadata(&path).is_err_and(missing) {
            let message = format!(
                "{}: there is no queue; name the directory of the application's queue (its option `directory`)",
                path.display()
            );
            return Err(Error::without_records(ErrorKind::Io, message));
        }
        let connection = schema::open_for_reading(&path).map_err(|trouble| told(&trouble))?;
        Ok(Self { path, connection })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What waits, by destination and signal.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be read.
    pub fn lanes(&self) -> Result<Vec<LaneView>, Error> {
        self.read(|connection| {
            let moment = connection.unchecked_transaction()?;
            let sql = "SELECT destination, signal, position, skip, moved_at FROM cursors ORDER BY destination, signal";
            let mut statement = moment.prepare(sql)?;
            let cursors = statement.query_map([], |row| {
                let cursor =
                    Cursor { position: row.get::<_, i64>(2)? as u64, skip: row.get::<_, i64>(3)? as u64 };
                let moved = Timestamp::from_nanos(row.get::<_, i64>(4)? as u64);
                Ok((row.get::<_, String>(0)?, schema::signal(row.get(1)?)?, cursor, moved))
            })?;
            let cursors: Vec<_> = cursors.collect::<rusqlite::Result<_>>()?;
            cursors.into_iter().map(|cursor| lane(&moment, cursor)).collect()
        })
    }

    /// Reads every row as whoever delivers it would, and asks SQLite to look the file through.
    pub fn verify(&self) -> Verified {
        let mut verified = Verified::default();
        let whole = |reason: String| Damage { position: None, records: 0, reason };
        let checked = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match checked {
            Ok(said) if said == "ok" => {}
            Ok(said) => verified.damage.push(whole(said)),
            Err(cause) => verified.damage.push(whole(cause.to_string())),
        }
        if let Err(cause) = self.verify_rows(&mut verified) {
            verified.damage.push(whole(cause.to_string()));
        }
        verified
    }

    fn verify_rows(&self, verified: &mut Verified) -> rusqlite::Result<()> {
        let sql = "SELECT position, signal, items, version, encoding, data FROM log ORDER BY position";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            verified.rows += 1;
            let position = row.get::<_, i64>(0)? as u64;
            let records = row.get::<_, i64>(2)?.max(0) as u64;
            let decoded = decode(row).unwrap_or_else(|cause| Err(cause.to_string()));
            match decoded {
                Ok(()) => verified.records += records,
                Err(reason) => {
                    verified.damage.push(Damage { position: Some(position), records, reason });
                }
            }
        }
        let sql = "SELECT coalesce(sum(items), 0) FROM damaged";
        verified.put_aside = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0))? as u64;
        Ok(())
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.connection).map_err(|cause| told(&crate::failure::of(&self.path, &cause)))
    }
}

fn decode(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<(), String>> {
    let written = Row {
        signal: schema::signal(row.get(1)?)?,
        items: row.get::<_, i64>(2)? as usize,
        version: row.get(3)?,
        encoding: row.get(4)?,
        data: row.get_ref(5)?.as_blob()?,
    };
    Ok(written.decode().map(drop))
}

fn lane(moment: &Connection, of: (String, Signal, Cursor, Timestamp)) -> rusqlite::Result<LaneView> {
    let (destination, signal, cursor, moved) = of;
    let sql = "SELECT count(*), coalesce(sum(items), 0), coalesce(sum(length(data)), 0), min(sealed_at),
        coalesce(sum(CASE WHEN position = ?2 THEN min(items, ?3) ELSE 0 END), 0)
        FROM log WHERE signal = ?1 AND position >= ?2";
    let values = params![signal as i64, number(cursor.position), number(cursor.skip)];
    moment.query_row(sql, values, |row| {
        let done: i64 = row.get(4)?;
        let oldest: Option<i64> = row.get(3)?;
        Ok(LaneView {
            destination,
            signal,
            rows: row.get::<_, i64>(0)? as u64,
            records: (row.get::<_, i64>(1)? - done) as u64,
            bytes: row.get::<_, i64>(2)? as u64,
            oldest: oldest.map(|nanos| Timestamp::from_nanos(nanos as u64)),
            moved,
        })
    })
}

fn told(trouble: &Trouble) -> Error {
    let next = match trouble {
        Trouble::Disk(_) => "",
        Trouble::Damaged(_) => "; the application sets a damaged queue aside at its next start",
    };
    Error::without_records(ErrorKind::Io, format!("{}{next}", trouble.message()))
}
