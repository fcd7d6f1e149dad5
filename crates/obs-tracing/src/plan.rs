//! Where each field of a callsite goes, found out once a callsite and thread.

use std::cell::RefCell;
use std::sync::Arc;

use obs_otlp::conventions::{self, Field, TYPES};
use rustc_hash::FxHashMap;
use tracing::Metadata;

/// The most callsites a thread remembers; beyond, they are read anew each time.
const CAPACITY: usize = 4096;

thread_local! {
    static PLANS: RefCell<FxHashMap<usize, Arc<Plan>>> = RefCell::default();
}

/// Where a field goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goes {
    /// It stays an attribute under its own name.
    Attribute,
    /// Its value names the span's type; the rows of the table that say so begin here.
    Type(usize),
    /// It stands for a field of a record; what follows the prefix of its name is the rest.
    Field(Field, &'static str),
    /// It is the span's name.
    Name,
    /// It is the span's role.
    Kind,
    /// It says whether the span failed.
    Status,
    /// It says why.
    StatusMessage,
    /// It is an error, or tells of one.
    Error,
    /// It is what an event says.
    Message,
    /// The metadata of a `log` record, which a bridge put among the fields.
    LogMetadata,
}

/// One field of a callsite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) key: &'static str,
    pub(crate) goes: Goes,
    /// Whether its text comes again and again: names of models, providers, tools.
    pub(crate) recurs: bool,
    /// The field of the callsite that says the same under a better name.
    pub(crate) better: Option<usize>,
}

/// What is known of a callsite.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) slots: Box<[Slot]>,
    /// Whether a field may name the span's type.
    pub(crate) names_type: bool,
    /// Whether the type can be guessed where none is named.
    pub(crate) hints_type: bool,
    /// Whether a look at name, role and type comes before the start of a span.
    pub(crate) look_first: bool,
    /// Whether a model's instructions may come beside its messages.
    pub(crate) has_instructions: bool,
}

/// The plan of a callsite.
pub(crate) fn of(metadata: &'static Metadata<'static>) -> Arc<Plan> {
    let key = std::ptr::from_ref(metadata).addr();
    let known = PLANS.try_with(|plans| {
        let mut plans = plans.borrow_mut();
        if let Some(plan) = plans.get(&key) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(Plan::new(metadata));
        if plans.len() < CAPACITY {
            plans.insert(key, Arc::clone(&plan));
        }
        plan
    });
    known.unwrap_or_else(|_| Arc::new(Plan::new(metadata)))
}

impl Plan {
    fn new(metadata: &Metadata<'static>) -> Self {
        let names = metadata.fields().iter().map(|field| field.name());
        Self::of_names(names, metadata.is_event())
    }

    fn of_names(names: impl Iterator<Item = &'static str>, event: bool) -> Self {
        let mut slots: Vec<Slot> = names
            .map(|key| {
                let goes = goes(key, event);
                Slot { key, goes, recurs: recurs(goes), better: None }
            })
            .collect();
        let ranks: Vec<_> = slots.iter().map(|slot| place(slot.key, slot.goes)).collect();
        for (at, slot) in slots.iter_mut().enumerate() {
            let Some((mine, my_rank)) = ranks[at] else { continue };
            let better = ranks.iter().enumerate().filter_map(|(other, place)| Some((other, (*place)?)));
            slot.better = better
                .filter(|(_, (field, rank))| *field == mine && *rank < my_rank)
                .min_by_key(|(_, (_, rank))| *rank)
                .map(|(other, _)| other);
        }
        let any = |is: fn(Goes) -> bool| slots.iter().any(|slot| is(slot.goes));
        let names_type = any(|goes| matches!(goes, Goes::Type(_)));
        let hints_type = any(hints);
        Self {
            names_type,
            hints_type,
            look_first: names_type || hints_type || any(|goes| matches!(goes, Goes::Name | Goes::Kind)),
            has_instructions: any(|goes| matches!(goes, Goes::Field(Field::Instructions, _))),
            slots: slots.into(),
        }
    }

