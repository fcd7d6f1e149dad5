//! What a user gives.

use std::path::PathBuf;

use obs_core::{Env, Error};
use serde::{Deserialize, Deserializer};

/// Where requests go; both the shape in a file and the builder.
///
/// An unknown field is refused with the nearest name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct NewrelicConfig {
    /// The file that requests are appended to, one on each line; it stands in for the endpoint of the vendor.
    pub path: PathBuf,
}

impl NewrelicConfig {
    /// Appends requests to this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads `NEWRELIC_PATH`.
    ///
    /// # Errors
    /// A configuration error that names the variable when it is not set.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with `PREFIX_` before each variable's name.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        env.required(&["NEWRELIC_PATH"], "the file to write to").map(Self::new)
    }
}

impl<'de> Deserialize<'de> for NewrelicConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(obs_core::suggest::error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_a_missing_variable_is_named() {
        let found = NewrelicConfig::from_vars(&Env::of([("NEWRELIC_PATH", "a.jsonl")]));
        assert_eq!(found.unwrap(), NewrelicConfig::new("a.jsonl"));
        let none: [(&str, &str); 0] = [];
        let error = NewrelicConfig::from_vars(&Env::of(none)).unwrap_err();
        assert_eq!(error.message(), "NEWRELIC_PATH: not set; set it to the file to write to");
    }
}
