//! What the demo measures, beside its spans.

use std::time::Duration;

use obs_core::Labels;
use obs_instrument::{Counter, Gauge, Histogram, Observability};

use super::chunks::Passage;
use super::files::Document;
use super::model::{Model, Tokens};

/// The demo's instruments.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    files: Counter,
    file_bytes: Counter,
    passage_bytes: Histogram,
    passages: Gauge,
    terms: Gauge,
    tools: Counter,
    steps: Histogram,
    tokens: Counter,
    generations: Histogram,
}

impl Meters {
    /// The instruments of an instance.
    pub(crate) fn new(obs: &Observability) -> Self {
        let meter = obs.meter();
        Self {
            files: meter.counter("demo.files").with_unit("{file}").with_description("Files read"),
            file_bytes: meter.counter("demo.file.bytes").with_unit("By").with_description("Bytes read"),
            passage_bytes: meter
                .histogram("demo.passage.bytes")
                .with_unit("By")
                .with_description("Sizes of the passages"),
            passages: meter
                .gauge("demo.index.passages")
                .with_unit("{passage}")
                .with_description("Passages in the index"),
            terms: meter
                .gauge("demo.index.terms")
                .with_unit("{term}")
                .with_description("Different terms in the index"),
            tools: meter.counter("demo.tool.calls").with_unit("{call}").with_description("Calls of tools"),
            steps: meter
                .histogram("demo.step.duration")
                .with_unit("s")
                .with_description("Durations of the workflow's steps"),
            tokens: meter
                .counter("demo.model.tokens")
                .with_unit("{token}")
                .with_description("Tokens that models read and wrote"),
            generations: meter
                .histogram("demo.model.duration")
                .with_unit("s")
                .with_description("Durations of the model's answers"),
        }
    }

    /// A file was read.
    pub(crate) fn file(&self, document: &Document) {
        let extension = document.path.extension().unwrap_or_default().to_string_lossy().into_owned();
        self.files.add(1.0, [("extension", extension.clone())]);
        self.file_bytes.add(document.text.len() as f64, [("extension", extension)]);
    }

    /// A passage was made.
    pub(crate) fn passage(&self, passage: &Passage) {
        self.passage_bytes.record(passage.text.len() as f64, Labels::default());
    }

    /// The index was built.
    pub(crate) fn index(&self, passages: usize, terms: usize) {
        self.passages.set(passages as f64, Labels::default());
        self.terms.set(terms as f64, Labels::default());
    }

    /// A tool was called.
    pub(crate) fn tool(&self, name: &'static str, worked: bool) {
        self.tools.add(1.0, [("tool", name), ("outcome", outcome(worked))]);
    }

    /// A step ended.
    pub(crate) fn step(&self, id: &'static str, took: Duration, worked: bool) {
        self.steps.record(took.as_secs_f64(), [("step", id), ("outcome", outcome(worked))]);
    }

    /// A model answered or failed.
    pub(crate) fn generation(&self, model: &dyn Model, took: Duration, tokens: Option<Tokens>) {
        let name = || model.name().to_owned();
        self.generations.record(took.as_secs_f64(), [("model", name())]);
        if let Some(tokens) = tokens {
            let directions = [("input", tokens.input), ("output", tokens.output)];
            for (direction, count) in directions {
                self.tokens.add(count as f64, [("model", name()), ("direction", direction.to_owned())]);
            }
        }
    }
}

fn outcome(worked: bool) -> &'static str {
    if worked { "ok" } else { "error" }
}