    /// Whether the type of a span of this callsite may be other than generic.
    pub(crate) fn may_type(&self) -> bool {
        self.names_type || self.hints_type
    }
}

fn goes(key: &'static str, event: bool) -> Goes {
    match key {
        "otel.name" => Goes::Name,
        "otel.kind" => Goes::Kind,
        "otel.status_code" => Goes::Status,
        "otel.status_message" | "otel.status_description" => Goes::StatusMessage,
        "error" | "err" | "exception" => Goes::Error,
        "message" if event => Goes::Message,
        "log.target" | "log.module_path" | "log.file" | "log.line" if event => Goes::LogMetadata,
        key => match TYPES.iter().position(|row| row.attribute == key) {
            // A method alone also names a tool call of a server, but it is a field of its own.
            Some(row) if key != "mcp.method.name" => Goes::Type(row),
            _ => match conventions::lookup(key) {
                Some(meaning) => Goes::Field(meaning.field, meaning.rest),
                None => Goes::Attribute,
            },
        },
    }
}

/// Whether a field hints at the type of a span that nothing names.
pub(crate) fn hints(goes: Goes) -> bool {
    matches!(goes, Goes::Field(Field::Model | Field::ResponseModel | Field::ToolName | Field::McpMethod, _))
}

fn recurs(goes: Goes) -> bool {
    let Goes::Field(field, _) = goes else { return matches!(goes, Goes::Name | Goes::Type(_)) };
    matches!(
        field,
        Field::Model
            | Field::Provider
            | Field::ResponseModel
            | Field::FinishReason
            | Field::AgentName
            | Field::AgentId
            | Field::ToolName
            | Field::ToolKind
            | Field::McpServer
            | Field::McpServerVersion
            | Field::WorkflowId
            | Field::Store
            | Field::ErrorType
            | Field::Environment
            | Field::Release
    )
}

/// What of a record a field fills, and how good its name for that is.
fn place(key: &str, goes: Goes) -> Option<(Field, usize)> {
    let Goes::Field(field, rest) = goes else { return None };
    let field = match field {
        Field::InputMessages => Field::Input,
        Field::OutputMessages => Field::Output,
        // Each key of theirs is a place of its own.
        Field::Parameter | Field::MetadataKey | Field::OwnAttribute | Field::LogAttribute => return None,
        field => field,
    };
    rest.is_empty().then_some(())?;
    Some((field, conventions::lookup(key)?.rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(names: &[&'static str]) -> Plan {
        Plan::of_names(names.iter().copied(), false)
    }

    #[test]
    fn a_field_goes_where_the_conventions_say() {
        let plan =
            plan(&["gen_ai.operation.name", "gen_ai.request.seed", "otel.kind", "http.route", "message"]);
        assert!(matches!(plan.slots[0].goes, Goes::Type(_)));
        assert_eq!(plan.slots[1].goes, Goes::Field(Field::Parameter, "seed"));
        assert_eq!(plan.slots[2].goes, Goes::Kind);
        assert_eq!(plan.slots[3].goes, Goes::Attribute);
        assert_eq!(plan.slots[4].goes, Goes::Attribute, "a span says nothing");
        assert!(plan.names_type && plan.look_first && plan.may_type());
    }

    #[test]
    fn of_two_names_of_one_field_the_better_is_known() {
        let plan = plan(&["gen_ai.system", "gen_ai.provider.name", "gen_ai.prompt", "gen_ai.input.messages"]);
        assert_eq!(
            plan.slots.iter().map(|slot| slot.better).collect::<Vec<_>>(),
            [Some(1), None, Some(3), None]
        );
    }

    #[test]
    fn a_plain_callsite_needs_no_first_look() {
        let plan = plan(&["http.route", "error"]);
        assert!(!plan.look_first && !plan.may_type());
    }
}
