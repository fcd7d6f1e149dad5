//! What the whole trace comes to.

use obs_core::{Cost, Node, Status, Str, Trace};

use super::Page;
use super::line::{Line, Style};
use super::units::{cost, count, counted, date, duration};

/// Four lines at most: what it was and how it ended, how much of what, what it used, where it belongs.
pub(crate) fn write(page: &mut Page<'_>, trace: &Trace, nodes: &[Node<'_>]) {
    if let Some(summary) = trace.summary() {
        let failed = summary.status == Status::Error;
        page.line(|line| {
            let name = line.left().saturating_sub(24);
            line.bounded(Style::Bold, &summary.name, name);
            line.own(Style::Plain, "  ").own(Style::Plain, &duration(summary.duration()));
            if failed {
                line.own(Style::Plain, "  ").own(Style::Bad, "✗ failed");
            }
        });
        page.line(|line| amounts(line, trace, nodes, &date(summary.start)));
        let used = used(&summary.usage, &summary.cost, &summary.models);
        if !used.is_empty() {
            page.line(|line| list(line, &used));
        }
    }
    page.line(|line| belongs(line, trace));
    page.out.push('\n');
}

fn amounts(line: &mut Line, trace: &Trace, nodes: &[Node<'_>], began: &str) {
    let failed = nodes.iter().filter(|node| node.span.status == Status::Error).count();
    let running = nodes.iter().filter(|node| node.span.end.is_none()).count();
    list(line, &[began.to_owned(), counted(nodes.len(), "span")]);
    for (amount, word, style) in [(failed, "failed", Style::Bad), (running, "running", Style::Warn)] {
        if amount > 0 {
            line.own(Style::Dim, " · ").own(style, &format!("{amount} {word}"));
        }
    }
    let others =
        [(trace.logs.len(), "log"), (trace.scores.len(), "score"), (trace.feedback.len(), "feedback")];
    for (amount, noun) in others.into_iter().filter(|(amount, _)| *amount > 0) {
        let counted = if noun == "feedback" { format!("{amount} {noun}") } else { counted(amount, noun) };
        line.own(Style::Dim, " · ").own(Style::Dim, &counted);
    }
}

fn used(usage: &obs_core::Usage, costs: &[Cost], models: &[Str]) -> Vec<String> {
    let mut parts = Vec::new();
    let mut tokens = |total: Option<u64>, word: &str, detail: u64, of: &str| {
        if let Some(total) = total {
            let detail = if detail == 0 { String::new() } else { format!(" ({} {of})", count(detail)) };
            parts.push(format!("{} tokens {word}{detail}", count(total)));
        }
    };
    tokens(usage.input, "in", usage.input_details.cache_read, "cached");
    tokens(usage.output, "out", usage.output_details.reasoning, "reasoning");
    parts.extend(costs.iter().map(cost));
    parts.extend(models.iter().map(Str::to_string));
    parts
}

fn belongs(line: &mut Line, trace: &Trace) {
    let mut parts = vec![format!("trace {}", trace.trace_id)];
    if let Some(root) = trace.root().or_else(|| trace.spans.first()) {
        let context = &root.context;
        let service = context.service.clone().or_else(|| root.resource.service_name().map(Str::copied));
        let named = [
            ("service", service),
            ("session", context.session_id.clone()),
            ("thread", context.thread_id.clone()),
            ("user", context.user_id.clone()),
            ("environment", context.environment.clone()),
            ("release", context.release.clone()),
        ];
        parts.extend(named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))));
        if !context.tags.is_empty() {
            parts.push(format!("tags {}", context.tags.join(", ")));
        }
    }
    list(line, &parts);
}

fn list(line: &mut Line, parts: &[String]) {
    line.own(Style::Plain, "  ");
    for (at, part) in parts.iter().enumerate() {
        line.own(Style::Dim, if at == 0 { "" } else { " · " }).text(Style::Dim, part);
    }
}
