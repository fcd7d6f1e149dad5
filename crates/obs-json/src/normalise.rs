//! Records as a tree that is the same at every run of the same program.

mod mask;
mod place;
mod print;
mod tell;

use obs_core::Record;
use serde_json::{Map, Value};

use mask::Names;
use place::Places;
use tell::{Shared, put};

/// The records as a tree with stable ids and without times, for snapshots of one's own program.
///
/// - Traces, and spans within them, are numbered by their start: `<trace-1>`, `<span-1>`; so are ids of errors and all
///   texts that are a UUID.
/// - Times and durations are left out, or masked as `<time>` and `<duration>` where a document would lose its form.
///   Spans that have not ended say `"running": true`.
/// - Spans stand under their parents, below fifty levels under the span there; logs, scores and feedback stand under
///   their span, else under their trace, else at the top; metrics stand at the top, and those in a unit of time without
///   their numbers.
/// - A context or service is told at the top, and again where it differs from that around.
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
        names.trace(trace.trace_id);
        for node in trace.tree() {
            names.span(node.span.span_id);
        }
    }
    let shared = Shared::of(&places);
    let Places { traces, logs, metrics, scores, feedback } = &places;
    let mut tree = Map::new();
    shared.tell(&Shared::default(), &mut tree);
    put(&mut tree, "traces", traces.iter().map(|trace| tell::trace(trace, &shared, &mut names)));
    put(&mut tree, "logs", logs.iter().map(|log| tell::log(log, &shared)));
    put(&mut tree, "metrics", metrics.iter().map(|metric| tell::metric(metric, &shared, &mut names)));
    put(&mut tree, "scores", scores.iter().map(|score| tell::score(score, &shared)));
    put(&mut tree, "feedback", feedback.iter().map(|given| tell::feedback(given, &shared)));
    let mut tree = Value::Object(tree);
    tree.sort_all_objects();
    names.replace_in(&mut tree);
    tree
}

/// [`normalise`] as JSON laid out for people: what a record is stands first, what stands below it last.
pub fn normalise_pretty(records: &[Record]) -> String {
    print::print(&normalise(records))
}
