//! Lists that say again what a document says.

use std::collections::HashMap;

use obs_core::{Payload, Str, Value};

use super::draft::Pair;
use super::value::payload;
use crate::chat::{self, Role};
use crate::conventions::{ATTRIBUTES, Convention, Field, name};
use crate::encode::openinference;

/// The list, the document that may say as much, and the form of that document.
const LISTS: [(Field, Field, Field); 3] = [
    (Field::InputMessages, Field::Input, Field::InputMime),
    (Field::OutputMessages, Field::Output, Field::OutputMime),
    (Field::EmbeddedTexts, Field::Input, Field::InputMime),
];

/// Drops lists that say nothing beyond the document that stands beside them, as our own writer puts them.
///
/// Others stay: they are messages, and the document is the raw request.
pub(super) fn drop_restated(known: &mut Vec<(usize, Pair)>) {
    drop_made_messages(known);
    drop_flattened(known);
}

fn drop_flattened(known: &mut Vec<(usize, Pair)>) {
    for (list, document, mime) in LISTS {
        let rank = |field| rank(Convention::OpenInference, field);
        let of = |field| {
            let rank = rank(field)?;
            known.iter().find(|(known, _)| *known == rank).map(|(_, (_, _, value))| value)
        };
        let Some(said) = of(document).map(|value| self::document(value, of(mime))) else { continue };
        let (rank, before) = (rank(list), name(Convention::OpenInference, list).len() - 1);
        let mut left: HashMap<&str, &str> = HashMap::new();
        let mut same = true;
        for (_, (_, key, value)) in known.iter().filter(|(known, _)| Some(*known) == rank) {
            same &= value.as_str().is_some_and(|text| left.insert(&key[before..], text).is_none());
        }
        if same && !left.is_empty() {
            openinference::flattened(list, &said, &mut |path, text| same &= left.remove(path) == Some(text));
            if same && left.is_empty() {
                known.retain(|(known, _)| Some(*known) != rank);
            }
        }
    }
}

/// The rank of a convention's first name of a field.
fn rank(convention: Convention, field: Field) -> Option<usize> {
    ATTRIBUTES.iter().position(|row| row.convention == convention && row.field == field)
}

/// Drops GenAI's messages that are made of the document that stands beside them, which is what was said to the letter.
fn drop_made_messages(known: &mut Vec<(usize, Pair)>) {
    let sides = [(LISTS[0], Role::User), (LISTS[1], Role::Assistant)];
    for ((messages, document, mime), role) in sides {
        let of = |convention, field| {
            let rank = rank(convention, field)?;
            known.iter().find(|(known, _)| *known == rank).map(|(_, (_, _, value))| value)
        };
        let Some(Value::Str(told)) = of(Convention::GenAi, messages) else { continue };
        let Some(said) = of(Convention::OpenInference, document) else { continue };
        let said = self::document(said, of(Convention::OpenInference, mime));
        if chat::in_parts(&said, role).is_some_and(|made| made == told.as_str()) {
            let rank = rank(Convention::GenAi, messages);
            known.retain(|(known, _)| Some(*known) != rank);
        }
    }
}

/// A document in the form that its media type says.
pub(super) fn document(value: &Value, mime: Option<&Value>) -> Payload {
    let json = |text: &Str| Payload::from_json(text).unwrap_or_else(|| Payload::text(text.clone()));
    match (value, mime.and_then(Value::as_str)) {
        (Value::Str(text), Some("text/plain")) => Payload::text(text.clone()),
        (Value::Str(text), Some("application/json")) => json(text),
        (value, _) => payload(value),
    }
}
