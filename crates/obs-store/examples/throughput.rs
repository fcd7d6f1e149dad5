//! How many spans a second the store takes, beside the same rows through bare rusqlite.
//!
//! `cargo run --release -p obs-store --example store-throughput -- [SPANS] [ROUNDS]`
//!
//! A span is a model call with a question of 200 and an answer of 400 bytes, ten to a trace.
//! Bare rusqlite gets the same tables, index, pragmas and values, all made beforehand, in transactions of 1,024 rows from
//! one thread; the store maps, hands over and commits batches of that size, as a lane does it, one after the other.

#![expect(clippy::result_large_err, reason = "the size of rusqlite's own error is not ours to change")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use obs_core::{
    Batch, Exporter, LlmGeneration, Resource, Span, SpanId, SpanRecord, SpanType, Status, Str, Timestamp,
    TraceContext, TraceId, Usage,
};
use obs_store::{StoreConfig, StoreExporter};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

type Outcome<T> = Result<T, Box<dyn Error>>;

const BATCH: usize = 1_024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let spans = arguments.next().transpose()?.unwrap_or(100_000);
    let rounds = arguments.next().transpose()?.unwrap_or(5);
    let batches = batches(spans);
    let folder = tempfile::tempdir()?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (store, other) =
            (folder.path().join(format!("{round}.db")), folder.path().join(format!("bare-{round}.db")));
        ours.push(export(&store, &batches).await?);
        bare.push(insert(&store, &other)?);
        let size = std::fs::metadata(&store)?.len() / spans as u64;
        println!(
            "store {}   bare {}   {size} bytes a span",
            ours[round].shown(spans),
            bare[round].shown(spans)
        );
        std::fs::remove_file(&store)?;
        std::fs::remove_file(&other)?;
    }
    for (what, of) in [("wall time", Took::wall as fn(&Took) -> Duration), ("CPU time", Took::cpu)] {
        let (a, b) = (rate(spans, median(&ours, of)), rate(spans, median(&bare, of)));
        println!(
            "medians of {rounds} by {what}: store {a:.0}/s, bare rusqlite {b:.0}/s: {:.0} %",
            100.0 * a / b
        );
    }
    Ok(())
}

fn rate(spans: usize, took: Duration) -> f64 {
    spans as f64 / took.as_secs_f64()
}

fn median(took: &[Took], of: fn(&Took) -> Duration) -> Duration {
    let mut times: Vec<Duration> = took.iter().map(of).collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// What a run took: by the wall clock, and of all threads' time on a processor.
struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn wall(&self) -> Duration {
        self.wall
    }

    fn cpu(&self) -> Duration {
        self.cpu
    }

    fn shown(&self, spans: usize) -> String {
        let cpu = self.cpu.as_secs_f64() * 1e6 / spans as f64;
        format!("{:>7.0}/s {cpu:>6.2} us of CPU each", rate(spans, self.wall))
    }
}

struct Begin {
    wall: Instant,
    cpu: Duration,
}

impl Begin {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
    fn now() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    fn took(&self) -> Took {
        Took { wall: self.wall.elapsed(), cpu: cpu().saturating_sub(self.cpu) }
    }
}

/// What the threads that run now have had of the processors; zero where the system does not say.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    tasks.filter_map(|task| of(task.path())).sum()
}

/// A number that looks like chance and is the same every time.
fn scrambled(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) | 1
}

fn batches(spans: usize) -> Vec<Batch> {
    let (question, answer): (Str, Str) = ("q".repeat(200).into(), "a".repeat(400).into());
    let (model, provider) = (Some(Str::from("claude-sonnet-4-5-20250929")), Some(Str::from("anthropic")));
    let resource = std::sync::Arc::new(Resource::service("bench"));
    let mut context = std::sync::Arc::default();
    let mut records = Vec::with_capacity(spans);
    for at in 0..spans as u64 {
        let trace = at / 10;
        if at % 10 == 0 {
            let session_id = Some(format!("session-{trace}").into());
            context = std::sync::Arc::new(TraceContext { session_id, ..TraceContext::default() });
        }
        let high = u128::from(scrambled(trace)) << 64;
        let (Some(trace_id), Some(span_id)) = (TraceId::new(high | 1), SpanId::new(scrambled(at))) else {
            continue;
        };
        let start = 1_760_000_000_000_000_000 + at * 50_000;
        let mut span = Span::new(trace_id, span_id, "chat", Timestamp::from_nanos(start));
        span.end = Some(Timestamp::from_nanos(start + 40_000));
        span.parent_span_id = SpanId::new(scrambled(trace * 10)).filter(|_| at % 10 > 0);
        span.status = Status::Ok;
        let (model, provider, usage) = (model.clone(), provider.clone(), Usage::new(1_200, 340));
        let mut generation = LlmGeneration { model, provider, usage, ..LlmGeneration::default() };
        generation.parameters.temperature = Some(0.7);
        span.span_type = SpanType::LlmGeneration(generation);
        (span.input, span.output) = (Some(question.clone().into()), Some(answer.clone().into()));
        (span.context, span.resource) = (context.clone(), resource.clone());
        records.push(SpanRecord::Ended(span));
    }
    records.chunks(BATCH).map(|part| Batch::Traces(part.to_vec().into())).collect()
}

/// How long the store takes from the first batch to the last commit.
async fn export(path: &Path, batches: &[Batch]) -> Outcome<Took> {
    let exporter = StoreExporter::new(StoreConfig::new(path))?;
    let begin = Begin::now();
    for batch in batches {
        exporter.export(batch).await?;
    }
    let took = begin.took();
    exporter.shutdown().await?;
    Ok(took)
}

/// How long bare rusqlite takes to write the rows of the store into tables like its.
fn insert(store: &Path, path: &Path) -> Outcome<Took> {
    let source = Connection::open(store)?;
    let mut columns: Vec<String> = Vec::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut statement = source.prepare("SELECT * FROM spans ORDER BY rowid")?;
    // The column that is made of others cannot be written.
    columns.extend(statement.column_names().filter(|name| *name != "duration_ns").map(ToString::to_string));
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        rows.push((0..columns.len()).map(|at| row.get(at)).collect::<Result<_, _>>()?);
    }

    let page_size: i64 = source.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "page_size", page_size)?;
    database.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
    )?;
    database.execute_batch("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY")?;
    let mut tables =
        source.prepare("SELECT sql FROM sqlite_schema WHERE tbl_name = 'spans' ORDER BY type DESC")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    database.execute_batch(&tables.join(";"))?;
    let marks = vec!["?"; columns.len()].join(",");
    let sql = format!("INSERT INTO spans ({}) VALUES ({marks})", columns.join(","));
    let begin = Begin::now();
    for part in rows.chunks(BATCH) {
        let transaction = database.transaction()?;
        {
            let mut statement = transaction.prepare_cached(&sql)?;
            for row in part {
                statement.execute(params_from_iter(row))?;
            }
        }
        transaction.commit()?;
    }
    Ok(begin.took())
}
