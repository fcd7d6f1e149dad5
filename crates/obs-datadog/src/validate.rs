//! What is wrong with a configuration, before anything is sent.

use obs_core::Error;

use crate::config::KEY;
use crate::sites::{self, Site};
use crate::{DatadogConfig, Mode};

impl DatadogConfig {
    /// The site, where everything is as it should be.
    pub(crate) fn validate(&self) -> Result<&'static Site, Error> {
        let site = sites::of(&self.site)?;
        let agent = self.agent_url.is_some() || self.mode == Mode::OtlpAgent;
        if self.api_key.expose().trim().is_empty() && !agent {
            return Err(Error::config(
                KEY,
                "empty; set an API key of your organisation (Organization Settings, API Keys)",
            ));
        }
        Ok(site)
    }
}
