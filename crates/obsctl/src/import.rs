//! `obsctl import`: OTLP/JSON files into the two files.

use std::path::Path;

use obs_core::{ByteSize as _, Record, Signal, SpanRecord};
use obs_instrument::cost::Prices;
use obs_instrument::pipeline::{Intake, Pipeline};
use obs_otlp::ingest;
use serde::Serialize;

use crate::cli::ImportArgs;
use crate::output::{Done, print, print_json};
use crate::telemetry::{self, DEADLINE, Telemetry};

mod progress;
mod source;

use progress::Progress;
use source::Source;

/// After records of so many bytes the pipeline gets time to write them: a quarter of what it holds before it drops.
const AT_A_TIME: usize = 16 << 20;

/// Something that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Refused {
    file: String,
    /// The line that the request begins at; `None` if the file as a whole is refused.
    line: Option<usize>,
    reason: String,
}

impl Refused {
    /// `file:line: reason`.
    fn told(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}: {}", self.file, self.reason),
            None => format!("{}: {}", self.file, self.reason),
        }
    }
}

/// What an import read and refused.
#[derive(Debug, Default)]
struct Imported {
    records: Vec<Record>,
    refused: Vec<Refused>,
}

/// What an import did, for `--json`.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    spans: usize,
    logs: usize,
    metrics: usize,
    scores: usize,
    feedback: usize,
    traces: usize,
    refused: &'a [Refused],
    store: &'a Path,
    telemetry: &'a Path,
}

/// Runs the command.
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<Done> {
    let prices = telemetry::prices(args.prices.as_deref())?;
    let mut imported = read(&args.files);
    if imported.records.is_empty() && imported.refused.iter().all(|refused| refused.line.is_none()) {
        anyhow::bail!("nothing was imported");
    }
    ingest::link(&mut imported.records);
    if let Some(prices) = &prices {
        estimate(&mut imported.records, prices);
    }
    let telemetry = Telemetry::in_folder(&args.out)?;
    let count = |signal| imported.records.iter().filter(|record| record.signal() == signal).count();
    let summary = Summary {
        spans: count(Signal::Traces),
        logs: count(Signal::Logs),
        metrics: count(Signal::Metrics),
        scores: count(Signal::Scores),
        feedback: count(Signal::Feedback),
        traces: traces(&imported.records),
        refused: &imported.refused,
        store: telemetry.store_path(),
        telemetry: telemetry.lines_path(),
    };
    write(imported.records, &telemetry)?;
    if args.json {
        print_json(&summary)?;
    } else {
        print(&told(&summary))?;
    }
    Ok(if summary.refused.is_empty() { Done::Wholly } else { Done::Partly })
}

/// Fills in what model calls cost that do not say it.
fn estimate(records: &mut [Record], own: &Prices) {
    let spans = records.iter_mut().filter_map(|record| match record {
        Record::Span(SpanRecord::Ended(span)) => Some(span),
        _ => None,
    });
    Prices::built_in().extend(own).fill_in(spans);
}

fn traces(records: &[Record]) -> usize {
    let id = |record: &Record| match record {
        Record::Span(span) => Some(span.span().trace_id),
        _ => None,
    };
    records.iter().filter_map(id).collect::<std::collections::HashSet<_>>().len()
}

/// Reads all files; what is refused is told at once and does not stop the rest.
fn read(files: &[std::path::PathBuf]) -> Imported {
    let progress = Progress::over(files);
    let mut imported = Imported::default();
    for file in files {
        let name = file.display().to_string();
        let mut refuse = |line, reason: String| {
            let refused = Refused { file: name.clone(), line, reason };
            progress.tell(&refused.told());
            imported.refused.push(refused);
        };
        let mut source = match Source::open(file) {
            Ok(source) => source,
            Err(error) => {
                refuse(None, format!("cannot be read: {error}"));
                continue;
            }
        };
        while let Some(request) = source.next_request() {
            let (line, body) = match request {
                Ok(request) => request,
                Err((line, error)) => {
                    refuse(Some(line), format!("cannot be read: {error}"));
                    continue;
                }
            };
            progress.read(body.len());
            match ingest::json(&body) {
                Ok(mut request) => {
                    for part in request.refused {
                        refuse(Some(line), part.to_string());
                    }
                    imported.records.append(&mut request.records);
                }
                Err(error) => refuse(Some(line), error.to_string()),
            }
        }
    }
    progress.finish();
    imported
}

/// Writes the records through a pipeline, so that they are redacted and accounted for like any others.
fn write(records: Vec<Record>, telemetry: &Telemetry) -> anyhow::Result<()> {
    let pipeline = Pipeline::builder().to(telemetry.store()?).to(telemetry.lines()?).build()?;
    let intake = pipeline.intake();
    let mut waiting = 0;
    for record in records {
        waiting += bytes(&record);
        offer(&intake, record);
        if waiting >= AT_A_TIME {
            pipeline.flush(DEADLINE);
            waiting = 0;
        }
    }
    telemetry::all_delivered(&pipeline.shutdown(DEADLINE))
}

fn bytes(record: &Record) -> usize {
    match record {
        Record::Span(span) => span.byte_size(),
        Record::Metric(metric) => metric.byte_size(),
        Record::Log(log) => log.byte_size(),
        Record::Score(score) => score.byte_size(),
        Record::Feedback(feedback) => feedback.byte_size(),
    }
}

fn offer(intake: &Intake, record: Record) {
    match record {
        Record::Span(SpanRecord::Started(span)) => intake.span_started(span),
        Record::Span(SpanRecord::Ended(span)) => intake.span_ended(span),
        Record::Metric(metric) => intake.metric(metric),
        Record::Log(log) => intake.log(log),
        Record::Score(score) => intake.score(score),
        Record::Feedback(feedback) => intake.feedback(feedback),
    }
}

/// What was done, for people.
fn told(summary: &Summary<'_>) -> String {
    let counts = [
        (summary.spans, "spans"),
        (summary.logs, "logs"),
        (summary.metrics, "metrics"),
        (summary.scores, "scores"),
        (summary.feedback, "feedback"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    let refused = match summary.refused.len() {
        0 => String::new(),
        count => format!("refused {count}, as told above\n"),
    };
    let (traces, store, lines) = (summary.traces, summary.store.display(), summary.telemetry.display());
    format!(
        "imported {counts} of {traces} traces into {store} and {lines}\n{refused}next: obsctl traces list --db {store}\n"
    )
}
