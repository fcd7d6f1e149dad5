//! What the environment says, in the words of LangSmith's SDKs.

use obs_core::{Env, Error};
use obs_http::Compression;

use crate::LangsmithConfig;

impl LangsmithConfig {
    /// Reads the variables of LangSmith's SDKs, each as `LANGSMITH_…` and then as `LANGCHAIN_…`: `API_KEY`, `ENDPOINT`,
    /// `PROJECT` and then `SESSION`, `WORKSPACE_ID`, `HIDE_INPUTS`, `HIDE_OUTPUTS`, `DISABLE_RUN_COMPRESSION`.
    ///
    /// # Errors
    /// A configuration error that names the variable that is missing or cannot be read.
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
        let key = env.required(&["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"], "an API key of LangSmith")?;
        let mut config = Self::new(key);
        if let Some(endpoint) = env.first(&["LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"])? {
            config.http.endpoint = endpoint;
        }
        let projects = ["LANGSMITH_PROJECT", "LANGCHAIN_PROJECT", "LANGSMITH_SESSION", "LANGCHAIN_SESSION"];
        if let Some(project) = env.first(&projects)? {
            config.project = project;
        }
        config.workspace_id = env.first(&["LANGSMITH_WORKSPACE_ID", "LANGCHAIN_WORKSPACE_ID"])?;
        config.hide_inputs = switch(env, "HIDE_INPUTS")?;
        config.hide_outputs = switch(env, "HIDE_OUTPUTS")?;
        if switch(env, "DISABLE_RUN_COMPRESSION")? {
            config.http.compression = Some(Compression::None);
        }
        Ok(config)
    }
}

/// A switch under either of its names.
fn switch(env: &Env, name: &str) -> Result<bool, Error> {
    for prefix in ["LANGSMITH", "LANGCHAIN"] {
        if let Some(on) = env.switch(&format!("{prefix}_{name}"))? {
            return Ok(on);
        }
    }
    Ok(false)
}
