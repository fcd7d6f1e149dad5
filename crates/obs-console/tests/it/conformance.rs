//! The contract, as the testkit has it, read back from what was printed.

use std::sync::Arc;

use async_trait::async_trait;
use obs_console::{ConsoleConfig, ConsoleExporter, DESCRIPTOR};
use obs_core::{Descriptor, Exporter, Signal};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};

use crate::paper::Paper;

struct Console {
    paper: Paper,
    exporter: Arc<ConsoleExporter>,
}

#[async_trait]
impl Harness for Console {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        let all = ConsoleConfig::new().with_width(100);
        Some(ConfigCheck::of::<ConsoleConfig>(serde_json::to_value(all).unwrap()))
    }

    async fn start(_: Setup) -> Self {
        let paper = Paper::default();
        let config = ConsoleConfig::new().with_ids(true).with_payloads(false);
        let exporter = ConsoleExporter::with_writer(config, paper.clone()).unwrap();
        Self { paper, exporter: Arc::new(exporter) }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let text = self.paper.text();
        let mut records = [0; Signal::COUNT];
        for signal in text.lines().filter_map(signal_of) {
            records[signal.index()] += 1;
        }
        Observed { records, writes: self.paper.writes(), bytes: text.into_bytes() }
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The signal that a printed line stands for, if it stands for a record.
fn signal_of(line: &str) -> Option<Signal> {
    let of_its_own = line.get(2..3) == Some(":") && line.get(8..9) == Some(".");
    if !of_its_own {
        let is_id = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        return line.split(' ').any(is_id).then_some(Signal::Traces);
    }
    Some(match line[14..].split(' ').next()? {
        "metric" => Signal::Metrics,
        "score" => Signal::Scores,
        "feedback" => Signal::Feedback,
        _ => Signal::Logs,
    })
}

obs_testkit::conformance!(Console);
