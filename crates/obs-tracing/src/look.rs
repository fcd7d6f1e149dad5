//! A first look at a span's fields: what must be known before it starts, without copying the rest.

use std::fmt;

use obs_core::{SpanKind, SpanType, Str, Value};
use obs_otlp::conventions::{Field as Place, TYPES};
use tracing::field::{Field, Visit};

use crate::plan::{Goes, Plan};
use crate::typed;
use crate::visit::formatted;

/// A name, role or type is short; no more than this is read of a formatted one.
const SHORT: usize = 1 << 10;

/// What the fields say of a span's name, role and type.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) name: Option<Str>,
    pub(crate) kind: Option<SpanKind>,
    /// The row of the table that names the type; of several the first.
    row: Option<usize>,
    model: bool,
    tool: bool,
    mcp: bool,
}

impl Look {
    /// Hears what a field was told.
    pub(crate) fn hear(&mut self, goes: Goes, text: &str) {
        match goes {
            Goes::Name if !text.is_empty() => self.name = Some(obs_instrument::intern(text)),
            Goes::Kind => self.kind = kind(text).or(self.kind),
            Goes::Type(first) => {
                let rows = [self.row, typed::row(first, text)];
                self.row = rows.into_iter().flatten().min();
            }
            Goes::Field(Place::McpMethod, _) => self.mcp |= text == "tools/call",
            Goes::Field(Place::Model | Place::ResponseModel, _) => self.model |= !text.is_empty(),
            Goes::Field(Place::ToolName, _) => self.tool |= !text.is_empty(),
            _ => {}
        }
    }

    /// Hears a value that was kept.
    pub(crate) fn hear_value(&mut self, goes: Goes, value: &Value) {
        if let Some(text) = value.as_str() {
            self.hear(goes, text);
        }
    }

    /// The type that is named, if one is.
    pub(crate) fn named(&self) -> Option<SpanType> {
        let row = TYPES.get(self.row?)?;
        // An MCP method only makes a tool call more precise.
        let mcp = self.mcp && row.span_type == "tool_call";
        Some(if mcp { typed::empty("mcp_tool_call") } else { typed::make(row) })
    }

    /// The type that the fields suggest where none is named.
    pub(crate) fn guessed(&self) -> Option<SpanType> {
        let name = match self {
            Self { mcp: true, .. } => "mcp_tool_call",
            Self { model: true, .. } => "llm_generation",
            Self { tool: true, .. } => "tool_call",
            _ => return None,
        };
        Some(typed::empty(name))
    }
}

/// The role of this name, in `tracing-opentelemetry`'s spelling, which is of any case.
pub(crate) fn kind(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("internal", SpanKind::Internal),
        ("client", SpanKind::Client),
        ("server", SpanKind::Server),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
    ];
    kinds.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
}

/// Looks at the fields of a callsite.
pub(crate) struct Looking<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) look: &'a mut Look,
}

impl Visit for Looking<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.plan.slots.get(field.index()) {
            self.look.hear(slot.goes, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Some(slot) = self.plan.slots.get(field.index()) else { return };
        match slot.goes {
            Goes::Name | Goes::Kind | Goes::Type(_) | Goes::Field(Place::McpMethod, _) => {
                self.look.hear(slot.goes, &formatted(value, SHORT));
            }
            // It is enough that there is one.
            Goes::Field(Place::Model | Place::ResponseModel | Place::ToolName, _) => {
                self.look.hear(slot.goes, "?");
            }
            _ => {}
        }
    }

    fn record_bool(&mut self, _: &Field, _: bool) {}

    fn record_i64(&mut self, _: &Field, _: i64) {}

    fn record_u64(&mut self, _: &Field, _: u64) {}

    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_i128(&mut self, _: &Field, _: i128) {}

    fn record_u128(&mut self, _: &Field, _: u128) {}

    fn record_error(&mut self, _: &Field, _: &(dyn std::error::Error + 'static)) {}
}
