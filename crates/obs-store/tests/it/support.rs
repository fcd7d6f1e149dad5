//! What the tests share.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use obs_core::{
    Batch, Exporter, Feedback, Level, Log, Metric, MetricValue, Receipt, Record, Score, Span, SpanId,
    SpanRecord, SpanRef, Target, Timestamp, TraceId,
};
use obs_store::{StoreConfig, StoreExporter};
use tempfile::TempDir;
use uuid::Uuid;

/// A folder of one test, and the store in it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("obs.db")
    }

    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig::new(self.path())
    }

    pub(crate) fn exporter(&self) -> StoreExporter {
        StoreExporter::new(self.config()).unwrap()
    }
}

/// Waits for a future on this thread, without a runtime.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = Box::pin(future);
    loop {
        match future.poll_unpin(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

/// Exports records of any signals, which must all be delivered.
pub(crate) fn export(exporter: &dyn Exporter, records: impl IntoIterator<Item = Record>) {
    for batch in Batch::group(records) {
        let receipt = wait(exporter.export(&batch)).unwrap();
        assert_eq!(receipt, Receipt::delivered(batch.len()));
    }
}

pub(crate) fn trace_id(id: u128) -> TraceId {
    TraceId::new(id).unwrap()
}

/// A span of a trace that took 10 ns; the first of a trace is its root.
pub(crate) fn span(trace: u128, id: u64, start: u64) -> Span {
    let mut span = Span::new(
        trace_id(trace),
        SpanId::new(id).unwrap(),
        format!("span {id}"),
        Timestamp::from_nanos(start),
    );
    span.end = Some(Timestamp::from_nanos(start + 10));
    span.parent_span_id = SpanId::new(id - 1);
    span
}

pub(crate) fn ended(span: Span) -> Record {
    SpanRecord::Ended(span).into()
}

pub(crate) fn log(trace: Option<u128>, time: u64) -> Log {
    let mut log = Log::new(Timestamp::from_nanos(time), Level::Info, format!("log at {time}"));
    log.span = trace.map(|trace| SpanRef { trace_id: trace_id(trace), span_id: SpanId::new(1) });
    log
}

pub(crate) fn metric(time: u64) -> Metric {
    Metric::new(Timestamp::from_nanos(time), "requests", MetricValue::Add(1.0))
}

pub(crate) fn target(trace: u128) -> Target {
    Target::Trace { trace_id: trace_id(trace), root_span_id: None }
}

pub(crate) fn score(id: u128, trace: u128, time: u64) -> Score {
    Score::new(Uuid::from_u128(id), Timestamp::from_nanos(time), target(trace), "relevance", 0.5)
}

pub(crate) fn feedback(id: u128, trace: u128, time: u64) -> Feedback {
    Feedback::new(Uuid::from_u128(id), Timestamp::from_nanos(time), target(trace), "thumbs", true)
}
