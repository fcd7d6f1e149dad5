//! Logs, scores, feedback and measurements, each on one line.

use obs_core::{
    Attributes, Feedback, Level, Log, Mapped, Metric, Records, Score, SpanRef, Str, Target, Timestamp,
};

use super::RenderOptions;
use super::line::{Line, Style};
use super::preview::preview;
use super::units::{self, clock, duration};
use crate::exporter::Request;

/// The columns of a label and the gap after it.
const LABEL: usize = 9;

/// The most columns of a line of its own, which may wrap: a log's message is what its reader came for.
const LONGEST: usize = 4_000;

/// A label in its column.
pub(crate) fn label(line: &mut Line, style: Style, text: &str) {
    let space = " ".repeat(LABEL.saturating_sub(text.chars().count()).max(1));
    line.text(style, text).own(Style::Plain, &space);
}

/// Attributes as `name=value`.
pub(crate) fn pairs(line: &mut Line, attributes: &Attributes) {
    for (at, (name, value)) in attributes.iter().enumerate() {
        if at > 0 {
            line.gap();
        }
        line.text(Style::Dim, name).own(Style::Dim, "=").text(Style::Plain, &units::value(value));
    }
}

fn level(level: Level) -> Style {
    match level {
        Level::Trace | Level::Debug => Style::Dim,
        Level::Info => Style::Good,
        Level::Warn => Style::Warn,
        Level::Error | Level::Fatal => Style::Bad,
    }
}

/// `warn     +1.20 s message name=value`, the time since `start` where there is one.
pub(crate) fn log(line: &mut Line, log: &Log, start: Option<Timestamp>) {
    label(line, level(log.level), log.level.as_str());
    if let Some(start) = start {
        line.own(Style::Dim, &format!("+{} ", duration(log.time.since(start))));
    }
    if let Some(event) = &log.event_name {
        line.text(Style::Bold, event).own(Style::Plain, " ");
    }
    line.text(Style::Plain, &log.message);
    if !log.attributes.is_empty() {
        line.gap();
        pairs(line, &log.attributes);
    }
    if let Some(data) = &log.data {
        line.gap().text(Style::Dim, &preview(data));
    }
}

/// `score    relevance 0.83 of 0 to 1 — why (judge)`.
pub(crate) fn score(line: &mut Line, score: &Score) {
    label(line, Style::Good, "score");
    line.text(Style::Bold, &score.name)
        .own(Style::Plain, " ")
        .text(Style::Plain, &units::score(&score.value));
    let scorer = score.scorer.as_ref().and_then(|scorer| scorer.name.as_ref().or(scorer.id.as_ref()));
    remark(line, score.comment.as_ref(), scorer.or(score.source.as_ref()));
}

/// `feedback thumbs up — why (user)`.
pub(crate) fn feedback(line: &mut Line, feedback: &Feedback) {
    label(line, Style::Warn, "feedback");
    line.text(Style::Bold, &feedback.kind).own(Style::Plain, " ");
    line.text(Style::Plain, &units::feedback(&feedback.kind, &feedback.value));
    remark(line, feedback.comment.as_ref(), feedback.user_id.as_ref().or(feedback.source.as_ref()));
}

fn remark(line: &mut Line, comment: Option<&Str>, whose: Option<&Str>) {
    if let Some(comment) = comment {
        line.own(Style::Dim, " — ").text(Style::Plain, comment);
    }
    if let Some(whose) = whose {
        line.own(Style::Dim, " (").text(Style::Dim, whose).own(Style::Dim, ")");
    }
}

/// `metric   gen_ai.client.token.usage +12 token  model=small`.
pub(crate) fn metric(line: &mut Line, metric: &Metric) {
    label(line, Style::Flow, "metric");
    line.text(Style::Bold, &metric.name)
        .own(Style::Plain, " ")
        .text(Style::Plain, &units::measurement(metric));
    for (name, value) in metric.labels.iter() {
        line.gap().text(Style::Dim, name).own(Style::Dim, "=").text(Style::Plain, value);
    }
}

/// The time of day that a line of its own begins with.
pub(crate) fn time(line: &mut Line, time: Timestamp) {
    line.own(Style::Dim, &clock(time)).gap();
}

/// The span or trace that a line of its own is about.
pub(crate) fn place(line: &mut Line, place: Option<SpanRef>) {
    if let Some(SpanRef { trace_id, span_id }) = place {
        let span = span_id.map_or(String::new(), |span| format!("/{span}"));
        line.gap().own(Style::Dim, &format!("{trace_id}{span}"));
    }
}

/// What a score or feedback on a line of its own is about.
pub(crate) fn target(line: &mut Line, target: &Target) {
    match target {
        Target::Span { trace_id, .. } | Target::Trace { trace_id, .. } => {
            place(line, Some(SpanRef { trace_id: *trace_id, span_id: target.span_id() }));
        }
        Target::Session { session_id } => {
            line.gap().own(Style::Dim, "session ").text(Style::Dim, session_id);
        }
        Target::ExperimentRun { run_id } => {
            line.gap().own(Style::Dim, "experiment run ").text(Style::Dim, run_id);
        }
    }
}

/// One request that prints a line for each record.
pub(crate) fn printed<T>(
    options: &RenderOptions,
    records: &Records<T>,
    fill: impl Fn(&mut Line, &T),
) -> Mapped<Request> {
    if records.is_empty() {
        return Mapped::default();
    }
    let mut out = String::new();
    for record in records.iter() {
        let mut line = Line::new(LONGEST);
        fill(&mut line, record);
        line.write(options.color, &mut out);
    }
    Mapped::whole(Request::Lines(out), records.len())
}
