//! Conflicts before a server that keeps runs: halving what it refuses brings every end, whatever it had before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use obs_core::{Batch, ErrorKind, Exporter, Span};
use obs_langsmith::LangsmithExporter;
use obs_testkit::fixtures::{at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer, Captured};

use super::bench::{self, config, ended, server};

/// Runs by id: whether their end is there.
type Kept = Arc<Mutex<HashMap<String, bool>>>;

/// A server that refuses a whole body over one post of a run that it has.
async fn keeping(had: impl IntoIterator<Item = u32>) -> (CaptureServer, Kept) {
    let (server, kept) = (server().await, Kept::default());
    kept.lock().unwrap().extend(had.into_iter().map(|nth| (run(nth), false)));
    let of = kept.clone();
    let answer = move |request: &Captured| {
        (request.path == "/runs/multipart").then(|| {
            let (runs, mut kept) = (bench::sent(std::slice::from_ref(request)), of.lock().unwrap());
            let id = |run: &bench::Sent| run.json["id"].as_str().unwrap().to_owned();
            if runs.iter().any(|run| run.verb == "post" && kept.contains_key(&id(run))) {
                return Answer::status(409);
            }
            kept.extend(runs.iter().map(|run| (id(run), run.json["end_time"].is_string())));
            Answer::status(202)
        })
    };
    server.answer_with(answer);
    (server, kept)
}

fn run(nth: u32) -> String {
    format!("00000000-0000-0000-00f0-67aa{nth:08x}")
}

/// Exports as a lane does, which halves what is refused for its content.
async fn split(exporter: &LangsmithExporter, batch: Batch) -> usize {
    let (mut left, mut delivered) = (vec![batch], 0);
    while let Some(batch) = left.pop() {
        match exporter.export(&batch).await {
            Ok(receipt) => delivered += receipt.delivered,
            Err(error) => {
                let rest = error.undelivered();
                assert!(error.kind() == ErrorKind::Rejected && rest.len() > 1, "{error}");
                delivered += error.settled().delivered;
                let half = rest.len() / 2;
                left.extend([rest.slice(0..half), rest.slice(half..rest.len())]);
            }
        }
    }
    delivered
}

#[tokio::test]
async fn law_1_halving_brings_every_end_whatever_the_server_had() {
    let had: [&[u32]; 5] = [&[], &[1], &[3, 4], &[1, 2, 3, 4, 5, 6, 7], &[7]];
    for had in had {
        let (server, kept) = keeping(had.iter().copied()).await;
        let exporter = LangsmithExporter::new(config(&server).with_post_on_start(true)).unwrap();
        let spans = (1..=7).map(|nth| Span::new(trace_id(1), span_id(nth), "s", at(u64::from(nth))));
        assert_eq!(split(&exporter, ended(spans)).await, 7, "{had:?}");
        let kept = kept.lock().unwrap();
        assert!(kept.len() == 7 && kept.values().all(|ended| *ended), "had {had:?}, has {kept:?}");
    }
}
