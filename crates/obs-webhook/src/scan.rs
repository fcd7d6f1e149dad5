//! What a template may not have, told before minijinja sees it.
//!
//! Two things cannot be left to minijinja. A value that is put between the quotes of a JSON text would end that text; so
//! placeholders stand outside of quotes, where each value brings its own. And its limit of steps says nothing of memory: a
//! name that is bound to twice itself thirty times over is a gigabyte; so names are bound to parts of what is there, and
//! nothing that is composed.

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong, and what to write.
    pub(crate) cause: String,
}

/// The most operators that join in one place: each may double what it is given.
const MOST_JOINS: usize = 64;

/// The most slices of a template, each of which is a copy.
const MOST_SLICES: usize = 16;

/// The longest template.
const LONGEST: usize = 256 << 10;

/// Looks a template through; `json` is whether what it makes is JSON.
///
/// # Errors
/// The first flaw.
pub(crate) fn scan(template: &str, json: bool) -> Result<(), Flaw> {
    if template.len() > LONGEST {
        return Err(Flaw { line: 1, cause: format!("it is longer than {LONGEST} bytes; shorten it") });
    }
    let (mut at, mut quoted, mut cut) = (0, false, 0);
    while let Some(found) = template[at..].find(['{', '"', '\\']) {
        let here = at + found;
        let rest = &template[here..];
        let flaw = |cause: String| Flaw { line: line(template, here), cause };
        at = here + 1;
        match rest.as_bytes() {
            [b'{', b'#', ..] => at = here + rest.find("#}").map_or(rest.len(), |end| end + 2),
            [b'{', open @ (b'{' | b'%'), ..] => {
                if json && quoted {
                    return Err(flaw(
                        "a placeholder stands between quotes; leave them out, since the value brings its own, and join \
                         texts as {{ \"run \" ~ name }}"
                            .to_owned(),
                    ));
                }
                let is_tag = *open == b'%';
                let inside = &rest[2..];
                let end = end(inside, if is_tag { "%}" } else { "}}" });
                let end = end.ok_or_else(|| flaw("it has no end; close it".to_owned()))?;
                let code = tokens(&inside[..end]);
                cut += slices(&code);
                if cut > MOST_SLICES {
                    return Err(flaw(format!(
                        "it has more than {MOST_SLICES} slices; use `first`, `last` or `truncate`"
                    )));
                }
                if is_tag { tag(&code) } else { joins(&code) }.map_err(flaw)?;
                at = here + 2 + end + 2;
            }
            [b'"', ..] => quoted = !quoted,
            [b'\\', ..] if quoted => at = here + 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => {}
        }
    }
    Ok(())
}

fn line(template: &str, at: usize) -> usize {
    template[..at].matches('\n').count() + 1
}

/// A part of what stands in a placeholder or tag; texts are told apart from what joins them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text,
    Sign(char),
}

/// Where a placeholder or tag ends: as minijinja has it, outside of texts and of brackets.
fn end(code: &str, mark: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_i32);
    while at < code.len() {
        let rest = &code[at..];
        if depth == 0 && rest.starts_with(mark) {
            return Some(at);
        }
        let c = rest.chars().next()?;
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '"' | '\'' => at += text_len(&rest[1..], c)?,
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

/// How long a text is behind its first quote, with its last.
fn text_len(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if c == '"' || c == '\'' {
            tokens.push(Token::Text);
            at += 1 + text_len(&rest[1..], c).unwrap_or(rest.len() - 1);
        } else if is_word(c) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..len]));
            at += len;
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
            at += c.len_utf8();
        }
    }
    tokens
}

/// How many `:` stand within brackets that hold no map's.
fn slices(code: &[Token<'_>]) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    for token in code {
        match token {
            Token::Sign(sign @ ('(' | '[' | '{')) => open.push(*sign),
            Token::Sign(')' | ']' | '}') => drop(open.pop()),
            Token::Sign(':') if open.last() != Some(&'{') => count += 1,
            _ => {}
        }
    }
    count
}

