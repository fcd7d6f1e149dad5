//! Variables of the environment, as configs read them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Where a config finds its variables: the process's environment, or a table in a test.
///
/// A variable that is set to nothing counts as not set, as OpenTelemetry has it.
///
/// ```
/// use obs_core::Env;
///
/// let env = Env::of([("PROFILING_ACME_API_KEY", "key-1"), ("PROFILING_ACME_URL", "")]).prefixed("PROFILING");
/// assert_eq!(env.text("ACME_API_KEY")?.as_deref(), Some("key-1"));
/// assert_eq!(env.text("ACME_URL")?, None);
/// let error = env.required(&["ACME_ORG"], "the organisation's id").unwrap_err();
/// assert_eq!(error.message(), "PROFILING_ACME_ORG: not set; set it to the organisation's id");
/// # Ok::<(), obs_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Env {
    prefix: String,
    /// `None` is the process's own.
    table: Option<BTreeMap<String, String>>,
}

impl Env {
    /// The environment of this process.
    pub fn process() -> Self {
        Self { prefix: String::new(), table: None }
    }

    /// These variables and no others.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let table = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { prefix: String::new(), table: Some(table) }
    }

    /// The same, with `PREFIX_` before every name; an empty prefix changes nothing.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        if !prefix.is_empty() {
            self.prefix = format!("{}{prefix}_", self.prefix);
        }
        self
    }

    /// The whole name of a variable, for messages.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A variable's value in the system's form, such as a path.
    pub fn os(&self, name: &str) -> Option<OsString> {
        let name = self.name(name);
        let value = match &self.table {
            Some(table) => table.get(&name).map(OsString::from),
            None => std::env::var_os(name),
        };
        value.filter(|value| !value.is_empty())
    }

    /// A variable's text without the space around it, or `None` where it is not set.
    ///
    /// # Errors
    /// A configuration error that names the variable where it is no Unicode.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(value) = self.os(name) else { return Ok(None) };
        match value.into_string() {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(_) => Err(Error::config(&self.name(name), "it is no UTF-8; set it to plain text")),
        }
    }

    /// The first of these variables that is set.
    ///
    /// # Errors
    /// As [`Env::text`].
    pub fn first(&self, names: &[&str]) -> Result<Option<String>, Error> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The first of these variables that is set; `what` says what the first should be set to.
    ///
    /// # Errors
    /// As [`Env::text`], and a configuration error that names the first variable where none is set.
    pub fn required(&self, names: &[&str], what: &str) -> Result<String, Error> {
        if let Some(text) = self.first(names)? {
            return Ok(text);
        }
        let name = names.first().map(|name| self.name(name)).unwrap_or_default();
        Err(Error::config(&name, format!("not set; set it to {what}")))
    }

    /// A variable read as a number, a size or another type; `what` says what is meant.
    ///
    /// The value is not repeated, since it may be a credential that was set under the wrong name.
    ///
    /// # Errors
    /// As [`Env::text`], and a configuration error that names the variable where it cannot be read.
    pub fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| Error::config(&self.name(name), format!("it cannot be read; set it to {what}")))
    }

    /// A variable that is on or off: `true`, `1`, `yes`, `on`, `false`, `0`, `no`, `off`, in any case.
    ///
    /// # Errors
    /// As [`Env::parsed`].
    pub fn switch(&self, name: &str) -> Result<Option<bool>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(Error::config(&self.name(name), "it is neither on nor off; set it to true or false")),
        }
    }
}

/// Names only: values may be credentials.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.table.iter().flat_map(BTreeMap::keys).collect();
        f.debug_struct("Env").field("prefix", &self.prefix).field("names", &names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_wins_and_empty_is_not_set() {
        let env = Env::of([("A", " "), ("B", " two "), ("C", "three")]);
        assert_eq!(env.first(&["A", "B", "C"]).unwrap().as_deref(), Some("two"));
        assert_eq!(env.required(&["C", "B"], "x").unwrap(), "three");
        assert_eq!(env.first(&["A", "D"]).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_repeated() {
        let env = Env::of([("P_N", "sk-secret"), ("P_ON", "Yes"), ("P_SEVEN", "7")]).prefixed("P");
        let error = env.parsed::<u32>("N", "a number of records").unwrap_err();
        assert_eq!(error.message(), "P_N: it cannot be read; set it to a number of records");
        assert_eq!(env.parsed::<u32>("SEVEN", "a number").unwrap(), Some(7));
        assert_eq!((env.switch("ON").unwrap(), env.switch("OFF").unwrap()), (Some(true), None));
        assert!(!env.switch("N").unwrap_err().message().contains("sk-secret"));
    }

    #[test]
    fn law_6_debug_tells_names_and_no_values() {
        let told = format!("{:?}", Env::of([("KEY", "sk-secret")]));
        assert!(told.contains("KEY") && !told.contains("sk-secret"), "{told}");
    }

    #[test]
    fn the_process_is_read_without_a_table() {
        assert!(Env::process().os("PATH").is_some());
        assert_eq!(Env::process().prefixed("OBS_NO_SUCH").os("PATH"), None);
    }
}
