//! Files: a folder of the user's, whose lines are read back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use obs_core::{Env, Record, SpanRecord, Trace};
use obs_file::{FileConfig, FileExporter};
use obs_pipeline::DestinationSpec;

use super::sighted::{Sighted, log, logs, span, spans};

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    env: Env,
    folder: PathBuf,
}

impl Folder {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let folder =
            env.text("OBS_FILE_OUTPUT_DIRECTORY")?.context("OBS_FILE_OUTPUT_DIRECTORY is not set")?;
        Ok(Self { env, folder: folder.into() })
    }
}

#[async_trait]
impl Sighted for Folder {
    fn destination(&self) -> Result<DestinationSpec> {
        let exporter = FileConfig::from_vars(&self.env).and_then(FileExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    fn wanted(&self, sent: &Trace) -> BTreeSet<String> {
        let scores = sent.scores.iter().map(|score| format!("score {}", score.id));
        let feedback = sent.feedback.iter().map(|feedback| format!("feedback {}", feedback.id));
        spans(sent).chain(logs(sent)).chain(scores).chain(feedback).collect()
    }

    async fn found(&self, sent: &Trace) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for record in obs_file::read_directory(&self.folder).map_err(|error| anyhow!("{error}"))? {
            let record = record.map_err(|bad| anyhow!("{bad}"))?;
            found.extend(line(&record, sent));
        }
        Ok(found)
    }

    fn unread(&self) -> &'static str {
        ""
    }
}

/// A record of the trace; the folder may have others.
fn line(record: &Record, sent: &Trace) -> Option<String> {
    match record {
        Record::Span(SpanRecord::Ended(of)) => {
            (of.trace_id == sent.trace_id).then(|| span(&of.span_id.to_string(), &of.name))
        }
        Record::Log(of) => {
            let under = of.span.filter(|span| span.trace_id == sent.trace_id)?;
            Some(log(&under.span_id.map(|id| id.to_string()).unwrap_or_default(), &of.message))
        }
        Record::Score(of) => {
            (of.target.trace_id() == Some(sent.trace_id)).then(|| format!("score {}", of.id))
        }
        Record::Feedback(of) => {
            (of.target.trace_id() == Some(sent.trace_id)).then(|| format!("feedback {}", of.id))
        }
        Record::Span(SpanRecord::Started(_)) | Record::Metric(_) => None,
    }
}
