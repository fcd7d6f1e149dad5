//! The nearest known name to one that nobody knows, for errors about configuration.

use std::borrow::Cow;
use std::fmt;

use serde::de;

/// The known name that `unknown` was most likely meant to be, or `None` where none is near.
///
/// Case and separators do not count, a unit behind the name does not (`flush_interval_seconds` for `flush_interval`),
/// and about one letter in three may be wrong.
///
/// ```
/// use obs_core::suggest::nearest;
///
/// assert_eq!(nearest("flushIntervall", ["flush_interval", "path"]), Some("flush_interval"));
/// assert_eq!(nearest("colour", ["flush_interval", "path"]), None);
/// ```
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = plain(unknown);
    let near = known.into_iter().filter_map(|name| {
        let known = plain(name);
        let unit_behind = known.len() >= 3 && unknown.starts_with(&known);
        let distance = if unit_behind { 1 } else { distance(&unknown, &known) };
        (distance <= (unknown.len().max(known.len()) / 3).max(1)).then_some((distance, name))
    });
    near.min_by_key(|(distance, name)| (*distance, usize::MAX - name.len())).map(|(_, name)| name)
}

/// serde's message about an unknown field or variant, with the nearest name added; any other message as it stands.
///
/// ```
/// let said = obs_core::suggest::explain("unknown field `pth`, expected `path` or `sync`".into());
/// assert_eq!(said, "unknown field `pth`, did you mean `path`? Known: `path`, `sync`");
/// ```
pub fn explain(message: Cow<'_, str>) -> Cow<'_, str> {
    let Some((unknown, known, place)) = take_apart(&message) else { return message };
    let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let before = &message[..message.find(", expected ").unwrap_or(message.len())];
    match nearest(unknown, known.iter().copied()) {
        Some(name) => format!("{before}, did you mean `{name}`? Known: {names}{place}").into(),
        None => format!("{before}, known: {names}{place}").into(),
    }
}

/// [`explain`] over an error of deserialising, for a config struct's `Deserialize`.
///
/// ```
/// use serde::{Deserialize, Deserializer};
///
/// #[derive(Debug, Deserialize)]
/// #[serde(remote = "Self", deny_unknown_fields)]
/// struct FileConfig {
///     path: String,
/// }
///
/// impl<'de> Deserialize<'de> for FileConfig {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         Self::deserialize(deserializer).map_err(obs_core::suggest::error)
///     }
/// }
///
/// let error = serde_json::from_str::<FileConfig>(r#"{"pth": "a"}"#).unwrap_err();
/// assert!(error.to_string().contains("did you mean `path`?"));
/// ```
pub fn error<E: de::Error + fmt::Display>(error: E) -> E {
    let message = error.to_string();
    match explain(Cow::Borrowed(&message)) {
        Cow::Borrowed(_) => error,
        Cow::Owned(explained) => E::custom(explained),
    }
}

/// [`error`], with what to write instead of names that are no longer used.
///
/// Each pair is an old name, and what stands for it now.
pub fn error_renamed<E: de::Error + fmt::Display>(unexplained: E, renamed: &[(&str, &str)]) -> E {
    let message = unexplained.to_string();
    let known = take_apart(&message).map(|(unknown, ..)| unknown);
    match renamed.iter().find(|(old, _)| known == Some(old)) {
        Some((old, now)) => {
            let what = if message.contains("unknown variant") { "variant" } else { "field" };
            E::custom(format!("unknown {what} `{old}`: write {now} instead"))
        }
        None => error(unexplained),
    }
}

/// What to say of an option of delivery that an exporter is asked for.
pub const LANE: &str = "it belongs to the lane that holds the exporter, not to the exporter";

/// An error of an exporter's config, with what to do instead of options that other clients have.
///
/// Each pair is a name, and what to do instead, such as [`LANE`]; any other error stays as it is.
///
/// ```
/// use obs_core::suggest::{LANE, error_elsewhere};
/// use serde::de::{Error, value::Error as AnyError};
///
/// let error = AnyError::custom("unknown field `batch_size`, did you mean `base`?");
/// let error: AnyError = error_elsewhere(error, &[("batch_size", LANE)]);
/// assert!(error.to_string().starts_with("unknown field `batch_size`: it belongs to the lane"));
/// ```
pub fn error_elsewhere<E: de::Error + fmt::Display>(error: E, elsewhere: &[(&str, &str)]) -> E {
    let message = error.to_string();
    let named = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    match elsewhere.iter().find(|(name, _)| named == Some(name)) {
        Some((name, instead)) => E::custom(format!("unknown field `{name}`: {instead}")),
        None => error,
    }
}

/// The unknown name, the known ones, and the place that some formats append.
fn take_apart(message: &str) -> Option<(&str, Vec<&str>, &str)> {
    let at = message.find("unknown field `").or_else(|| message.find("unknown variant `"))?;
    let (head, expected) = message[at..].split_once(", expected ")?;
    let unknown = head.split('`').nth(1)?;
    let end = expected.rfind('`')? + 1;
    let known = expected[..end].split('`').skip(1).step_by(2).collect();
    Some((unknown, known, &expected[end..]))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["path", "sync", "flush", "flush_interval", "max_line_bytes"];

    #[track_caller]
    fn suggests(unknown: &str, name: Option<&str>) {
        assert_eq!(nearest(unknown, KNOWN), name, "{unknown}");
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        suggests("pth", Some("path"));
        suggests("paht", Some("path"));
        suggests("Path", Some("path"));
        suggests("flushInterval", Some("flush_interval"));
        suggests("flush_interval_seconds", Some("flush_interval"));
        suggests("max-line-byte", Some("max_line_bytes"));
        suggests("endpoint", None);
        suggests("", None);
    }

    #[test]
    fn an_old_name_is_answered_with_the_new_one() {
        let message = "unknown field `dlq`, expected `path` or `sync`";
        let of =
            |renamed| error_renamed(<de::value::Error as de::Error>::custom(message), renamed).to_string();
        assert_eq!(of(&[("dlq", "`dead_letters`")]), "unknown field `dlq`: write `dead_letters` instead");
        assert_eq!(of(&[]), "unknown field `dlq`, known: `path`, `sync`");
    }

    #[test]
    fn messages_are_explained_and_keep_their_place() {
        let explained = |text| explain(Cow::Borrowed(text)).into_owned();
        assert_eq!(
            explained("unknown field `pth`, expected one of `path`, `sync`, `flush` at line 1 column 7"),
            "unknown field `pth`, did you mean `path`? Known: `path`, `sync`, `flush` at line 1 column 7"
        );
        assert_eq!(
            explained("unknown variant `x`, expected `stdout`"),
            "unknown variant `x`, known: `stdout`"
        );
        for other in ["missing field `path`", "unknown field `x`, there are no fields", ""] {
            assert_eq!(explained(other), other);
        }
    }
}
