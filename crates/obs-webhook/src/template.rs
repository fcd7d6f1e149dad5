//! Templates, compiled once and rendered within limits.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use obs_core::{Error, SCHEMA_VERSION, Signal, Timestamp};

use crate::filters::{self, Bounded};
use crate::scan::scan;
use crate::{Per, Template};

/// The name of the one template.
const NAME: &str = "payload_transformer";

/// How deep loops may call each other.
const DEEPEST: usize = 64;

/// A compiled template.
pub(crate) struct Renderer {
    environment: Environment<'static>,
    per: Per,
    room: usize,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("per", &self.per).field("room", &self.room).finish_non_exhaustive()
    }
}

/// Why a template made nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmade {
    /// The line and the cause, for the reason of a rejection.
    pub(crate) reason: String,
    /// Whether it used up its steps or bytes.
    pub(crate) is_costly: bool,
}

/// What a template sees of a request beside its records.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) signal: Signal,
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) now: Timestamp,
}

impl Renderer {
    /// Compiles a template; `json` is whether what it makes is JSON.
    ///
    /// # Errors
    /// A configuration error with the line and the cause.
    pub(crate) fn new(template: &Template, json: bool) -> Result<Self, Error> {
        let field = "payload_transformer.template";
        if template.template.trim().is_empty() {
            return Err(Error::config(field, "it is empty; write what a request holds, or leave it out"));
        }
        scan(&template.template, json)
            .map_err(|flaw| Error::config(field, format!("line {}: {}", flaw.line, flaw.cause)))?;
        let mut environment = Environment::empty();
        filters::add(&mut environment);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(template.fuel));
        environment.set_recursion_limit(DEEPEST);
        environment.set_auto_escape_callback(move |_| if json { AutoEscape::Json } else { AutoEscape::None });
        environment.set_formatter(|out, state, value| {
            let text = match (value.as_str(), state.auto_escape()) {
                (Some(text), _) if value.is_safe() => text.to_owned(),
                (Some(text), AutoEscape::None) => text.to_owned(),
                (None, AutoEscape::None) => value.to_string(),
                _ => filters::json(value)?,
            };
            out.write_str(&text).map_err(minijinja::Error::from)
        });
        environment.add_template_owned(NAME, template.template.clone()).map_err(|error| {
            Error::config(field, said(&error, "check what the crate's page says of templates"))
        })?;
        let room = usize::try_from(template.max_output.get()).unwrap_or(usize::MAX);
        Ok(Self { environment, per: template.per, room })
    }

    pub(crate) fn per(&self) -> Per {
        self.per
    }

    /// What the template makes of these records.
    ///
    /// # Errors
    /// Why it makes nothing.
    pub(crate) fn render(&self, records: &[Value], scope: &Scope) -> Result<Vec<u8>, Unmade> {
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| Unmade { reason: said(&error, ""), is_costly: false })?;
        let mut context: BTreeMap<&str, Value> = BTreeMap::from([
            ("v", Value::from(SCHEMA_VERSION)),
            ("signal", Value::from(scope.signal.as_str())),
            ("service", Value::from(scope.service.clone())),
            ("environment", Value::from(scope.environment.clone())),
            ("host", Value::from(scope.host.clone())),
            ("now", Value::from(scope.now.as_nanos())),
            ("count", Value::from(records.len())),
            ("records", Value::from(records.to_vec())),
        ]);
        if let (Per::Record, [record]) = (self.per, records) {
            context.insert("record", record.clone());
        }
        filters::begin(self.room);
        let mut made = Vec::new();
        let rendered = template.render_captured_to(Value::from(context), Bounded(&mut made)).map(drop);
        match rendered {
            Ok(()) => Ok(made),
            Err(_) if filters::is_used_up() => Err(Unmade {
                reason: format!("the template makes more than max_output, {} bytes", self.room),
                is_costly: true,
            }),
            Err(error) => Err(Unmade {
                reason: format!("the template failed: {}", said(&error, "")),
                is_costly: error.kind() == ErrorKind::OutOfFuel,
            }),
        }
    }
}

