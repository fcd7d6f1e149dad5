//! Reads the options that the specification's examples set: keyword arguments, keys of dictionaries, keys of its YAML, and
//! variables.

use std::collections::BTreeSet;

use regex::Regex;

/// Every option as its class and its keys, in the order of their names.
pub(super) fn paths(text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for block in blocks(text, "python") {
        Reader::default().read(&block, &mut found);
    }
    for block in blocks(text, "yaml") {
        yaml(&block, &mut found);
    }
    let variable = Regex::new(r"\b(?:PROFILING|DATADOG|NEW_RELIC|MONITORING)_[A-Z_]+[A-Z]\b").unwrap();
    found.extend(variable.find_iter(text).map(|name| name.as_str().to_owned()));
    found.into_iter().collect()
}

/// The blocks of code in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    let parts = text.split(&open).skip(1);
    parts.filter_map(|part| part.split_once("```")).map(|(block, _)| block.to_owned()).collect()
}

/// An open bracket.
#[derive(Debug, Default)]
struct Open {
    /// Where its keys belong; none where they are no options.
    path: Option<String>,
    /// Whether it is a call, whose keys are written with `=`.
    call: bool,
    /// The key whose value is being read.
    key: Option<String>,
    /// Whether that value is a function, whose words are no options.
    function: bool,
}

#[derive(Debug, Default)]
struct Reader {
    open: Vec<Open>,
    /// The name just read, and a string just read.
    name: Option<String>,
    text: Option<String>,
}

impl Reader {
    fn read(mut self, block: &str, found: &mut BTreeSet<String>) {
        // A string of three quotes, one of one, a comment, a dotted name, two signs that are no `=`, or one sign.
        let token = r#"(?s)"""(.*?)"""|"([^"\n]*)"|(#[^\n]*)|([A-Za-z_][A-Za-z_0-9.]*)|([=!<>]=)|(\S)"#;
        for token in Regex::new(token).unwrap().captures_iter(block) {
            if let Some(text) = token.get(2) {
                self.text = Some(text.as_str().to_owned());
            } else if let Some(name) = token.get(4) {
                self.word(name.as_str());
            } else if let Some(sign) = token.get(6) {
                self.sign(sign.as_str(), found);
            }
        }
    }

    fn word(&mut self, name: &str) {
        if name == "lambda"
            && let Some(open) = self.open.last_mut()
        {
            open.function = true;
        }
        (self.name, self.text) = (Some(name.to_owned()), None);
    }

    fn sign(&mut self, sign: &str, found: &mut BTreeSet<String>) {
        let (name, text) = (self.name.take(), self.text.take());
        match sign {
            "(" | "{" | "[" => self.enter(sign == "(", name),
            ")" | "}" | "]" => drop(self.open.pop()),
            "," => {
                if let Some(open) = self.open.last_mut() {
                    (open.key, open.function) = (None, false);
                }
            }
            "=" => self.key(name, true, found),
            ":" => self.key(text, false, found),
            _ => {}
        }
    }

    fn enter(&mut self, call: bool, name: Option<String>) {
        let around = self.open.last();
        let silent = around.is_some_and(|open| open.function || (open.call && open.path.is_none()));
        let path = match (call, name) {
            _ if silent => None,
            (true, Some(name)) => Some(name),
            (true, None) => None,
            // A list's elements belong where the list does.
            (false, _) => around.and_then(|open| open.key.clone().or_else(|| open.path.clone())),
        };
        self.open.push(Open { path, call, ..Open::default() });
    }

    fn key(&mut self, key: Option<String>, call: bool, found: &mut BTreeSet<String>) {
        let Some(open) = self.open.last_mut().filter(|open| open.call == call && !open.function) else {
            return;
        };
        if let (Some(path), Some(key)) = (&open.path, key) {
            let path = format!("{path}.{key}");
            found.insert(path.clone());
            open.key = Some(path);
        }
    }
}

/// The keys of every exporter in a list of exporters; below `config` they are those of the exporter's type.
fn yaml(block: &str, found: &mut BTreeSet<String>) {
    let (mut of, mut inside, mut depth) = (String::new(), false, None);
    for line in block.lines() {
        let indented = line.len() - line.trim_start().len();
        let line = line.trim();
        if line == "exporters:" {
            inside = true;
            continue;
        }
        if line == "---" {
            inside = false;
        }
        let Some((key, value)) = line.trim_start_matches("- ").split_once(':').filter(|_| inside) else {
            continue;
        };
        let list = line.starts_with("- ");
        if list && value.starts_with(' ') && key == "name" {
            depth = None;
        }
        match depth {
            None => {
                found.insert(format!("exporters.{key}"));
                if key == "type" {
                    value.trim().clone_into(&mut of);
                }
                depth = (key == "config").then_some(indented + 2);
            }
            Some(depth) if !list && indented == depth => drop(found.insert(format!("{of}.{key}"))),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_calls_and_of_what_stands_in_them_are_options() {
        let text = r#"
# A

```python
from a import B  # C(d=1)
b = B(
    one=os.getenv("ONE", default=1),
    two={"mine": {"name": "x", "help": f"{y:1}"}},  # three=3
    four=[C(), D(five=5 if x == 6 else 7)],
    eight=[{"condition": lambda m: m.x > E(nine=9), "exporter": F()}],
    ten=lambda m: {"eleven": 11},
    twelve="a=b, c: d"
)
go(thirteen=True)
```
"#;
        let expected = [
            "B.eight",
            "B.eight.condition",
            "B.eight.exporter",
            "B.four",
            "B.one",
            "B.ten",
            "B.twelve",
            "B.two",
            "B.two.mine",
            "B.two.mine.help",
            "B.two.mine.name",
            "D.five",
            "go.thirteen",
            "os.getenv.default",
        ];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn keys_of_a_list_of_exporters_are_options_of_their_types() {
        let text = "```yaml\nkind: Map\nexporters:\n  - name: a\n    type: alpha\n    config:\n      url: http://x\n      labels:\n        \
            mine: y\n      tags:\n        - \"k:v\"\n  - name: b\n    type: beta\n    config:\n      key: z\n---\nkind: Other\n```\n";
        let expected = [
            "alpha.labels",
            "alpha.tags",
            "alpha.url",
            "beta.key",
            "exporters.config",
            "exporters.name",
            "exporters.type",
        ];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn variables_are_options_wherever_they_stand() {
        let text =
            "export PROFILING_DATADOG_API_KEY=x, or \"DATADOG_API_KEY\"; PATH is none, nor PROFILING_.";
        assert_eq!(paths(text), ["DATADOG_API_KEY", "PROFILING_DATADOG_API_KEY"]);
    }
}
