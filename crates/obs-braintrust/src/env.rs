//! The vendor's variables.

use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{Env, Error};

use crate::BraintrustConfig;

/// Reads what is set; the key must be.
pub(crate) fn read(env: &Env) -> Result<BraintrustConfig, Error> {
    let key =
        env.required(&["BRAINTRUST_API_KEY"], "an API key of your organisation (Settings, API keys)")?;
    let mut config = BraintrustConfig::new(key);
    if let Some(endpoint) = env.first(&["BRAINTRUST_API_URL", "BRAINTRUST_ENDPOINT"])? {
        config = config.with_endpoint(endpoint);
    }
    if let Some(app_url) = env.text("BRAINTRUST_APP_URL")? {
        config = config.with_app_url(app_url);
    }
    config.org_name = env.text("BRAINTRUST_ORG_NAME")?;
    config = match env.text("BRAINTRUST_PARENT")? {
        Some(parent) => below(config, &parent).ok_or_else(|| {
            let message =
                "it is no parent; set it to project_name:NAME, project_id:UUID or experiment_id:UUID";
            Error::config(&env.name("BRAINTRUST_PARENT"), message)
        })?,
        None => by_default(config, env)?,
    };
    let seconds = "a number of seconds, such as 10 or 2.5";
    if let Some(timeout) = env.parsed::<f64>("BRAINTRUST_HTTP_TIMEOUT", seconds)? {
        config.http.timeout = Duration::try_from_secs_f64(timeout).map_err(|_| {
            Error::config(&env.name("BRAINTRUST_HTTP_TIMEOUT"), format!("it is no time; set it to {seconds}"))
        })?;
    }
    if let Some(bytes) = env.parsed::<u64>("BRAINTRUST_MAX_REQUEST_SIZE", "a number of bytes")? {
        config.max_request_size = Bytes::new(bytes);
    }
    config.environment_name = env.text("BRAINTRUST_ENVIRONMENT_NAME")?;
    config.environment_type = env.text("BRAINTRUST_ENVIRONMENT_TYPE")?;
    Ok(config)
}

/// What `BRAINTRUST_PARENT` says.
fn below(config: BraintrustConfig, parent: &str) -> Option<BraintrustConfig> {
    let (kind, name) = parent.split_once(':')?;
    let name = Some(name.trim()).filter(|name| !name.is_empty())?;
    Some(match kind.trim() {
        "project_name" => config.with_project(name),
        "project_id" => config.with_project_id(name),
        "experiment_id" => config.with_experiment_id(name),
        _ => return None,
    })
}

/// What some of Braintrust's clients read in place of a parent.
fn by_default(mut config: BraintrustConfig, env: &Env) -> Result<BraintrustConfig, Error> {
    config.project_id = env.text("BRAINTRUST_DEFAULT_PROJECT_ID")?;
    if let Some(project) = env.text("BRAINTRUST_DEFAULT_PROJECT_NAME")? {
        config.project = project;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "9d978f09-ab2c-4bce-88d5-15c7522fd2ff";

    fn of(variables: &[(&str, &str)]) -> Result<BraintrustConfig, Error> {
        let key = [("BRAINTRUST_API_KEY", "sk-1")];
        BraintrustConfig::from_vars(&Env::of(key.into_iter().chain(variables.iter().copied())))
    }

    #[test]
    fn every_variable_reaches_its_option() {
        let config = of(&[
            ("BRAINTRUST_API_URL", "https://data.example.com"),
            ("BRAINTRUST_ENDPOINT", "https://other.example.com"),
            ("BRAINTRUST_APP_URL", "https://app.example.com"),
            ("BRAINTRUST_ORG_NAME", "Acme"),
            ("BRAINTRUST_PARENT", "project_name: support"),
            ("BRAINTRUST_DEFAULT_PROJECT_NAME", "not this"),
            ("BRAINTRUST_HTTP_TIMEOUT", "2.5"),
            ("BRAINTRUST_MAX_REQUEST_SIZE", "1000000"),
            ("BRAINTRUST_ENVIRONMENT_NAME", "blue"),
            ("BRAINTRUST_ENVIRONMENT_TYPE", "ci"),
        ]);
        let mut wanted = BraintrustConfig::new("sk-1")
            .with_endpoint("https://data.example.com")
            .with_app_url("https://app.example.com")
            .with_org_name("Acme")
            .with_project("support")
            .with_max_request_size(1_000_000)
            .with_environment_name("blue")
            .with_environment_type("ci");
        wanted.http.timeout = Duration::from_millis(2_500);
        assert_eq!(config.unwrap(), wanted);
        let endpoint = of(&[("BRAINTRUST_ENDPOINT", "https://other.example.com")]).unwrap();
        assert_eq!(endpoint.http.endpoint, "https://other.example.com");
    }

    #[test]
    fn the_parent_is_a_project_or_an_experiment() {
        let parent = |parent: &str| of(&[("BRAINTRUST_PARENT", parent)]);
        assert_eq!(parent(&format!("project_id:{ID}")).unwrap().project_id.as_deref(), Some(ID));
        assert_eq!(parent(&format!("experiment_id:{ID}")).unwrap().experiment_id.as_deref(), Some(ID));
        for wrong in ["support", "project_name:", "span:x"] {
            assert!(parent(wrong).unwrap_err().message().starts_with("BRAINTRUST_PARENT: "), "{wrong}");
        }
        let id =
            of(&[("BRAINTRUST_DEFAULT_PROJECT_ID", ID), ("BRAINTRUST_DEFAULT_PROJECT_NAME", "a")]).unwrap();
        assert_eq!((id.project_id.as_deref(), &*id.project), (Some(ID), "a"));
    }

    #[test]
    fn a_missing_key_and_an_unreadable_number_are_named() {
        let none: [(&str, &str); 0] = [];
        let error = BraintrustConfig::from_vars(&Env::of(none).prefixed("PROFILING")).unwrap_err();
        assert!(error.message().starts_with("PROFILING_BRAINTRUST_API_KEY: not set"), "{error}");
        for (name, value) in [("BRAINTRUST_HTTP_TIMEOUT", "-1"), ("BRAINTRUST_MAX_REQUEST_SIZE", "6MiB")] {
            assert!(of(&[(name, value)]).unwrap_err().message().starts_with(name));
        }
    }
}
