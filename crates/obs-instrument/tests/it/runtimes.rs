use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_core::Stream;
use obs_core::Level;
use obs_instrument::{Context, FutureExt, Observability, StreamExt};

use crate::collect::Bench;
use crate::executors::{Flavour, yield_now};

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a request as a service would: from its headers, over a stream and a pool, to the headers of the next.
async fn serve(
    obs: Observability,
    flavour: Flavour,
    headers: HashMap<String, String>,
) -> HashMap<String, String> {
    let context = Context::extract(&headers);
    let handle = async {
        let run = obs.agent_run("run");
        let context = run.context();
        let inside = obs.context().recorder().unwrap();
        let work = context.clone().wrap(move || {
            inside.log(Level::Info, "from a pool", &Context::current());
        });
        flavour.blocking(work).await;
        let tokens = Tokens(3, obs.clone()).with_context(context.clone());
        let mut tokens = pin!(tokens);
        while poll_fn(|cx| tokens.as_mut().poll_next(cx)).await.is_some() {
            yield_now().await;
        }
        let task = context.scope(|| answer(obs.clone()).with_current_context());
        flavour.spawn(task).await;
        let result = run.run(async { Err::<(), _>(io::Error::other("refused")) }).await;
        assert!(result.is_err());
        let mut out = HashMap::new();
        context.inject(&mut out);
        out
    };
    handle.with_context(context).await
}

async fn answer(obs: Observability) {
    yield_now().await;
    obs.tool_call("from a task").end();
}

/// A stream that records as it goes.
struct Tokens(usize, Observability);

impl Stream for Tokens {
    type Item = usize;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<usize>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        self.1.tool_call("from a stream").end();
        Poll::Ready(Some(left))
    }
}

/// The same program with the same result, whatever runs it; and the books balance.
fn check(flavour: Flavour) {
    let bench = Bench::new();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let came =
        HashMap::from([("traceparent".to_owned(), parent.to_owned()), ("baggage".to_owned(), "k=v".into())]);
    let (sender, receiver) = mpsc::channel();
    let obs = bench.obs.clone();
    flavour.run(Box::pin(async move { sender.send(serve(obs, flavour, came).await).unwrap() }));
    let went = receiver.recv().unwrap();
    let arrived = bench.arrived();
    let run = arrived.span("run");
    assert_eq!((run.trace_id.to_string().as_str(), run.remote_parent), (&parent[3..35], true), "{flavour:?}");
    assert_eq!(run.error.as_ref().unwrap().message, "refused");
    assert_eq!(arrived.logs[0].span, Some(run.reference()));
    let inside: Vec<_> = arrived.spans.iter().filter(|span| span.name != "run").collect();
    assert_eq!(inside.len(), 4);
    assert!(inside.iter().all(|span| span.parent_span_id == Some(run.span_id)), "{flavour:?}");
    assert_eq!(went["traceparent"], format!("{}-{}-01", &parent[..35], run.span_id));
    assert_eq!(went["baggage"], "k=v");
    let report = bench.obs.shutdown(DEADLINE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert!(!bench.obs.span("after").is_recording());
}

#[test]
fn law_2_host_is_safe_without_a_runtime() {
    check(Flavour::Plain);
}

#[test]
fn law_2_host_is_safe_on_every_runtime_flavour() {
    Flavour::ALL.into_iter().for_each(check);
}
