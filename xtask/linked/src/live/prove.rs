//! Sending, waiting until it is visible, and comparing.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use obs_core::{Record, SpanRecord, Trace};
use obs_pipeline::{DestinationSpec, Intake, Pipeline, Report};

use super::sighted::{self, Sighted};
use super::{Vendor, fresh};
use crate::platform::{differences, expected};

/// How long a service may take to show what it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// In all.
    pub(crate) total: Duration,
    /// Between two looks.
    pub(crate) pause: Duration,
}

/// How long the pipeline may take to deliver a trace, retries included.
const DELIVERY: Duration = Duration::from_secs(90);

/// Sends the trace as a program does, through a pipeline, and fails unless all that the exporter takes was taken.
pub(crate) fn send(name: &str, destination: DestinationSpec, sent: &Trace) -> Result<()> {
    let pipeline = Pipeline::builder().to_named(name, destination).build();
    let pipeline = pipeline.map_err(|error| anyhow!("{error}"))?;
    record(&pipeline.intake(), fresh::records(sent));
    pipeline.flush(DELIVERY);
    let report = pipeline.shutdown(Duration::from_secs(5));
    all_taken(name, &report)
}

/// Records what a program would have recorded.
pub(crate) fn record(intake: &Intake, records: impl IntoIterator<Item = Record>) {
    for record in records {
        match record {
            Record::Span(SpanRecord::Started(span)) => intake.span_started(span),
            Record::Span(SpanRecord::Ended(span)) => intake.span_ended(span),
            Record::Metric(metric) => intake.metric(metric),
            Record::Log(log) => intake.log(log),
            Record::Score(score) => intake.score(score),
            Record::Feedback(feedback) => intake.feedback(feedback),
        }
    }
}

fn all_taken(name: &str, report: &Report) -> Result<()> {
    let destination = report.destination(name).ok_or_else(|| anyhow!("no ledger for {name}"))?;
    ensure!(report.is_balanced(), "a ledger does not balance:\n{report}");
    for (signal, terms) in destination.signals.iter() {
        let taken = terms.delivered + terms.filtered.total();
        ensure!(taken == terms.offered, "of {signal}, not all was taken:\n{report}");
    }
    Ok(())
}

/// Looks until the service has the trace as it is to have it.
///
/// # Errors
/// What was missing or different at the last look, or why it could not be read.
pub(crate) async fn read(vendor: &dyn Vendor, sent: &Trace, patience: Patience) -> Result<()> {
    let wanted = expected(vendor.platform(), &fresh::records(sent));
    let look = async || Ok(differences(&wanted.items, &vendor.found(sent).await?));
    until_equal(vendor.platform().name(), patience, look).await
}

/// Looks until the service shows what it is to show.
///
/// # Errors
/// As those of [`read`].
pub(crate) async fn sight(name: &str, service: &dyn Sighted, sent: &Trace, patience: Patience) -> Result<()> {
    let wanted = service.wanted(sent);
    let look = async || Ok(sighted::differences(&wanted, &service.found(sent).await?));
    until_equal(name, patience, look).await
}

async fn until_equal(
    name: &str,
    patience: Patience,
    mut look: impl AsyncFnMut() -> Result<Vec<String>>,
) -> Result<()> {
    let deadline = tokio::time::Instant::now() + patience.total;
    loop {
        let last = match look().await {
            Ok(differences) => differences,
            Err(error) => vec![format!("it cannot be read: {error:#}")],
        };
        if last.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() + patience.pause > deadline {
            let mut told = format!(
                "{name} has not what it was sent, {} s after the first look:",
                patience.total.as_secs()
            );
            for line in last {
                let _ = write!(told, "\n  {line}");
            }
            bail!(told);
        }
        tokio::time::sleep(patience.pause).await;
    }
}