/// What a tag may be.
fn tag(code: &[Token<'_>]) -> Result<(), String> {
    let code = match code {
        [Token::Sign('-' | '+'), rest @ ..] => rest,
        all => all,
    };
    let Some(Token::Word(name)) = code.first() else { return Err("a tag has no name; remove it".to_owned()) };
    match *name {
        "if" | "elif" => joins(&code[1..]),
        "else" | "endif" | "endfor" => Ok(()),
        "for" => {
            let within = code.iter().position(|token| *token == Token::Word("in")).unwrap_or(0);
            if code.contains(&Token::Word("recursive")) {
                return Err("a loop may not be `recursive`; write the levels that there are".to_owned());
            }
            bound(&code[within + 1..])
        }
        "set" => match code.iter().position(|token| *token == Token::Sign('=')) {
            Some(equals) => bound(&code[equals + 1..]),
            None => Err("a `set` has no `=`; write {% set name = value %}".to_owned()),
        },
        other => Err(format!("there is no tag `{other}` here; there are if, elif, else, for and set")),
    }
}

/// What a name may stand for: a part of what is there, with filters, and nothing composed.
fn bound(code: &[Token<'_>]) -> Result<(), String> {
    const LITERALS_FOLLOW: [&str; 8] = ["in", "and", "or", "not", "if", "else", "is", "set"];
    let mut depth = 0_i32;
    for (at, token) in code.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| code[before]);
        let follows_value = match before {
            Some(Token::Word(word)) => !LITERALS_FOLLOW.contains(&word),
            Some(Token::Text | Token::Sign(')' | ']')) => true,
            Some(Token::Sign(_)) | None => false,
        };
        let composed = match token {
            Token::Sign('~' | '+' | '*' | '{') => true,
            Token::Sign('(' | '[') => !follows_value,
            Token::Sign(',') => depth == 0,
            _ => false,
        };
        if composed {
            return Err(
                "what `for` and `set` name may not be composed with `~`, `+`, `*`, lists, maps or brackets; compose it \
                 where it is written out"
                    .to_owned(),
            );
        }
        match token {
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

/// That no place joins too often.
fn joins(code: &[Token<'_>]) -> Result<(), String> {
    if code.contains(&Token::Sign('*')) {
        return Err("`*` repeats texts and lists; multiply numbers with the filter `times`".to_owned());
    }
    let joins = code.iter().filter(|token| matches!(token, Token::Sign('~' | '+'))).count();
    if joins > MOST_JOINS {
        return Err(format!("{joins} operators join in one place, where {MOST_JOINS} are the most; part it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_templates_pass() {
        for template in [
            r#"{"text": {{ "run " ~ record.name ~ " \"}} failed" }}, "n": {{ count }}}"#,
            "{% for r in records|selectattr('a.b', 'eq', 'c') if r.x[0] is defined %}{{ r }}{% endfor %}",
            "{%- set first = records[0].ended -%}{{ {\"a\": {\"b\": [first, 1 + 2]}} }}",
            "{# \"a comment\" #}[{% if a.b and not c %}1{% elif d %}2{% else %}3{% endif %}]",
            r#"{"a \" b": 1, "c\\": {{ x }}}"#,
            "{% for k, v in record.attributes|items %}{{ k ~ v }}{% endfor %}",
        ] {
            assert_eq!(scan(template, true), Ok(()), "{template}");
        }
        assert_eq!(scan("\"{{ quoted }}\"", false), Ok(()), "plain text has quotes of its own");
    }

    #[test]
    fn what_is_refused_is_told_with_its_line() {
        for (template, line, cause) in [
            ("{\n\"text\": \"run {{ name }}\"}", 2, "between quotes"),
            ("\"a\\\\\\\"{{ name }}\"", 1, "between quotes"),
            ("{\"a{% if x %}\": 1{% endif %}}", 1, "between quotes"),
            ("{{ a", 1, "no end"),
            ("{{ '}}' ", 1, "no end"),
            ("\n\n{% autoescape false %}", 3, "no tag `autoescape`"),
            ("{% raw %}", 1, "no tag `raw`"),
            ("{% filter upper %}", 1, "no tag `filter`"),
            ("{% include 'x' %}", 1, "no tag `include`"),
            ("{% set x %}", 1, "no `=`"),
            ("{% set x = x ~ x %}", 1, "composed"),
            ("{%- set x = [x, x] %}", 1, "composed"),
            ("{% set x = (x, x) %}", 1, "composed"),
            ("{% set x = x, x %}", 1, "composed"),
            ("{% set x = {'a': x} %}", 1, "composed"),
            ("{% for y in [x, x] %}", 1, "composed"),
            ("{% for y in x if y in [x] %}", 1, "composed"),
            ("{% for y in x * 9 %}", 1, "composed"),
            ("{% for y in x recursive %}", 1, "recursive"),
            ("{% set x = a|default([b, b]) %}", 1, "composed"),
        ] {
            let flaw = scan(template, true).unwrap_err();
            assert_eq!(flaw.line, line, "{template}");
            assert!(flaw.cause.contains(cause), "{template}: {}", flaw.cause);
        }
        assert!(scan("{{ records * 9 }}", true).unwrap_err().cause.contains("`times`"));
        let slices = "{{ a[0:] }}{% for b in a[:2] %}{% endfor %}";
        assert_eq!(scan(&slices.repeat(8), true), Ok(()));
        assert!(scan(&slices.repeat(9), true).unwrap_err().cause.contains("16"));
        assert_eq!(scan(&"{{ {'a': b, 'c': {'d': e}} }}".repeat(20), true), Ok(()), "maps are no slices");
        let many = format!("{{{{ a{} }}}}", " ~ a".repeat(65));
        assert!(scan(&many, true).unwrap_err().cause.contains("65 operators"));
    }
}
