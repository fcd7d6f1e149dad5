//! Lists that were flattened into attributes: `llm.input_messages.0.message.role`.

use std::collections::BTreeMap;

use obs_core::{Attributes, Str, Value};

/// Names that OpenInference wraps every element of a list in.
const WRAPPERS: [&str; 5] = ["message", "message_content", "tool_call", "document", "tool"];

/// How many dots of a name are taken as nesting; no convention has more.
const MAX_SEGMENTS: usize = 10;

enum Node {
    Leaf(Value),
    Branch(Branch),
}

/// What is below a name, each with its position, so that thousands of names are found as fast as few.
type Branch = BTreeMap<Str, (usize, Node)>;

/// The list whose elements these are, or `None` if the names are no paths of one list.
///
/// Elements stand in the order of their index, gaps closed.
pub(super) fn unflatten<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Option<Value> {
    let mut root = Branch::new();
    for (path, value) in pairs {
        insert(&mut root, path, value)?;
    }
    match value(Node::Branch(root)) {
        list @ Value::List(_) => Some(list),
        _ => None,
    }
}

/// Tools that are given by nothing but their schema as JSON text, as these schemas.
pub(super) fn schemas(tools: Value) -> Value {
    let Value::List(tools) = tools else { return tools };
    let schema = |tool: &Value| match tool {
        Value::Map(map) if map.len() == 1 => serde_json::from_str(map.get("json_schema")?.as_str()?).ok(),
        _ => None,
    };
    Value::List(tools.into_iter().map(|tool| schema(&tool).unwrap_or(tool)).collect())
}

fn insert(root: &mut Branch, path: &str, value: Value) -> Option<()> {
    let mut segments: Vec<&str> = path.splitn(MAX_SEGMENTS, '.').collect();
    let last = segments.pop()?;
    let mut branch = root;
    for segment in segments {
        let at = branch.len();
        let below = branch.entry(Str::copied(segment)).or_insert((at, Node::Branch(Branch::new())));
        branch = match &mut below.1 {
            Node::Branch(below) => below,
            Node::Leaf(_) => return None,
        };
    }
    let at = branch.len();
    branch.insert(Str::copied(last), (at, Node::Leaf(value))).is_none().then_some(())
}

fn value(node: Node) -> Value {
    let branch = match node {
        Node::Leaf(value) => return value,
        Node::Branch(branch) => branch,
    };
    let indices: Option<Vec<u64>> = branch.keys().map(|key| key.parse().ok()).collect();
    let Some(indices) = indices else {
        let mut named: Vec<(Str, (usize, Node))> = branch.into_iter().collect();
        named.sort_by_key(|(_, (at, _))| *at);
        return Value::Map(named.into_iter().map(|(key, (_, node))| (key, value(node))).collect());
    };
    let mut elements: Vec<(u64, Node)> =
        indices.into_iter().zip(branch.into_values().map(|(_, node)| node)).collect();
    elements.sort_by_key(|(index, _)| *index);
    Value::List(elements.into_iter().map(|(_, node)| unwrapped(value(node))).collect())
}

fn unwrapped(element: Value) -> Value {
    match element {
        Value::Map(map) if only_wrapper(&map) => {
            map.into_iter().next().map_or(Value::Null, |(_, inner)| inner)
        }
        element => element,
    }
}

fn only_wrapper(map: &Attributes) -> bool {
    map.len() == 1 && map.iter().all(|(key, _)| WRAPPERS.contains(&key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(pairs: &[(&'static str, &'static str)]) -> Option<String> {
        unflatten(pairs.iter().map(|(path, text)| (*path, Value::from(*text))))
            .map(|list| serde_json::to_string(&list).unwrap())
    }

    #[test]
    fn elements_are_sorted_and_unwrapped() {
        let pairs = [
            ("10.message.content", "c"),
            ("2.message.role", "user"),
            ("2.message.tool_calls.0.tool_call.function.name", "f"),
            ("2.message.tool_calls.0.tool_call.id", "7"),
        ];
        let expected =
            r#"[{"role":"user","tool_calls":[{"function":{"name":"f"},"id":"7"}]},{"content":"c"}]"#;
        assert_eq!(json(&pairs).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_list_is_none() {
        assert_eq!(json(&[("a.b", "x")]), None);
        assert_eq!(json(&[("0", "x"), ("0.role", "y")]), None);
        assert_eq!(json(&[("0.role", "x"), ("0", "y")]), None);
        assert_eq!(json(&[("99999999999999999999999.role", "x")]), None);
        let deep = format!("0.{}", "a.".repeat(100_000));
        assert!(unflatten([(deep.as_str(), Value::Null)]).is_some());
    }
}
