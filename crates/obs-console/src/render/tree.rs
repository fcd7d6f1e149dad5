//! The spans in their places, each with what belongs to it.

use std::collections::HashSet;

use obs_core::{Node, SpanId, Trace};

use super::line::Style;
use super::{Page, details, head, lines};

/// The columns of the duration, and the gap after it.
const MARGIN: usize = 11;

/// Writes every span, then what belongs to no known one.
pub(crate) fn write(page: &mut Page<'_>, trace: &Trace, nodes: &[Node<'_>]) {
    for (at, node) in nodes.iter().enumerate() {
        let guides = guides(nodes, at, page.options.columns());
        head::write(page, node, &guides);
        let parent = nodes.get(at + 1).is_some_and(|next| next.parent == Some(at));
        details::write(page, node, &below(&guides, parent));
    }
    rest(page, trace);
}

/// The vertical lines and the branch that lead to a span.
///
/// They take no more than half of the width: of deeper spans only the nearest are shown, and how many are not.
fn guides(nodes: &[Node<'_>], at: usize, width: usize) -> String {
    let most = ((width / 2).saturating_sub(MARGIN) / 3).clamp(4, 64);
    let mut parts = Vec::new();
    let mut next = Some(at);
    while let Some(node) = next.map(|at| &nodes[at]).filter(|node| node.depth > 0 && parts.len() < most) {
        parts.push(match (parts.is_empty(), node.last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
        next = node.parent;
    }
    let hidden = nodes[at].depth - parts.len();
    let mut guides = if hidden == 0 { String::new() } else { format!("⋯{hidden} ") };
    guides.extend(parts.into_iter().rev());
    guides
}

/// The guides under a span's own line.
fn below(guides: &str, parent: bool) -> String {
    let own = guides.replace("├─ ", "│  ").replace("└─ ", "   ");
    own + if parent { "│  " } else { "   " }
}

/// Begins a line with a duration or the empty space under it, and the guides.
pub(crate) fn margin(line: &mut super::line::Line, text: &str, guides: &str) {
    let space = " ".repeat((MARGIN - 2).saturating_sub(text.chars().count()));
    line.own(Style::Plain, &space).own(Style::Plain, text).own(Style::Plain, "  ").own(Style::Dim, guides);
}

/// Logs, scores and feedback of the trace that stand under no known span.
fn rest(page: &mut Page<'_>, trace: &Trace) {
    let known: HashSet<SpanId> = trace.spans.iter().map(|span| span.span_id).collect();
    let stray = |id: Option<SpanId>| id.is_none_or(|id| !known.contains(&id));
    let mut logs: Vec<_> =
        trace.logs.iter().filter(|log| stray(log.span.and_then(|span| span.span_id))).collect();
    logs.sort_by_key(|log| log.time);
    let start = trace.spans.iter().map(|span| span.start).min();
    for log in logs {
        page.line(|line| {
            margin(line, "", "");
            lines::log(line, log, start.or(Some(log.time)));
        });
    }
    for score in trace.scores.iter().filter(|score| stray(score.target.span_id())) {
        page.line(|line| {
            margin(line, "", "");
            lines::score(line, score);
        });
    }
    for feedback in trace.feedback.iter().filter(|feedback| stray(feedback.target.span_id())) {
        page.line(|line| {
            margin(line, "", "");
            lines::feedback(line, feedback);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obs_core::{Span, Timestamp, TraceId};

    /// A trace whose span `n` has the parent `parents[n]`.
    fn guides_of(parents: &[Option<usize>], at: usize, width: usize) -> String {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        let id = |at: usize| SpanId::new(at as u64 + 1).unwrap();
        for (at, parent) in parents.iter().enumerate() {
            let mut span = Span::new(trace.trace_id, id(at), "s", Timestamp::from_nanos(at as u64));
            span.parent_span_id = parent.map(id);
            trace.spans.push(span);
        }
        guides(&trace.tree(), at, width)
    }

    #[test]
    fn guides_lead_from_the_root_to_the_span() {
        let parents = [None, Some(0), Some(1), Some(1), Some(0), Some(4)];
        let all: Vec<_> = (0..6).map(|at| guides_of(&parents, at, 120)).collect();
        assert_eq!(all, ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ "]);
        assert_eq!(below("│  ├─ ", true), "│  │  │  ");
        assert_eq!(below("   └─ ", false), "         ");
    }

    #[test]
    fn a_deep_span_shows_its_nearest_guides_and_how_many_are_hidden() {
        let parents: Vec<_> = (0..3_000usize).map(|at| at.checked_sub(1)).collect();
        assert_eq!(guides_of(&parents, 2_999, 60), "⋯2993                └─ ");
        assert!(guides_of(&parents, 2_999, usize::MAX).chars().count() < 210);
    }
}