/// An error of minijinja's in one line: where, what, and what to do.
fn said(error: &minijinja::Error, next: &str) -> String {
    let place = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    let cause = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes more steps than `fuel` allows".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {}", detail.chars().take(200).collect::<String>()),
        (kind, None) => kind.to_string(),
    };
    let next = if next.is_empty() { String::new() } else { format!("; {next}") };
    format!("{place}{cause}{next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render_as(template: &str, json: bool, records: &[Value]) -> Result<String, String> {
        let renderer =
            Renderer::new(&Template::per_batch(template), json).map_err(|error| error.to_string())?;
        let scope = Scope {
            signal: Signal::Traces,
            service: Some("shop \"1\"".into()),
            environment: None,
            host: None,
            now: Timestamp::from_nanos(1_768_471_200_500_000_000),
        };
        let made = renderer.render(records, &scope).map_err(|unmade| unmade.reason)?;
        Ok(String::from_utf8(made).unwrap())
    }

    fn render(template: &str) -> Result<String, String> {
        render_as(template, true, &[Value::from("a"), Value::from("b\"c")])
    }

    #[test]
    fn values_are_json_wherever_they_stand() {
        for (template, wanted) in [
            ("{{ signal }} {{ v }} {{ count }} {{ now|seconds }}", "\"traces\" 1 2 1768471200"),
            ("{{ now|rfc3339 }} {{ environment }}", "\"2026-01-15T10:00:00.500000000Z\" null"),
            ("{{ \"x \" ~ service }}", "\"x shop \\\"1\\\"\""),
            ("{{ records|tojson }}", "[\"a\",\"b\\\"c\"]"),
            ("{{ records }}", "[\"a\",\"b\\\"c\"]"),
            ("{{ records|join(', ')|upper }}", "\"A, B\\\"C\""),
            ("{{ {\"a\": [count, service|truncate(3)]} }}", "{\"a\":[2,\"sh…\"]}"),
            ("{% set first = records|first %}{{ first|replace('a', '</x>') }}", "\"</x>\""),
            (
                "[{% for r in records %}{{ r }}{% if not loop.last %},{% endif %}{% endfor %}]",
                "[\"a\",\"b\\\"c\"]",
            ),
        ] {
            assert_eq!(render(template).as_deref(), Ok(wanted), "{template}");
        }
        assert_eq!(
            render_as("run {{ service }}: \"{{ records[0] }}\"", false, &[Value::from("a")]).unwrap(),
            "run shop \"1\": \"a\""
        );
    }

    #[test]
    fn numbers_that_are_none_are_named_as_everywhere() {
        for (template, wanted) in [
            ("{{ 1e308|times(10) }}", "\"Infinity\""),
            ("{{ 0|times(1e308|times(10)) }}", "\"NaN\""),
            ("{{ [1, {'a': (-1e308)|times(10)}] }}", "[1,{\"a\":\"-Infinity\"}]"),
            ("{{ [1.5, true, none, 3, 'a', {'b': []}]|tojson }}", "[1.5,true,null,3,\"a\",{\"b\":[]}]"),
            ("{{ [1, 2.5, 3]|sum }}", "6.5"),
            ("{{ [{'a': 1}, {'a': 2}]|sum(attribute='a') }}", "3"),
            ("{{ [{'a': 1}, {'b': 2}]|sum('a') }}", "1"),
            ("{{ [{'a': 2}, {'a': 1}]|sort(attribute='a')|map(attribute='a')|list }}", "[1,2]"),
            ("{{ {'b': 1, 'a': 2}|dictsort }}", "[[\"a\",2],[\"b\",1]]"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(wanted), "{template}");
        }
    }

    #[test]
    fn what_does_not_compile_is_told_with_its_line() {
        for (template, line, cause) in [
            ("{\n{{ a.b. }}", "line 2", "syntax error"),
            ("\n\n\"{{ a }}\"", "line 3", "between quotes"),
            ("{% for a in %}{% endfor %}", "line 1", "syntax error"),
        ] {
            let said = render(template).unwrap_err();
            assert!(said.starts_with(&format!("payload_transformer.template: {line}: ")), "{said}");
            assert!(said.contains(cause), "{said}");
        }
        assert!(render(" ").unwrap_err().contains("it is empty"));
    }

    #[test]
    fn what_is_not_there_fails_with_its_line() {
        for template in [
            "\n{{ nothing }}",
            "\n{{ records[7] }}",
            "\n{{ records[0].a.b }}",
            "\n{% if nothing %}{% endif %}",
            "\n{{ 'a' ~ nothing }}",
            "\n{{ [1, nothing] }}",
            "\n{{ {'a': [{'b': nothing}]} }}",
            "\n{{ [nothing]|join }}",
            "\n{{ [nothing]|tojson }}",
            "\n{{ nothing|upper }}",
            "\n{{ nothing|replace('a', 'b') }}",
            "\n{{ nothing|join }}",
            "\n{{ nothing|rfc3339 }}",
            "\n{{ nothing|length }}",
            "\n{{ nothing|list }}",
            "\n{{ nothing|first }}",
            "\n{{ nothing|sum }}",
            "\n{{ nothing|sort }}",
            "\n{{ nothing|unique }}",
            "\n{{ nothing|items }}",
            "\n{{ nothing|int }}",
            "\n{{ nothing|float }}",
            "\n{{ nothing|bool }}",
            "\n{{ nothing|max }}",
            "\n{{ nothing|map('upper') }}",
            "\n{{ records|map(attribute='a')|list }}",
        ] {
            let said = render(template).map_or_else(|said| said, |made| format!("made {made}"));
            assert!(said.starts_with("the template failed: line 2: "), "{template}: {said}");
        }
        assert!(render("{{ nothing|tojson }}").is_err());
        assert_eq!(render("{{ nothing|default('d') }}").as_deref(), Ok("\"d\""));
        assert!(render("{{ records|indent }}").unwrap_err().contains("unknown filter"));
        assert!(render("{{ range(9) }}").unwrap_err().contains("unknown function"));
        assert!(render("{{ records|safe }}").unwrap_err().contains("unknown filter"));
    }

    #[test]
    fn no_template_runs_for_ever_or_fills_the_memory() {
        let many: Vec<Value> =
            (0..512).map(|nth| Value::from("x".repeat(2_000) + &nth.to_string())).collect();
        for (template, cause) in [
            (
                "{% for a in records %}{% for b in records %}{% for c in records %}{% if c %}{% endif %}{% endfor %}{% endfor %}{% endfor %}",
                "fuel",
            ),
            ("{% for a in records %}{{ records }}{% endfor %}", "max_output"),
            ("{% for a in records %}{{ records|tojson|length }}{% endfor %}", "max_output"),
            ("{% for a in records %}{{ records|join|length }}{% endfor %}", "max_output"),
            ("{{ records|join|replace('x', records|join)|length }}", "max_output"),
            ("{% set a = records|join %}{% set b = a|replace('x', a) %}{{ b|length }}", "max_output"),
            ("{{ records[0]|sum(start='') }}", "a text is no list"),
            ("{{ records|sum(start='') }}", "only sum numbers"),
            ("{% set a = records[0] %}{% set b = a|sum(start=a) %}{{ b|length }}", "a text is no list"),
            ("{{ records[0]|list|length }}", "a text is no list"),
            ("{{ records[0]|map('upper')|length }}", "a text is no list"),
            ("{{ records[0]|select|length }}", "a text is no list"),
            ("{{ records[0]|sort|length }}", "a text is no list"),
            ("{{ records[0]|unique|length }}", "a text is no list"),
            (
                "{% for a in records %}{% for b in records %}{{ records|list|length }}{% endfor %}{% endfor %}",
                "max_output",
            ),
            (
                "{% for a in records %}{% for b in records %}{{ records|groupby('a')|length }}{% endfor %}{% endfor %}",
                "max_output",
            ),
        ] {
            let said = render_as(template, true, &many).unwrap_err();
            assert!(said.contains(cause), "{template}: {said}");
        }
    }
}
