//! The platform's variables.

use obs_core::{Env, Error};

use crate::MastraConfig;

/// Reads what is set; the token must be.
pub(crate) fn read(env: &Env) -> Result<MastraConfig, Error> {
    let token = env.required(
        &["MASTRA_PLATFORM_ACCESS_TOKEN", "MASTRA_CLOUD_ACCESS_TOKEN"],
        "an access token of the Mastra platform",
    )?;
    let mut config = MastraConfig::new(token);
    config.project_id = env.text("MASTRA_PROJECT_ID")?;
    let endpoints = ["MASTRA_CLOUD_TRACES_ENDPOINT", "MASTRA_PLATFORM_OBSERVABILITY_ENDPOINT"];
    if let Some(endpoint) = env.first(&endpoints)? {
        config = config.with_endpoint(endpoint);
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<MastraConfig, Error> {
        MastraConfig::from_vars(&Env::of(variables.iter().copied()))
    }

    #[test]
    fn every_variable_reaches_its_option_and_the_first_of_two_counts() {
        let cloud = ("MASTRA_CLOUD_ACCESS_TOKEN", "token-cloud");
        assert_eq!(of(&[cloud]).unwrap(), MastraConfig::new("token-cloud"));
        let own = ("MASTRA_PLATFORM_ACCESS_TOKEN", "token-1");
        let platform = ("MASTRA_PLATFORM_OBSERVABILITY_ENDPOINT", "https://b.example.com");
        let wanted = MastraConfig::new("token-1").with_project_id("p-1");
        let project = ("MASTRA_PROJECT_ID", "p-1");
        assert_eq!(
            of(&[cloud, own, project, platform]).unwrap(),
            wanted.clone().with_endpoint("https://b.example.com")
        );
        let traces = ("MASTRA_CLOUD_TRACES_ENDPOINT", "https://a.example.com/ai/spans/publish");
        assert_eq!(
            of(&[own, project, platform, traces]).unwrap(),
            wanted.with_endpoint("https://a.example.com/ai/spans/publish")
        );
    }

    #[test]
    fn a_missing_token_is_named_and_so_is_its_prefix() {
        let none: [(&str, &str); 0] = [];
        let error = MastraConfig::from_vars(&Env::of(none).prefixed("STAGING")).unwrap_err();
        assert!(error.message().starts_with("STAGING_MASTRA_PLATFORM_ACCESS_TOKEN"), "{error}");
    }
}
