//! Reading rows back, on the thread of the destination that wants them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use obs_core::{Error, ErrorKind, Signal};
use obs_pipeline::Loaded;
use rusqlite::{Connection, OptionalExtension};

use crate::failure::{self, Trouble};
use crate::rows::Row;
use crate::schema;
use crate::shared::Shared;

/// A lane's own connection.
#[derive(Debug)]
pub(crate) struct Source {
    shared: Arc<Shared>,
    signal: Signal,
    open: Mutex<Option<(u64, Connection)>>,
}

/// A row that was found, or why it is lost.
enum Found {
    Row { loaded: Loaded, bytes: usize },
    Spoilt(String),
    Missing,
}

impl Source {
    pub(crate) fn new(shared: Arc<Shared>, signal: Signal) -> Self {
        Self { shared, signal, open: Mutex::new(None) }
    }

    /// The rows at these positions, in this order; ends early when they take more than `room`, or when the disk fails:
    /// what is not returned is asked for again.
    pub(crate) fn read(&self, wanted: &[(u64, usize)], room: usize) -> Vec<Loaded> {
        let mut rows = Vec::with_capacity(wanted.len());
        let mut read = 0;
        for (position, count) in wanted {
            if read >= room {
                break;
            }
            let lost = |why: String| Loaded {
                position: *position,
                batch: Err(Error::without_records(ErrorKind::Io, why)),
                count: *count,
            };
            match self.row(*position, *count) {
                Ok(Found::Row { loaded, bytes }) => {
                    read += bytes;
                    rows.push(loaded);
                }
                Ok(Found::Spoilt(why)) => {
                    self.shared.state().spoilt.push(*position);
                    self.shared.work.notify_one();
                    rows.push(lost(format!(
                        "{}: row {position} cannot be read: {why}; it is kept in the table `damaged`",
                        self.shared.path().display()
                    )));
                }
                Ok(Found::Missing) => rows.push(lost(format!(
                    "{}: row {position} is gone, with a file that was damaged, removed or replaced",
                    self.shared.path().display()
                ))),
                Err(trouble) => {
                    self.shared.state().met = Some(trouble);
                    self.shared.work.notify_one();
                    break;
                }
            }
        }
        rows
    }

    fn row(&self, position: u64, count: usize) -> Result<Found, Trouble> {
        let (generation, floor) = {
            let state = self.shared.state();
            (state.generation, state.floor)
        };
        if position < floor {
            return Ok(Found::Missing);
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.take().filter(|(of, _)| *of == generation);
        let path = self.shared.path();
        let (of, connection) = match known {
            Some(known) => known,
            None => (generation, schema::open_for_reading(&path)?),
        };
        let found = self.find(&connection, position, count, &path)?;
        *open = Some((of, connection));
        Ok(found)
    }

    fn find(
        &self,
        connection: &Connection,
        position: u64,
        count: usize,
        path: &Path,
    ) -> Result<Found, Trouble> {
        let trouble = |cause: rusqlite::Error| failure::of(path, &cause);
        let sql = "SELECT signal, items, version, encoding, data FROM log WHERE position = ?1";
        let mut statement = connection.prepare_cached(sql).map_err(trouble)?;
        let found = statement
            .query_row([position as i64], |row| {
                let data = row.get_ref(4)?.as_blob()?;
                let written = Row {
                    signal: schema::signal(row.get(0)?)?,
                    items: row.get::<_, i64>(1)? as usize,
                    version: row.get(2)?,
                    encoding: row.get(3)?,
                    data,
                };
                Ok((written.decode(), data.len()))
            })
            .optional();
        match found {
            Ok(None) => Ok(Found::Missing),
            Ok(Some((Ok(batch), bytes))) if batch.signal() == self.signal => {
                Ok(Found::Row { loaded: Loaded { position, batch: Ok(batch), count }, bytes })
            }
            Ok(Some((Ok(_), _))) => Ok(Found::Spoilt(format!("its records are not {}", self.signal))),
            Ok(Some((Err(why), _))) => Ok(Found::Spoilt(why)),
            Err(cause @ rusqlite::Error::SqliteFailure(..)) => Err(trouble(cause)),
            Err(cause) => Ok(Found::Spoilt(cause.to_string())),
        }
    }
}
