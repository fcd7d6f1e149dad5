//! The tree as text for people: what a record is stands first, what stands below it last.

use serde_json::{Map, Value};

/// What stands first, in this order.
const FIRST: [&str; 10] =
    ["trace", "span", "parent", "depth", "name", "level", "message", "kind", "type", "running"];

/// What stands last, in this order.
const LAST: [&str; 8] = ["traces", "spans", "logs", "metrics", "scores", "feedback", "children", "links"];

/// The longest line that holds a whole list or object.
const WIDTH: usize = 100;

/// The value as JSON over lines; what has nothing below it and is short stands on one.
pub(super) fn print(value: &Value) -> String {
    let mut out = String::new();
    push(value, 0, &mut out);
    out
}

fn push(value: &Value, indent: usize, out: &mut String) {
    let on_one_line = one_line(value);
    if let Some(line) = on_one_line.filter(|line| indent + line.len() <= WIDTH) {
        out.push_str(&line);
        return;
    }
    match value {
        Value::Array(values) => {
            let lines = values.iter().map(|value| (String::new(), value));
            block('[', lines, ']', indent, out);
        }
        Value::Object(fields) => {
            let lines = ordered(fields).into_iter().map(|(key, value)| (format!("{}: ", quoted(key)), value));
            block('{', lines, '}', indent, out);
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn block<'a>(
    open: char,
    lines: impl Iterator<Item = (String, &'a Value)>,
    close: char,
    indent: usize,
    out: &mut String,
) {
    out.push(open);
    for (nth, (key, value)) in lines.enumerate() {
        out.push_str(if nth == 0 { "\n" } else { ",\n" });
        out.extend(std::iter::repeat_n(' ', indent + 2));
        out.push_str(&key);
        push(value, indent + 2, out);
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
    out.push(close);
}

/// The value on one line, unless something nests in it twice.
fn one_line(value: &Value) -> Option<String> {
    let flat = |value: &Value| match value {
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    };
    let shallow = |value: &Value| match value {
        Value::Array(values) => values.iter().all(flat),
        Value::Object(fields) => fields.values().all(flat),
        _ => true,
    };
    match value {
        Value::Array(values) if values.iter().all(flat) => {
            Some(format!("[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(fields) if fields.values().all(shallow) && fields.len() <= 4 => {
            let pairs = ordered(fields).into_iter().map(|(key, value)| {
                let value = one_line(value).unwrap_or_else(|| value.to_string());
                format!("{}: {value}", quoted(key))
            });
            Some(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", ")))
        }
        Value::Array(_) | Value::Object(_) => None,
        scalar => Some(scalar.to_string()),
    }
}

fn ordered(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut ordered: Vec<_> = fields.iter().collect();
    ordered.sort_by_key(|(key, _)| (rank(key), *key));
    ordered
}

fn rank(key: &str) -> usize {
    let at = |keys: &[&str]| keys.iter().position(|known| *known == key);
    match (at(&FIRST), at(&LAST)) {
        (Some(first), _) => first,
        (None, Some(last)) => FIRST.len() + 1 + last,
        (None, None) => FIRST.len(),
    }
}

fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_the_same_json() {
        let value = serde_json::json!({
            "spans": [{"span": "<span-1>", "name": "a \"b\"\n", "children": [{"span": "<span-2>"}], "empty": {}}],
            "trace": "<trace-1>", "deep": [[[1, 2.5, null, true]]], "": [],
        });
        let text = print(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.starts_with("{\n  \"trace\": \"<trace-1>\",\n"), "{text}");
    }
}
