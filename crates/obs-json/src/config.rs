//! What a user gives.

use std::path::PathBuf;

use obs_core::{Env, Error, suggest};
use serde::{Deserialize, Deserializer};

/// Where lines go; both the shape in a file and the builder.
///
/// Unknown options are refused with the nearest name.
///
/// ```
/// use obs_json::JsonConfig;
///
/// let config = JsonConfig::new("telemetry.jsonl").with_sync(true);
/// let error = serde_json::from_str::<JsonConfig>(r#"{"pth": "telemetry.jsonl"}"#).unwrap_err();
/// assert!(error.to_string().contains("did you mean `path`?"));
/// # drop(config);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonConfig {
    /// The file that lines are appended to; it is made with its folders if it is not there, readable by its owner only.
    /// Standard output by default.
    pub path: Option<PathBuf>,
    /// Whether `flush` waits until the disk has the lines, so that they survive a loss of power; off by default, since
    /// lines survive the end of the process without.
    pub sync: bool,
}

impl<'de> Deserialize<'de> for JsonConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

impl JsonConfig {
    /// Appends to this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::default()
    }

    /// Sets whether `flush` waits for the disk.
    #[must_use]
    pub fn with_sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Reads `OBS_JSON_PATH` and `OBS_JSON_SYNC`; without a path, lines go to standard output.
    ///
    /// # Errors
    /// A configuration error that names the variable whose value is no such thing.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with a prefix and an underscore before the names: `PROFILING_OBS_JSON_PATH`.
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
        let path = env.os("OBS_JSON_PATH").map(PathBuf::from);
        Ok(Self { path, sync: env.switch("OBS_JSON_SYNC")?.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_and_a_wrong_value_is_named() {
        let of = |variables: &[(&str, &str)]| Env::of(variables.iter().copied());
        let read = JsonConfig::from_vars(&of(&[("OBS_JSON_PATH", "a.jsonl"), ("OBS_JSON_SYNC", "true")]));
        assert_eq!(read.unwrap(), JsonConfig::new("a.jsonl").with_sync(true));
        let team = of(&[("TEAM_OBS_JSON_PATH", "b.jsonl")]).prefixed("TEAM");
        assert_eq!(JsonConfig::from_vars(&team).unwrap(), JsonConfig::new("b.jsonl"));
        assert_eq!(JsonConfig::from_vars(&of(&[("OBS_JSON_PATH", "")])).unwrap(), JsonConfig::stdout());
        let maybe = of(&[("TEAM_OBS_JSON_SYNC", "maybe")]).prefixed("TEAM");
        let error = JsonConfig::from_vars(&maybe).unwrap_err();
        assert_eq!(error.message(), "TEAM_OBS_JSON_SYNC: it is neither on nor off; set it to true or false");
    }
}
