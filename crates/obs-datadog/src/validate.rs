//! What is wrong with a configuration, before anything is sent.

use obs_core::{Error, Secret, Str};
use obs_http::{Auth, Compression};

use crate::config::KEY;
use crate::sites::{self, Site};
use crate::{Address, DatadogConfig, Mode};

/// The most characters of an application's name.
const MAX_ML_APP: usize = 193;

/// The most characters of a tag.
const MAX_TAG: usize = 200;

impl DatadogConfig {
    /// The site, where everything is as it should be.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub(crate) fn validate(&self) -> Result<&'static Site, Error> {
        let site = sites::of(&self.site)?;
        self.check_key()?;
        if self.mode == Mode::Llmobs && !site.llmobs {
            let message = format!(
                "llmobs: {} has no LLM Observability; set otlp_agent, which sends traces to APM (scores and feedback are \
                 then not taken)",
                site.name
            );
            return Err(Error::config("mode", message));
        }
        if let Some(app) = &self.ml_app {
            check_ml_app(app)?;
        }
        if self.official_client && !cfg!(feature = "official-client") {
            let next =
                "set, and that client is not built in; build obs-datadog with the feature official-client";
            return Err(Error::config("official_client", next));
        }
        self.check_addresses()?;
        self.check_names()?;
        Ok(site)
    }

    fn check_key(&self) -> Result<(), Error> {
        let is_empty = |key: &Secret| key.expose().trim().is_empty();
        let by_agent = match self.mode {
            Mode::Llmobs => self.agent_url.is_some(),
            Mode::OtlpAgent => true,
            Mode::OtlpIntake => false,
        };
        if is_empty(&self.api_key) && !by_agent {
            let next =
                "empty; set an API key of your organisation (Organization Settings, API Keys), or agent_url";
            return Err(Error::config(KEY, next));
        }
        if self.app_key.as_ref().is_some_and(is_empty) {
            return Err(Error::config(
                "`app_key` (DD_APP_KEY)",
                "empty; leave it out: nothing sent here needs one",
            ));
        }
        if self.http.auth != Auth::None {
            return Err(Error::config("auth", "Datadog takes a key; set api_key instead"));
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), Error> {
        let is_socket = |url: &Address| url.as_str().trim_start().starts_with("unix:");
        if self.agent_url.as_ref().is_some_and(is_socket) {
            return Err(Error::config(
                "agent_url",
                "a socket of the file system, which is not spoken; set http://HOST:8126, or with a key none (DD_LLMOBS_AGENTLESS_ENABLED=1)",
            ));
        }
        let given = self.otlp_endpoint.is_some();
        match self.mode {
            Mode::OtlpIntake if !given => Err(Error::config(
                "otlp_endpoint",
                "missing; set the address that Datadog's page on its OTLP intake for traces shows for your site",
            )),
            Mode::Llmobs if given => Err(Error::config(
                "otlp_endpoint",
                "set, and mode is llmobs; set mode to otlp_agent or otlp_intake",
            )),
            Mode::Llmobs | Mode::OtlpAgent if self.otlp_source.is_some() => Err(Error::config(
                "otlp_source",
                "it is a header of Datadog's own intake; set mode to otlp_intake",
            )),
            _ => self.check_compression(),
        }
    }

    fn check_compression(&self) -> Result<(), Error> {
        match self.http.compression {
            Some(Compression::Zstd) => Err(Error::config(
                "compression",
                "none of the intakes is documented to take zstd; set gzip, deflate or none",
            )),
            _ => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), Error> {
        let apm = &self.apm_config;
        let twice = [
            ("service", &self.service, &apm.service),
            ("env", &self.env, &apm.env),
            ("version", &self.version, &apm.version),
        ];
        for (name, own, apm) in twice {
            if own.as_ref().zip(apm.as_ref()).is_some_and(|(own, apm)| own != apm) {
                let next = format!("it differs from {name}; set one of the two");
                return Err(Error::config(&format!("apm_config.{name}"), next));
            }
        }
        if self.ddsource.trim().is_empty() {
            return Err(Error::config(
                "ddsource",
                "empty; set the name of a pipeline, or leave it out for `obs`",
            ));
        }
        check_tags("tags", &self.tags)
    }

    pub(crate) fn unified_service(&self) -> Option<&str> {
        either(self.service.as_ref(), self.apm_config.service.as_ref())
    }

    pub(crate) fn unified_env(&self) -> Option<&str> {
        either(self.env.as_ref(), self.apm_config.env.as_ref())
    }

    pub(crate) fn unified_version(&self) -> Option<&str> {
        either(self.version.as_ref(), self.apm_config.version.as_ref())
    }
}

fn either<'a>(own: Option<&'a Str>, apm: Option<&'a Str>) -> Option<&'a str> {
    own.or(apm).map(Str::as_str)
}

/// Checks tags of the configuration.
///
/// # Errors
/// A configuration error that names the field and the tag.
pub(crate) fn check_tags(field: &str, tags: &[String]) -> Result<(), Error> {
    for tag in tags {
        let tag = tag.trim();
        let cause = if tag.is_empty() {
            "an empty tag; leave it out".to_owned()
        } else if tag.contains(',') {
            format!("\"{tag}\" has a comma, which stands between tags; write a list of tags")
        } else if tag.chars().count() > MAX_TAG {
            format!("a tag of more than {MAX_TAG} characters, where Datadog cuts it; shorten it")
        } else {
            continue;
        };
        return Err(Error::config(field, cause));
    }
    Ok(())
}

/// Whether it is a name that Datadog takes for an application.
fn check_ml_app(app: &str) -> Result<(), Error> {
    let app = app.trim();
    let cause = if app.is_empty() {
        "empty; set a name, or leave it out".to_owned()
    } else if app.chars().count() > MAX_ML_APP {
        format!("{} characters, where {MAX_ML_APP} are the most", app.chars().count())
    } else if as_ml_app(app) != app {
        format!(
            "\"{app}\" is no name of an application: lower-case letters, digits and _-:./ without two underscores in a row or \
             one at the end; write \"{}\"",
            as_ml_app(app)
        )
    } else {
        return Ok(());
    };
    Err(Error::config("`ml_app` (DD_LLMOBS_ML_APP)", cause))
}

/// A name as one of an application.
pub(crate) fn as_ml_app(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || "-:./".contains(c);
    let mut app = String::new();
    for c in name.trim().to_lowercase().chars().take(MAX_ML_APP) {
        if fits(c) {
            app.push(c);
        } else if !app.ends_with('_') {
            app.push('_');
        }
    }
    let app = app.trim_end_matches('_');
    if app.is_empty() { "obs".to_owned() } else { app.to_owned() }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;
    use proptest::prelude::*;

    use super::*;
    use crate::ApmConfig;

    fn refused(config: &DatadogConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    fn key() -> DatadogConfig {
        DatadogConfig::new("key-1")
    }

    #[test]
    fn what_is_wrong_is_named_with_the_next_step() {
        assert!(key().validate().is_ok());
        for (config, expected) in [
            (DatadogConfig::new(" "), "DD_API_KEY"),
            (
                DatadogConfig::new("").with_mode(Mode::OtlpIntake).with_otlp_endpoint("https://h"),
                "DD_API_KEY",
            ),
            (key().with_app_key(""), "DD_APP_KEY"),
            (key().with_site("datadoghq.con"), "site: "),
            (key().with_ml_app("Support"), "write \"support\""),
            (key().with_ml_app("a__b_"), "write \"a_b\""),
            (key().with_ml_app("a".repeat(194)), "193 are the most"),
            (key().with_agent_url("unix:///var/run/datadog/apm.socket"), "DD_LLMOBS_AGENTLESS_ENABLED=1"),
            (key().with_mode(Mode::OtlpIntake), "otlp_endpoint: missing"),
            (key().with_otlp_endpoint("http://h:4318"), "set mode to otlp_agent"),
            (key().with_otlp_source("llmobs"), "otlp_source: "),
            (key().with_tags([""]), "tags: an empty tag"),
            (key().with_tags(["a:1,b:2"]), "tags: \"a:1,b:2\" has a comma"),
            (key().with_ddsource(" "), "ddsource: empty"),
            (key().with_service("a").with_apm_config(ApmConfig::new("b", "e", "v")), "apm_config.service"),
            (key().with_http(HttpConfig::default().with_compression(Compression::Zstd)), "compression: "),
            (key().with_http(HttpConfig::default().with_auth(Auth::bearer("t"))), "set api_key"),
        ] {
            let told = refused(&config);
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }

    #[test]
    fn an_agent_needs_no_key() {
        assert!(DatadogConfig::agent("http://localhost:8126").validate().is_ok());
        assert!(DatadogConfig::default().with_mode(Mode::OtlpAgent).validate().is_ok());
    }

    #[test]
    fn llm_observability_is_refused_on_government_sites_with_the_hint() {
        for site in ["ddog-gov.com", "us2.ddog-gov.com"] {
            let told = refused(&key().with_site(site));
            assert!(
                told.contains("mode: llmobs") && told.contains(site) && told.contains("otlp_agent"),
                "{told}"
            );
            assert!(key().with_site(site).with_mode(Mode::OtlpAgent).validate().is_ok());
        }
    }

    proptest! {
        #[test]
        fn every_service_makes_an_application_s_name(service in ".{0,250}") {
            let app = as_ml_app(&service);
            prop_assert!(check_ml_app(&app).is_ok(), "{}", app);
            prop_assert_eq!(as_ml_app(&app), app);
        }
    }
}
