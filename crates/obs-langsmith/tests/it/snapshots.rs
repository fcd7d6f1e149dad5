//! Every request for the whole fixture set, as it arrives.

use obs_core::{Batch, Exporter, Signal};
use obs_langsmith::{FeedbackTransport, LangsmithConfig, LangsmithExporter};
use obs_testkit::fixtures::{batch, nasty, trace_batches};
use obs_testkit::{CaptureServer, Captured, fixtures};

use super::bench::{self, config, server};

/// The requests that a batch becomes, as one text.
async fn requests(server: CaptureServer, config: LangsmithConfig, batches: &[Batch]) -> String {
    let exporter = LangsmithExporter::new(config).unwrap();
    for batch in batches {
        exporter.export(batch).await.unwrap();
    }
    // The server's answers to what is asked first are those of the tests, and the version is that of the crate.
    let mut requests = server.requests();
    // Several of them are under way at once, and arrive in any order.
    requests.sort_by_key(|request| (request.path == "/feedback").then(|| request.body.clone()));
    let texts: Vec<_> = requests.iter().map(Captured::redacted_snapshot).collect();
    let text = texts.join("\n\n---\n\n");
    text.replace(
        concat!("\"sdk_version\": \"", env!("CARGO_PKG_VERSION"), "\""),
        "\"sdk_version\": \"[version]\"",
    )
}

async fn by_multipart(batch: Batch) -> String {
    let server = server().await;
    let config = config(&server);
    requests(server, config, &[batch]).await
}

async fn by_json(batch: Batch) -> String {
    let server = bench::old_server().await;
    let config = config(&server).with_feedback_transport(FeedbackTransport::Single);
    requests(server, config, &[batch]).await
}

/// Spans one at a time, so that each is shown whole and not by its hash.
async fn one_by_one(batch: Batch) -> String {
    let server = server().await;
    let batches: Vec<_> = (0..batch.len()).map(|at| batch.slice(at..at + 1)).collect();
    let config = config(&server);
    requests(server, config, &batches).await
}

#[tokio::test]
async fn ordinary_traces() {
    let spans = batch(Signal::Traces);
    insta::assert_snapshot!(one_by_one(spans.slice(0..spans.len() - 1)).await);
}

#[tokio::test]
async fn ordinary_traces_together() {
    let spans = batch(Signal::Traces);
    insta::assert_snapshot!(by_multipart(spans.slice(0..spans.len() - 1)).await);
}

#[tokio::test]
async fn ordinary_traces_by_json() {
    insta::assert_snapshot!(by_json(batch(Signal::Traces).slice(0..3)).await);
}

#[tokio::test]
async fn nasty_traces() {
    insta::assert_snapshot!(by_multipart(nasty(Signal::Traces)).await);
}

#[tokio::test]
async fn ordinary_scores() {
    insta::assert_snapshot!(by_multipart(batch(Signal::Scores)).await);
}

#[tokio::test]
async fn ordinary_scores_by_json() {
    insta::assert_snapshot!(by_json(batch(Signal::Scores)).await);
}

#[tokio::test]
async fn nasty_scores() {
    insta::assert_snapshot!(by_multipart(nasty(Signal::Scores)).await);
}

#[tokio::test]
async fn ordinary_feedback() {
    insta::assert_snapshot!(by_json(batch(Signal::Feedback)).await);
}

#[tokio::test]
async fn nasty_feedback() {
    insta::assert_snapshot!(by_multipart(nasty(Signal::Feedback)).await);
}

#[tokio::test]
async fn a_whole_run_of_an_agent() {
    let server = server().await;
    let config = config(&server);
    let [spans, _, scores, feedback] = &trace_batches()[..] else { panic!("four signals") };
    insta::assert_snapshot!(
        requests(server, config, &[spans.clone(), scores.clone(), feedback.clone()]).await
    );
}

#[tokio::test]
async fn a_start_and_its_end() {
    let server = server().await;
    let config = config(&server).with_post_on_start(true);
    let span = fixtures::trace().spans.remove(4);
    let batches = [bench::started([span.clone()]), bench::ended([span])];
    insta::assert_snapshot!(requests(server, config, &batches).await);
}

#[tokio::test]
async fn an_end_whose_start_is_elsewhere() {
    let server = bench::old_server().await;
    let config = config(&server).with_post_on_start(true);
    let ended = bench::ended([fixtures::trace().spans.remove(4)]);
    insta::assert_snapshot!(requests(server, config, &[ended]).await);
}
