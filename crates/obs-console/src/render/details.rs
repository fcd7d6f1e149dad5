//! The lines under a span: what went in and out, and what belongs to it.

use obs_core::{
    AgentRun, Attributes, ErrorInfo, MemoryLookup, Node, Payload, RagQuery, Span, SpanType, ToolCall,
};

use super::line::{Line, Style};
use super::preview::preview;
use super::tree::margin;
use super::units::{duration, float, value};
use super::{Page, lines};

/// Writes everything known of a span beyond its own line.
pub(crate) fn write(page: &mut Page<'_>, node: &Node<'_>, guides: &str) {
    let span = node.span;
    let mut writer = Details { page, guides };
    writer.before(span);
    writer.payload("in", span.input.as_ref());
    writer.between(span);
    writer.payload("out", span.output.as_ref());
    writer.attributes("attrs", &span.attributes);
    if let Some(error) = &span.error {
        writer.error(error);
    }
    for event in &span.events {
        writer.labelled("event", Style::Dim, |line| {
            line.own(Style::Dim, &format!("+{} ", duration(event.time.since(span.start))));
            line.text(Style::Plain, &event.name).gap();
            lines::pairs(line, &event.attributes);
        });
    }
    for log in &node.logs {
        writer.line(|line| lines::log(line, log, Some(span.start)));
    }
    for score in &node.scores {
        writer.line(|line| lines::score(line, score));
    }
    for feedback in &node.feedback {
        writer.line(|line| lines::feedback(line, feedback));
    }
}

struct Details<'p, 'o, 'g> {
    page: &'p mut Page<'o>,
    guides: &'g str,
}

impl Details<'_, '_, '_> {
    fn line(&mut self, fill: impl FnOnce(&mut Line)) {
        let guides = self.guides;
        self.page.line(|line| {
            margin(line, "", guides);
            fill(line);
        });
    }

    fn labelled(&mut self, label: &str, style: Style, fill: impl FnOnce(&mut Line)) {
        self.line(|line| {
            lines::label(line, style, label);
            fill(line);
        });
    }

    fn text(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            self.labelled(label, Style::Dim, |line| {
                line.text(Style::Plain, text);
            });
        }
    }

    fn payload(&mut self, label: &str, payload: Option<&Payload>) {
        if let Some(payload) = payload.filter(|_| self.page.options.payloads) {
            self.text(label, &preview(payload));
        }
    }

    fn attributes(&mut self, label: &str, attributes: &Attributes) {
        if !attributes.is_empty() {
            self.labelled(label, Style::Dim, |line| lines::pairs(line, attributes));
        }
    }

    /// What a span of its type was set up with.
    fn before(&mut self, span: &Span) {
        match &span.span_type {
            SpanType::AgentRun(AgentRun { instructions, tools, .. }) => {
                self.payload("told", instructions.as_ref());
                self.text("tools", &tools.join(", "));
            }
            SpanType::LlmGeneration(generation) => {
                let parameters = &generation.parameters;
                let mut all = Attributes::new();
                let numbers = [("temperature", parameters.temperature), ("top_p", parameters.top_p)];
                for (name, number) in numbers {
                    if let Some(number) = number {
                        all.push(name, number);
                    }
                }
                if let Some(most) = parameters.max_tokens {
                    all.push("max_tokens", most);
                }
                for (name, value) in parameters.other.iter() {
                    all.push(name.clone(), value.clone());
                }
                self.attributes("with", &all);
            }
            SpanType::ToolCall(ToolCall { description: Some(said), .. }) => self.text("does", said),
            SpanType::MemoryLookup(MemoryLookup { query: Some(query), .. })
            | SpanType::RagQuery(RagQuery { query: Some(query), .. })
                if span.input.is_none() =>
            {
                self.text("in", query);
            }
            _ => {}
        }
    }

    /// What came between a span's input and its output.
    fn between(&mut self, span: &Span) {
        match &span.span_type {
            SpanType::AgentRun(agent) => {
                for decision in &agent.decisions {
                    self.labelled("decides", Style::Agent, |line| {
                        line.text(Style::Bold, &decision.action);
                        if let Some(reasoning) = &decision.reasoning {
                            line.own(Style::Plain, ": ").text(Style::Plain, reasoning);
                        }
                        if !decision.alternatives.is_empty() {
                            let others = decision.alternatives.join(", ");
                            line.own(Style::Dim, " (not ").text(Style::Dim, &others).own(Style::Dim, ")");
                        }
                    });
                }
            }
            SpanType::RagQuery(query) => {
                for chunk in &query.chunks {
                    let name = chunk.source.as_ref().or(chunk.id.as_ref());
                    self.hit(chunk.relevance, name.map(|name| &**name), chunk.content.as_ref());
                }
            }
            SpanType::MemoryLookup(lookup) => {
                for hit in &lookup.results {
                    self.hit(hit.similarity, hit.id.as_deref(), hit.content.as_ref());
                }
            }
            _ => {}
        }
    }

    fn hit(&mut self, rank: Option<f64>, name: Option<&str>, content: Option<&Payload>) {
        let content = content.filter(|_| self.page.options.payloads);
        self.labelled("hit", Style::Dim, |line| {
            if let Some(rank) = rank {
                line.own(Style::Knowledge, &format!("{} ", float(rank)));
            }
            if let Some(name) = name {
                let room = line.left() / 2;
                line.bounded(Style::Plain, name, room).own(Style::Plain, "  ");
            }
            if let Some(content) = content {
                line.text(Style::Dim, &preview(content));
            }
        });
    }

    fn error(&mut self, error: &ErrorInfo) {
        self.labelled("error", Style::Bad, |line| {
            if let Some(error_type) = &error.error_type {
                line.text(Style::Bad, error_type).own(Style::Bad, ": ");
            }
            line.text(Style::Bad, &error.message);
            if let Some(code) = &error.code {
                line.own(Style::Dim, " (").text(Style::Dim, code).own(Style::Dim, ")");
            }
        });
        for source in &error.sources {
            self.labelled("caused", Style::Bad, |line| {
                line.own(Style::Plain, "by ").text(Style::Plain, source);
            });
        }
        for (name, detail) in error.details.iter() {
            self.text(name, &value(detail));
        }
    }
}
