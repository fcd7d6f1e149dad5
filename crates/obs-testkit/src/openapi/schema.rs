//! Schemas of OpenAPI 3.0 in the words of JSON Schema 2020-12, which 3.1 speaks already.

use serde_json::{Map, Value, json};

/// The keywords that hold one schema, a list of them, and a map of them; what others hold is data.
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAP: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// The schema without what is OpenAPI's own: 3.0's `nullable` and its Boolean `exclusiveMinimum` and `exclusiveMaximum`.
///
/// `nullable` counts beside a `$ref`, too: the letter of 3.0 ignores it there, and the vendors mean it.
pub(super) fn plain(schema: &Value, nullable: bool) -> Value {
    let Some(known) = schema.as_object() else { return schema.clone() };
    let mut out = Map::new();
    for (keyword, value) in known {
        let inner = |value: &Value| plain(value, nullable);
        let value = match (keyword.as_str(), value) {
            (one, value) if ONE.contains(&one) => inner(value),
            (list, Value::Array(schemas)) if LIST.contains(&list) => schemas.iter().map(inner).collect(),
            (map, Value::Object(schemas)) if MAP.contains(&map) => {
                schemas.iter().map(|(name, schema)| (name.clone(), inner(schema))).collect()
            }
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    if !nullable {
        return Value::Object(out);
    }
    bound(&mut out, "exclusiveMinimum", "minimum");
    bound(&mut out, "exclusiveMaximum", "maximum");
    if out.remove("nullable") == Some(Value::Bool(true)) { or_null(out) } else { Value::Object(out) }
}

/// In 3.0 a bound is exclusive by a flag beside it; since then it is a number of its own.
fn bound(schema: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    if !schema.get(exclusive).is_some_and(Value::is_boolean) {
        return;
    }
    if schema.remove(exclusive) == Some(Value::Bool(true))
        && let Some(limit) = schema.remove(inclusive)
    {
        schema.insert(exclusive.to_owned(), limit);
    }
}

/// Lets null in: as one more type where that says it all, since its faults read better than those of alternatives.
fn or_null(mut schema: Map<String, Value>) -> Value {
    let combined =
        ["$ref", "allOf", "anyOf", "oneOf", "not", "const"].iter().any(|word| schema.contains_key(*word));
    let Some(kind) = schema.get("type").filter(|kind| kind.is_string() && !combined).cloned() else {
        let only_words = !combined && !schema.contains_key("enum");
        return if only_words { Value::Object(schema) } else { json!({"anyOf": [{"type": "null"}, schema]}) };
    };
    schema.insert("type".to_owned(), json!([kind, "null"]));
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_openapis_own_becomes_json_schema() {
        let cases = [
            (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
            (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
            (json!({"nullable": true}), json!({})),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (json!({"$ref": "#/x", "nullable": true}), json!({"anyOf": [{"type": "null"}, {"$ref": "#/x"}]})),
            (
                json!({"type": "object", "nullable": true, "allOf": [{"required": ["a"]}]}),
                json!({"anyOf": [{"type": "null"}, {"type": "object", "allOf": [{"required": ["a"]}]}]}),
            ),
            (json!({"minimum": 0, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 0})),
            (json!({"maximum": 1, "exclusiveMaximum": false}), json!({"maximum": 1})),
        ];
        for (from, to) in cases {
            assert_eq!(plain(&from, true), to, "{from}");
            let inside = |schema: &Value| json!({"properties": {"p": {"items": schema}}, "anyOf": [schema]});
            assert_eq!(plain(&inside(&from), true), inside(&to), "inside: {from}");
            assert_eq!(plain(&from, false), from);
        }
    }

    #[test]
    fn data_and_names_are_no_keywords() {
        let schema = json!({
            "properties": {"nullable": {"type": "boolean"}},
            "required": ["nullable"],
            "default": {"nullable": true},
            "enum": [{"nullable": true}],
        });
        assert_eq!(plain(&schema, true), schema);
    }
}
