//! Tells what goes through, for debugging.

use std::time::Duration;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt, Record, Signal};

use crate::{Clock, InspectConfig};

/// A decorator that tells of every `export` as `tracing` events under `obs::inspect`, and changes nothing.
///
/// What it tells is chosen by [`InspectConfig`]; with everything off, or without a subscriber that listens to the
/// target at level `INFO`, it costs a branch.
/// Records are shown as they are below redaction.
#[derive(Debug)]
pub struct Inspect<E> {
    inner: E,
    config: InspectConfig,
    clock: Clock,
}

impl<E: Exporter> Inspect<E> {
    /// Tells what goes through `inner`; durations are of this clock.
    pub fn new(inner: E, config: InspectConfig, clock: Clock) -> Self {
        Self { inner, config, clock }
    }

    fn is_heard(&self) -> bool {
        self.config.is_on() && tracing::enabled!(target: "obs::inspect", tracing::Level::INFO)
    }
}

/// An export that is told of; given up where it is dropped before its end.
struct Told<'a, E> {
    inspect: &'a Inspect<E>,
    signal: Signal,
    records: usize,
    bytes: usize,
    began: Duration,
    ended: bool,
}

impl<'a, E: Exporter> Told<'a, E> {
    fn begin(inspect: &'a Inspect<E>, batch: &Batch) -> Self {
        let (config, kind) = (inspect.config, inspect.descriptor().kind());
        let (signal, records) = (batch.signal(), batch.len());
        if config.trace_exports {
            tracing::info!(target: "obs::inspect", exporter = kind, %signal, records, "export begins");
        }
        if config.log_payloads || config.validate_schemas {
            look_at_lines(config, kind, batch);
        }
        let bytes = if config.measure_performance { batch.byte_size() } else { 0 };
        Self { inspect, signal, records, bytes, began: inspect.clock.monotonic(), ended: false }
    }

    fn end(mut self, result: &Result<Receipt, Error>) {
        self.ended = true;
        self.tell_outcome(result);
        self.tell_speed();
    }

    fn tell_outcome(&self, result: &Result<Receipt, Error>) {
        if !self.inspect.config.trace_exports {
            return;
        }
        let (exporter, signal) = (self.inspect.descriptor().kind(), self.signal);
        let settled = match result {
            Ok(receipt) => receipt,
            Err(error) => error.settled(),
        };
        let (delivered, queued, rejected) = (settled.delivered, settled.queued, settled.rejected_count());
        let (diverted, dead_lettered) = (settled.diverted_count(), settled.dead_lettered);
        match result {
            Ok(_) => tracing::info!(
                target: "obs::inspect",
                exporter, %signal, delivered, queued, diverted, dead_lettered, rejected, "export ends"
            ),
            Err(error) => tracing::info!(
                target: "obs::inspect",
                exporter, %signal, delivered, queued, diverted, dead_lettered, rejected,
                undelivered = error.undelivered().len(), kind = %error.kind(), retry = ?error.retry(),
                "export fails: {error}"
            ),
        }
    }

    fn tell_speed(&self) {
        if !self.inspect.config.measure_performance {
            return;
        }
        let (exporter, signal) = (self.inspect.descriptor().kind(), self.signal);
        let took = self.inspect.clock.monotonic().saturating_sub(self.began);
        let a_second = |count: usize| {
            let seconds = took.as_secs_f64();
            if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
        };
        let (records_per_second, bytes_per_second) = (a_second(self.records), a_second(self.bytes));
        tracing::info!(
            target: "obs::inspect",
            exporter, %signal, records = self.records, bytes = self.bytes, ?took, records_per_second, bytes_per_second,
            "export measured"
        );
    }
}

impl<E> Drop for Told<'_, E> {
    fn drop(&mut self) {
        if !self.ended && self.inspect.config.trace_exports {
            let (signal, records) = (self.signal, self.records);
            tracing::info!(target: "obs::inspect", %signal, records, "export given up before it ended");
        }
    }
}

/// Shows the canonical JSON of every record, or says which do not survive it.
fn look_at_lines(config: InspectConfig, exporter: &str, batch: &Batch) {
    let (signal, mut lines, mut failed) = (batch.signal(), Vec::new(), Vec::new());
    batch.write_lines(&mut lines, |position, error| {
        tracing::warn!(target: "obs::inspect", exporter, %signal, position, "a record has no canonical JSON: {error}");
        failed.push(position);
    });
    let positions = (0..batch.len()).filter(|position| !failed.contains(position));
    for (position, line) in positions.zip(String::from_utf8_lossy(&lines).lines()) {
        if config.log_payloads {
            tracing::info!(target: "obs::inspect", exporter, %signal, position, record = line, "record");
        }
        if config.validate_schemas
            && let Some(change) = changed(line)
        {
            tracing::warn!(
                target: "obs::inspect",
                exporter, %signal, position, "a record does not survive its canonical JSON: {change}"
            );
        }
    }
}

/// What is different when a line is read and written again, or why it cannot be.
fn changed(line: &str) -> Option<String> {
    let read = match Record::from_line(line) {
        Ok(read) => read,
        Err(error) => return Some(error.to_string()),
    };
    let mut again = Vec::new();
    if let Err(error) = read.write_line(&mut again) {
        return Some(format!("read back, it has no canonical JSON: {error}"));
    }
    let again = String::from_utf8_lossy(&again);
    let again = again.trim_end_matches('\n');
    (line != again).then(|| difference(line, again))
}

/// The two texts from a little before the first character that differs.
fn difference(before: &str, after: &str) -> String {
    let same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| text.chars().skip(same.saturating_sub(20)).take(60).collect::<String>();
    format!("at character {same}, `{}` becomes `{}`", excerpt(before), excerpt(after))
}

#[async_trait]
impl<E: Exporter> Exporter for Inspect<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if !self.is_heard() {
            return self.inner.export(batch).await;
        }
        let told = Told::begin(self, batch);
        let result = self.inner.export(batch).await;
        told.end(&result);
        result
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_changes_is_told_with_the_place() {
        let line = r#"{"v":1,"signal":"logs","record":{"time":1,"level":"info","message":"m","more":2}}"#;
        let change = changed(line).unwrap();
        assert!(change.contains("at character") && change.contains(r#""more":2"#), "{change}");
        assert!(changed("{}").unwrap().contains("not a record"), "{:?}", changed("{}"));
    }
}
