//! Records as a tree that is the same at every run of the same program.

mod mask;
mod place;

use obs_core::Record;
use serde_json::{Map, Value};

use mask::Names;
use place::Places;

/// The records as a tree with stable ids and without times, for snapshots of one's own program.
///
/// - Traces, and spans within them, are numbered by their start: `<trace-1>`, `<span-1>`; so are ids of errors and all
///   texts that are a UUID.
/// - Times and durations are left out, or masked as `<time>` and `<duration>` where a document would lose its form.
///   Spans that have not ended say `"running": true`.
/// - Spans stand under their parents, below fifty levels under the span there; logs, scores and feedback stand under
///   their span, else under their trace, else at the top; metrics stand at the top, and those in a unit of time without
///   their numbers.
/// - A context or service is told where it differs from that of the trace.
/// - Empty fields are left out, keys are sorted, and the order of the records does not matter.
///
/// ```
/// use obs_core::{Exporter, Signal};
/// use obs_json::{JsonExporter, normalise};
/// # use obs_testkit::fixtures;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (exporter, memory) = JsonExporter::memory();
/// # let batch = fixtures::trace_batches().remove(0);
/// exporter.export(&batch).await?;
/// let tree = normalise(&memory.records());
/// assert_eq!(tree["traces"][0]["spans"][0]["span"], "<span-1>");
/// # Ok::<(), obs_core::Error>(())
/// # }).unwrap();
/// ```
pub fn normalise(records: &[Record]) -> Value {
    let places = Places::of(records);
    let mut names = Names::default();
    for trace in &places.traces {
        trace.name(&mut names);
    }
    let traces: Vec<Value> = places.traces.iter().map(|trace| trace.to_value(&mut names)).collect();
    let mut tree = Map::new();
    put(&mut tree, "traces", traces);
    put(&mut tree, "logs", places.logs.to_values(&mut names));
    put(&mut tree, "metrics", places.metrics.to_values(&mut names));
    put(&mut tree, "scores", places.scores.to_values(&mut names));
    put(&mut tree, "feedback", places.feedback.to_values(&mut names));
    let mut tree = Value::Object(tree);
    tree.sort_all_objects();
    names.replace_in(&mut tree);
    tree
}

/// [`normalise`] laid out over lines.
pub fn normalise_pretty(records: &[Record]) -> String {
    format!("{:#}", normalise(records))
}

/// Adds a list that is not empty.
fn put(object: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        object.insert(name.to_owned(), Value::Array(list));
    }
}
