//! Whether a value behind a sensitive name could be a secret.

use super::{Name, Separator};
use crate::names::is_one_of;
use crate::values::is_mixed;

/// How much a name proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// In quotes, as in JSON.
    Certain,
    Strong,
    /// A common word.
    Weak,
    /// So common a word that only long random text behind it counts.
    Faint,
    None,
}

/// How a bare name and its value stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `NAME=value`.
    Variable,
    /// `name=value` in a log line or a query.
    Pair,
    /// `name = value`, `name: value`, or an argument in code.
    Loose,
}

impl Form {
    pub(super) fn of(text: &str, name: &Name<'_>, separator: Separator, tight: bool) -> Self {
        if !tight || !separator.equals {
            return Self::Loose;
        }
        let before = text.as_bytes()[..name.start].iter().rev().find(|b| !b.is_ascii_whitespace());
        match before {
            Some(b'(' | b',' | b'[') => Self::Loose,
            _ if name.is_variable() => Self::Variable,
            _ => Self::Pair,
        }
    }
}

/// Schemes of the header `Authorization` that one credential follows.
pub(super) const SCHEMES: &[&str] = &["basic", "bearer", "token", "apikey", "negotiate", "bot", "key"];

/// Words that stand for the absence of a value or for one to be filled in.
const PLACEHOLDERS: &[&str] = &[
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "empty",
    "unset",
    "redacted",
    "string",
    "str",
    "required",
    "optional",
    "bool",
    "bytes",
];

/// A bare value behind a name in quotes: numbers are, and so is anything but a word, such as `null`.
pub(super) fn member_is_secret(value: &str) -> bool {
    is_mixed(value) || value.starts_with(|c: char| c.is_ascii_digit() || c == '-') && value != "-"
}

pub(super) fn quoted_is_secret(strength: Strength, name: &str, value: &str) -> bool {
    match strength {
        Strength::Certain => !value.is_empty(),
        Strength::Strong => !value.is_empty() && !is_placeholder(value) && !mentions(value, name),
        Strength::Weak => value.len() >= 8 && is_random_word(value),
        Strength::Faint => value.len() >= 20 && is_random_word(value),
        Strength::None => false,
    }
}

/// What follows the scheme in a header `Authorization`.
pub(super) fn credential_is_secret(value: &str) -> bool {
    let prose = [
        "token",
        "tokens",
        "auth",
        "authentication",
        "authorization",
        "credentials",
        "scheme",
        "header",
        "is",
    ];
    !value.is_empty()
        && !is_placeholder(value)
        && !prose.contains(&value.trim_end_matches('.').to_ascii_lowercase().as_str())
}

pub(super) fn bare_is_secret(
    strength: Strength,
    form: Form,
    name: &Name<'_>,
    value: &str,
    next: Option<u8>,
) -> bool {
    let expression = matches!(next, Some(b'(' | b'[' | b'<' | b'{')) || value.contains("::");
    if is_placeholder(value) || (expression && form != Form::Variable) {
        return false;
    }
    let random =
        is_mixed(value) || (strength == Strength::Strong && value.bytes().any(|b| b.is_ascii_digit()));
    match (strength, form) {
        (Strength::None | Strength::Certain, _) => false,
        (Strength::Faint, _) => value.len() >= 20 && is_random_word(value),
        (Strength::Strong, Form::Variable) => value.len() >= 4,
        (Strength::Strong, Form::Pair) => value.len() >= 4 && (random || is_password(name, value)),
        (Strength::Strong, Form::Loose) => value.len() >= 6 && random,
        (Strength::Weak, Form::Variable | Form::Pair) => value.len() >= 6 && is_random_word(value),
        (Strength::Weak, Form::Loose) => value.len() >= 10 && is_random_word(value),
    }
}

/// A word without digits is a password where one is expected, unless it is the name of a variable that holds one.
fn is_password(name: &Name<'_>, value: &str) -> bool {
    let expected = ["password", "passwd", "pwd", "passphrase"].iter().any(|ending| name.ends_with(ending));
    let variable = mentions(value, name.text) || value.contains("pass") || value.contains(['_', '.']);
    expected && !variable
}

fn is_random_word(value: &str) -> bool {
    is_mixed(value)
        && !is_placeholder(value)
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | '{'))
}

/// Whether the value says its own name, as messages and variables do.
fn mentions(value: &str, name: &str) -> bool {
    value.to_ascii_lowercase().contains(&name.to_ascii_lowercase())
}

fn is_placeholder(value: &str) -> bool {
    let masked =
        !value.is_empty() && value.bytes().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'_'));
    let credential = value.split_once(' ').filter(|(scheme, _)| is_one_of(scheme, SCHEMES));
    let value = credential.map_or(value, |(_, credential)| credential);
    let reference = value.starts_with(['$', '%', '<', '{', '*', '@', '&', '.']);
    masked || reference || PLACEHOLDERS.iter().any(|word| value.eq_ignore_ascii_case(word))
}
