//! Names of our own, for what no convention has a name for.

/// A span's own name, where the conventions give it another on the wire.
pub const SPAN_NAME: &str = "obs.span.name";

/// What an agent decided, as a JSON list.
pub const DECISIONS: &str = "obs.agent.decisions";

/// What a model call cost, as a JSON object, where it is not a whole amount of US dollars.
pub const COST: &str = "obs.cost";

/// Whether a cost was worked out from a list of prices; else the provider or the application said it.
pub const COST_ESTIMATED: &str = "obs.cost.estimated";

/// The part of the application that a record is of: its kind, id, name and version.
pub const ENTITY: [&str; 4] = ["obs.entity.kind", "obs.entity.id", "obs.entity.name", "obs.entity.version"];

/// The part of the application that called that one, likewise.
pub const PARENT_ENTITY: [&str; 4] =
    ["obs.parent_entity.kind", "obs.parent_entity.id", "obs.parent_entity.name", "obs.parent_entity.version"];

/// An error's id, which all spans have that failed with it.
pub const ERROR_ID: &str = "obs.error.id";

/// The part of the system that an error is from.
pub const ERROR_DOMAIN: &str = "obs.error.domain";

/// What kind of trouble an error is.
pub const ERROR_CATEGORY: &str = "obs.error.category";

/// Anything else of an error, as a JSON object.
pub const ERROR_DETAILS: &str = "obs.error.details";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conventions::lookup;

    #[test]
    fn none_of_them_stands_for_a_field_of_the_conventions() {
        let own = [
            SPAN_NAME,
            DECISIONS,
            COST,
            COST_ESTIMATED,
            ERROR_ID,
            ERROR_DOMAIN,
            ERROR_CATEGORY,
            ERROR_DETAILS,
        ];
        assert!(own.iter().chain(&ENTITY).chain(&PARENT_ENTITY).all(|name| lookup(name).is_none()));
    }
}
