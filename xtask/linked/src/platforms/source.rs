//! Where the records come from.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use obs_core::{Record, Timestamp};
use obs_otlp::ingest::{self, Ingested};

use crate::{demo, files, live};

/// Records that go to all platforms.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) records: Vec<Record>,
}

/// Recorded telemetry of programs that are not ours; it is no part of the project, and lies beside it where it is at hand.
const RECORDED: [(&str, &str); 2] =
    [("recorded calls", "genai-otlp.jsonl"), ("recorded agent", "mastra-agent-otlp.jsonl")];

/// The fixtures' trace, the demo, and what was recorded, where that is at hand.
pub(crate) fn all() -> Result<Vec<Source>> {
    let mut sources = vec![fixtures(), Source { name: "demo", records: demo::records()? }];
    let root = files::root();
    let folder = root.parent().unwrap_or(&root).join("shared").join("data");
    for (name, file) in RECORDED {
        let path = folder.join(file);
        if !path.exists() {
            eprintln!("skipped: {name}, since {} is not there", path.display());
            continue;
        }
        sources.push(Source { name, records: recorded(&path)? });
    }
    Ok(sources)
}

/// One agent run with costs, logs, scores and feedback.
pub(crate) fn fixtures() -> Source {
    let trace = live::fresh_trace(0x019c_0000_0000_7000_8000_0000_1234_5678, NOON);
    Source { name: "fixtures", records: live::records(&trace) }
}

/// A fixed time, so that two runs send the same bytes: 2026-06-01 12:00:00 UTC.
const NOON: Timestamp = Timestamp::from_nanos(1_780_315_200_000_000_000);

/// The OTLP requests of a file, one on each line, put together.
fn recorded(path: &Path) -> Result<Vec<Record>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown} is not readable"))?;
    let mut all = Ingested::default();
    for (at, line) in text.lines().enumerate() {
        all.append(ingest::json(line).with_context(|| format!("{shown}:{}: no OTLP", at + 1))?);
    }
    ensure!(all.refused.is_empty(), "{shown}: {}", all.refused[0]);
    ingest::link(&mut all.records);
    Ok(all.records)
}
