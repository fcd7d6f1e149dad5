//! The SQLite store against bare rusqlite with the same tables, indexes, settings and rows.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use cpu_time::ProcessTime;
use obs_core::{
    Batch, Exporter, LlmGeneration, Records, Signal, Span, SpanId, SpanRecord, SpanType, Str, Timestamp,
    TraceId, Usage,
};
use obs_store::{StoreConfig, StoreExporter};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::Effort;
use crate::payload::{INPUT_TOKENS, NAME, OUTPUT_TOKENS, TEMPERATURE, shared};
use crate::table::{Goal, Row, short};

/// Spans of a trace.
const TRACE: u64 = 10;

/// What the store sets on the connection that writes.
const SETTINGS: &str = "
PRAGMA page_size = 16384;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8192;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 16777216;
";

/// What a table is made of, so that another can be made and filled just so.
struct Filled {
    schema: Vec<String>,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// The best time of several runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Best {
    pub(crate) const NONE: Self = Self { wall: Duration::MAX, cpu: Duration::MAX };

    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]
    pub(crate) fn take(
        &mut self,
        run: impl FnOnce() -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let (wall, cpu) = (std::time::Instant::now(), ProcessTime::now());
        run()?;
        *self = Self { wall: self.wall.min(wall.elapsed()), cpu: self.cpu.min(cpu.elapsed()) };
        Ok(())
    }
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let limit = StoreExporter::DESCRIPTOR.limits(Signal::Traces).items;
    let records: Records<SpanRecord> = spans(effort.rows).collect();
    let batches: Vec<Batch> =
        (0..effort.rows).step_by(limit).map(|at| Batch::Traces(records.slice(at..at + limit))).collect();
    let (mut ours, mut bare) = (Best::NONE, Best::NONE);
    for _ in 0..5 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("ours.db");
        let store = StoreExporter::new(StoreConfig::new(&path))?;
        ours.take(|| {
            for batch in &batches {
                let receipt = runtime.block_on(store.export(batch))?;
                assert_eq!(receipt.delivered, batch.len());
            }
            Ok(())
        })?;
        runtime.block_on(store.shutdown())?;
        let filled = read(&path)?;
        assert_eq!(filled.rows.len(), effort.rows);
        let mut connection = empty(&folder.path().join("bare.db"), &filled)?;
        let pages = |connection: &Connection| {
            connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(pages(&connection)?, pages(&Connection::open(&path)?)?, "the settings differ");
        bare.take(|| fill(&mut connection, &filled, limit))?;
    }
    let rate = |time: Duration| effort.rows as f64 / time.as_secs_f64() / 1e3;
    let share = |what, ours: Duration, bare: Duration| {
        let value = bare.as_secs_f64() / ours.as_secs_f64();
        let told = format!(
            "{} / bare rusqlite {} thousand rows a second = {}",
            short(rate(ours)),
            short(rate(bare)),
            short(value)
        );
        Row::told(what, told, value, Goal::AtLeast(0.7))
    };
    Ok(vec![
        share("SQLite store, by the wall clock", ours.wall, bare.wall),
        share("SQLite store, by CPU time of the process", ours.cpu, bare.cpu),
    ])
}

/// Traces of a root and its children, all of them model calls.
fn spans(count: usize) -> impl Iterator<Item = SpanRecord> {
    let texts = shared();
    let root = Span::new(
        TraceId::from_bytes([1; 16]).unwrap_or_else(|| unreachable!()),
        id(1),
        NAME,
        Timestamp::default(),
    );
    (0..count as u64).map(move |nth| {
        let (trace, place) = (nth / TRACE + 1, nth % TRACE);
        let start = Timestamp::from_nanos(1_795_255_113_000_000_000 + nth * 1_000_000);
        let mut span = root.clone();
        // Scattered like random ids, so that the index is as hard to keep as in an application.
        span.trace_id =
            TraceId::new(u128::from(scatter(trace)) << 64 | u128::from(trace)).unwrap_or(root.trace_id);
        span.span_id = id(nth + 1);
        span.parent_span_id = (place > 0).then(|| id(nth - place + 1));
        (span.start, span.end) = (start, Some(start.saturating_add(Duration::from_micros(1_500))));
        let mut call = LlmGeneration {
            provider: Some(Str::from(texts.provider.clone())),
            model: Some(Str::from(texts.model.clone())),
            usage: Usage::new(INPUT_TOKENS, OUTPUT_TOKENS),
            ..LlmGeneration::default()
        };
        call.parameters.temperature = Some(TEMPERATURE);
        span.span_type = SpanType::LlmGeneration(call);
        span.input = Some(texts.input.clone().into());
        span.output = Some(texts.output.clone().into());
        for payload in [&mut span.input, &mut span.output].into_iter().flatten() {
            payload.settle();
        }
        SpanRecord::Ended(span)
    })
}

fn id(nth: u64) -> SpanId {
    SpanId::new(scatter(nth).max(1)).unwrap_or_else(|| unreachable!())
}

/// An odd multiplier scatters numbers and repeats none.
fn scatter(nth: u64) -> u64 {
    nth.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The schema of the store's file and its spans, in the order they were put in.
fn read(path: &Path) -> Result<Filled, Box<dyn Error>> {
    let connection = Connection::open(path)?;
    let texts = |sql: &str| -> rusqlite::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let schema =
        texts("SELECT sql FROM sqlite_master WHERE tbl_name = 'spans' AND sql IS NOT NULL ORDER BY rowid")?;
    let columns = texts("SELECT name FROM pragma_table_info('spans')")?;
    let mut select =
        connection.prepare(&format!("SELECT {} FROM spans ORDER BY rowid", columns.join(", ")))?;
    let width = columns.len();
    let rows = select.query_map([], |row| (0..width).map(|at| row.get(at)).collect())?;
    let rows = rows.collect::<rusqlite::Result<_>>()?;
    drop(select);
    Ok(Filled { schema, columns, rows })
}

fn empty(path: &Path, like: &Filled) -> Result<Connection, Box<dyn Error>> {
    let connection = Connection::open(path)?;
    connection.execute_batch(SETTINGS)?;
    for sql in &like.schema {
        connection.execute_batch(sql)?;
    }
    Ok(connection)
}

/// Puts the rows in, as many in a transaction as the store is given at once.
fn fill(connection: &mut Connection, filled: &Filled, batch: usize) -> Result<(), Box<dyn Error>> {
    let marks = vec!["?"; filled.columns.len()].join(",");
    let sql = format!("INSERT INTO spans ({}) VALUES ({marks})", filled.columns.join(", "));
    for rows in filled.rows.chunks(batch) {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached(&sql)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(())
}
