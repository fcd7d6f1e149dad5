//! What a user can set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use obs_core::units::{Bytes, duration};
use obs_core::{Env, Error, suggest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::location;

/// The variables that name the store, the first one that is set wins.
const VARIABLES: [&str; 2] = ["OBS_STORAGE", "MASTRA_OBSERVABILITY_STORAGE"];

/// The least `max_size`: an empty store takes some of it already.
const LEAST_SIZE: Bytes = Bytes::new(1_000_000);

/// Where a store lies and how much it keeps; both the shape in a file and the builder.
///
/// Unknown fields are refused with the nearest known name.
///
/// ```
/// use std::time::Duration;
/// use obs_store::StoreConfig;
///
/// let built = StoreConfig::new("obs.db").with_max_age(Duration::from_secs(30 * 24 * 3600)).with_max_size(500_000_000);
/// let read: StoreConfig = serde_json::from_str(r#"{ "path": "obs.db", "max_age": "30d", "max_size": "500MB" }"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreConfig {
    /// The file: a path, `sqlite://PATH` or `libsql://FILE`. It is made, with its folders, where it does not exist, and
    /// only its owner can read it.
    pub path: PathBuf,
    /// Removes traces whose last span began longer ago than this, with all that belongs to them, and other records by
    /// their time. Off by default: nothing is removed.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// Removes the oldest traces and other records while the file holds more than this, without the write-ahead log
    /// beside it; at least 1MB. Off by default: nothing is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<Bytes>,
}

impl StoreConfig {
    /// A store in this file that keeps everything.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_age: None, max_size: None }
    }

    /// Removes traces whose last span began longer ago than this.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Removes the oldest traces while the file holds more than this many bytes.
    #[must_use]
    pub fn with_max_size(mut self, size: impl Into<Bytes>) -> Self {
        self.max_size = Some(size.into());
        self
    }

    /// The store that `OBS_STORAGE`, else `MASTRA_OBSERVABILITY_STORAGE` names: a path, `sqlite://PATH` or
    /// `libsql://FILE`.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] naming the variable, where none is set or one names a server.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// Like [`StoreConfig::from_env`], with `PREFIX_` before each variable's name: `PROFILING_OBS_STORAGE`.
    ///
    /// # Errors
    /// As [`StoreConfig::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// Like [`StoreConfig::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`StoreConfig::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        let Some((name, value)) = VARIABLES.iter().find_map(|name| Some((name, env.os(name)?))) else {
            let message = "not set; set it to the path of a SQLite file, such as `obs.db`";
            return Err(Error::config(&env.name(VARIABLES[0]), message));
        };
        match value.to_str() {
            Some(text) => {
                location::parse(text).map(Self::new).map_err(|cause| Error::config(&env.name(name), cause))
            }
            None => Ok(Self::new(value)),
        }
    }

    /// Whether the values make sense together; the file is not looked at.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.path == Path::new("") {
            return Err(Error::config("path", "it is empty; name a file, such as `obs.db`"));
        }
        if self.max_age.is_some_and(|age| age.is_zero()) {
            return Err(Error::config(
                "max_age",
                "zero would remove everything at once; leave it out to keep all",
            ));
        }
        match self.max_size {
            Some(size) if size < LEAST_SIZE => {
                let message = format!("{size} is too little to work with; give it at least {LEAST_SIZE}");
                Err(Error::config("max_size", message))
            }
            _ => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for StoreConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer).map_err(suggest::error)?;
        Self::try_from(fields).map_err(D::Error::custom)
    }
}

/// The shape in a file, before it is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    path: String,
    #[serde(default, with = "duration::option")]
    max_age: Option<Duration>,
    #[serde(default)]
    max_size: Option<Bytes>,
}

impl TryFrom<Fields> for StoreConfig {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let path = location::parse(&fields.path).map_err(|cause| format!("path: {cause}"))?;
        Ok(Self { path, max_age: fields.max_age, max_size: fields.max_size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<StoreConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_and_the_builder_say_the_same() {
        let built = StoreConfig::new("a.db").with_max_age(Duration::from_hours(1)).with_max_size(2_000_000);
        assert_eq!(read(r#"{"path":"sqlite://a.db","max_age":"60m","max_size":"2MB"}"#).as_ref(), Ok(&built));
        let json = serde_json::to_string(&built).unwrap();
        assert_eq!(json, r#"{"path":"a.db","max_age":"1h","max_size":"2MB"}"#);
        assert_eq!(read(r#"{"path":"a.db"}"#), Ok(StoreConfig::new("a.db")));
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named_with_the_next_step() {
        for (json, parts) in [
            (r#"{"pth":"a.db","path":"a.db"}"#, ["`pth`", "did you mean `path`"]),
            (r#"{"path":"a.db","max_sise":"1GB"}"#, ["`max_sise`", "did you mean `max_size`"]),
            (
                r#"{"path":"a.db","retention_policy":1}"#,
                ["`retention_policy`", "`path`, `max_age`, `max_size`"],
            ),
            (r#"{"path":"a.db","max_age":30}"#, ["integer `30`", "\"30s\""]),
            (r#"{"path":"a.db","max_age":"30"}"#, ["units", "\"30s\""]),
            (r#"{"max_age":"30d"}"#, ["missing field", "path"]),
            (r#"{"path":"postgres://x/y"}"#, ["path: ", "name a file"]),
        ] {
            let error = read(json).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
    }

    #[test]
    fn the_environment_names_the_store_and_ours_wins() {
        let (ours, mastra) =
            (("OBS_STORAGE", "ours.db"), ("MASTRA_OBSERVABILITY_STORAGE", "libsql://mastra.db"));
        let read = |variables: &[(&str, &str)]| StoreConfig::from_vars(&Env::of(variables.iter().copied()));
        assert_eq!(read(&[mastra, ours]).unwrap(), StoreConfig::new("ours.db"));
        assert_eq!(read(&[mastra]).unwrap(), StoreConfig::new("mastra.db"));
        let prefixed = Env::of([("PROFILING_OBS_STORAGE", "p.db"), ours]).prefixed("PROFILING");
        assert_eq!(StoreConfig::from_vars(&prefixed).unwrap(), StoreConfig::new("p.db"));
        let error = read(&[("OBS_STORAGE", "")]).unwrap_err();
        assert!(error.message().starts_with("OBS_STORAGE: not set"), "{error}");
        let error = read(&[("OBS_STORAGE", "libsql://x.turso.io?authToken=hush")]).unwrap_err();
        assert!(error.message().starts_with("OBS_STORAGE: ") && !error.message().contains("hush"), "{error}");
    }

    #[test]
    fn senseless_values_are_refused() {
        for (config, field) in [
            (StoreConfig::new(""), "path"),
            (StoreConfig::new("a").with_max_age(Duration::ZERO), "max_age"),
            (StoreConfig::new("a").with_max_size(10), "max_size"),
        ] {
            assert!(config.validate().unwrap_err().message().starts_with(field));
        }
    }
}
