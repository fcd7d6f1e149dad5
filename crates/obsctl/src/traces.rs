//! `obsctl traces`: stored traces, listed and shown.

use anyhow::bail;
use obs_console::{RenderOptions, render_trace};
use obs_core::{Cost, Status, Str, Trace, TraceId, TraceQuery, TraceReader, TraceSummary};
use serde_json::{Value, json};

use crate::cli::{ListArgs, ShowArgs, TracesCommand};
use crate::output::{Done, print, print_json};
use crate::table;
use crate::telemetry::open;

/// How many traces are searched for one whose id begins as asked.
const SEARCHED: usize = 10_000;

/// Runs the command; `options` are for the tree.
pub(crate) async fn run(command: TracesCommand, options: &RenderOptions) -> anyhow::Result<Done> {
    match command {
        TracesCommand::List(args) => list(args).await?,
        TracesCommand::Show(args) => show(args, options).await?,
    }
    Ok(Done::Wholly)
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let store = open(&args.store.db)?;
    let query = TraceQuery {
        limit: args.limit,
        text: args.text,
        model: args.model,
        session_id: args.session,
        status: args.failed.then_some(Status::Error),
        ..TraceQuery::default()
    };
    let traces = store.traces(&query).await?;
    if args.store.json { print_json(&traces) } else { Ok(print(&listed(&traces))?) }
}

async fn show(args: ShowArgs, options: &RenderOptions) -> anyhow::Result<()> {
    let store = open(&args.store.db)?;
    let id = find(&store, &args.id).await?;
    let Some(trace) = store.trace(id).await? else {
        bail!("{} holds no trace {id}; `obsctl traces list` shows what it holds", args.store.db.display());
    };
    if args.store.json { print_json(&document(&trace)) } else { Ok(print(&render_trace(&trace, options))?) }
}

/// The whole id that `given` stands for.
async fn find(store: &impl TraceReader, given: &str) -> anyhow::Result<TraceId> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    let latest = given == "latest";
    if !latest && (given.len() < 4 || !given.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        bail!("{given:?} is no trace id: 32 hexadecimal digits, at least their first 4, or `latest`");
    }
    let given = given.to_ascii_lowercase();
    let query = TraceQuery { limit: if latest { 1 } else { SEARCHED }, ..TraceQuery::default() };
    let begins = |trace: &&TraceSummary| latest || trace.trace_id.to_string().starts_with(&given);
    let traces = store.traces(&query).await?;
    let mut found = traces.iter().filter(begins);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.trace_id),
        (None, _) => bail!("no trace {given} among the latest {SEARCHED}; `obsctl traces list` shows them"),
        (Some(one), Some(other)) => {
            bail!("{given} could be {} or {}; give more digits", one.trace_id, other.trace_id)
        }
    }
}

/// A trace as one JSON document: its summary, and its records in canonical JSON.
pub(crate) fn document(trace: &Trace) -> Value {
    json!({
        "summary": trace.summary(),
        "spans": trace.spans,
        "logs": trace.logs,
        "scores": trace.scores,
        "feedback": trace.feedback,
    })
}

/// The list as a table for people.
fn listed(traces: &[TraceSummary]) -> String {
    if traces.is_empty() {
        return "no traces\n".to_owned();
    }
    let head = ["TRACE", "STARTED", "DURATION", "STATUS", "SPANS", "TOKENS IN/OUT", "COST", "MODELS", "NAME"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(traces.iter().map(row));
    table::aligned(&rows)
}

fn row(trace: &TraceSummary) -> [String; 9] {
    let count = |tokens: Option<u64>| tokens.map_or("-".to_owned(), |tokens| tokens.to_string());
    let models: Vec<&str> = trace.models.iter().map(Str::as_str).collect();
    [
        trace.trace_id.to_string(),
        table::time(trace.start),
        table::duration(trace.duration()),
        status(trace),
        trace.spans.to_string(),
        format!("{}/{}", count(trace.usage.input), count(trace.usage.output)),
        costs(&trace.cost),
        if models.is_empty() { "-".to_owned() } else { models.join(", ") },
        trace.name.as_str().to_owned(),
    ]
}

/// What the calls cost, a sum for each currency; `~` marks one to which something is missing.
fn costs(sums: &[Cost]) -> String {
    let sum = |Cost { total, currency, partial, .. }: &Cost| {
        let about = if *partial { "~" } else { "" };
        let amount = table::amount(*total);
        if currency == "USD" { format!("{about}${amount}") } else { format!("{about}{amount} {currency}") }
    };
    match sums {
        [] => "-".to_owned(),
        sums => sums.iter().map(sum).collect::<Vec<_>>().join(" + "),
    }
}

/// How the root ended, and how many spans failed below it.
fn status(trace: &TraceSummary) -> String {
    match (trace.status, trace.errors) {
        (Status::Error, errors) => format!("error ({errors})"),
        (_, 0) => "ok".to_owned(),
        (_, errors) => format!("ok ({errors} failed)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_stand_by_their_currencies_and_say_when_they_are_partial() {
        let euros = Cost { currency: "EUR".into(), partial: true, ..Cost::usd(0.25) };
        assert_eq!(costs(&[]), "-");
        assert_eq!(costs(&[Cost::usd(1.5)]), "$1.50");
        assert_eq!(costs(&[Cost::usd(0.0012), euros]), "$0.0012 + ~0.25 EUR");
    }
}
