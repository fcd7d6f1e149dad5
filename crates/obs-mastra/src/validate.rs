//! What a configuration must say.

use obs_core::Error;
use obs_http::Auth;

use crate::MastraConfig;
use crate::address::{is_project_id, misses};

/// The least that `max_request_size` may be: a record of many texts must still fit when they are cut.
const LEAST_REQUEST: u64 = 64 << 10;

impl MastraConfig {
    /// Checks everything but the address, which the client checks.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.access_token.expose().trim().is_empty() {
            return Err(Error::config(
                "access_token",
                "empty; set it, or MASTRA_PLATFORM_ACCESS_TOKEN, to an access token of the platform",
            ));
        }
        if self.http.auth != Auth::None {
            return Err(Error::config(
                "auth",
                "the platform wants its token; set access_token, and leave auth out",
            ));
        }
        if let Some(id) = &self.project_id {
            if !is_project_id(id) {
                return Err(Error::config(
                    "project_id",
                    "no id of a project; take the one of its settings: letters, digits, `-` and `_`",
                ));
            }
            if misses(&self.http.endpoint, id) {
                return Err(Error::config(
                    "project_id",
                    "`endpoint` is a full address, and not one of this project; set the origin there, or remove this",
                ));
            }
        }
        if self.max_request_size.get() < LEAST_REQUEST {
            return Err(Error::config("max_request_size", "less than 64KiB; set at least that much"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use obs_http::HttpConfig;

    use super::*;

    fn refused(config: &MastraConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_the_next_step() {
        let token = || MastraConfig::new("token-1");
        assert_eq!(token().validate().map_err(|error| error.to_string()), Ok(()));
        assert!(refused(&MastraConfig::new(" ")).contains("MASTRA_PLATFORM_ACCESS_TOKEN"));
        for id in ["", "a/b", "../x"] {
            assert!(refused(&token().with_project_id(id)).starts_with("project_id: no id"), "{id}");
        }
        let full = "https://h.example/ai/spans/publish";
        let other = token().with_project_id("p").with_endpoint(full);
        assert!(refused(&other).starts_with("project_id: `endpoint` is a full address"));
        assert!(token().with_endpoint(full).validate().is_ok());
        let auth = token().with_http(HttpConfig::default().with_auth(Auth::bearer("t")));
        assert!(refused(&auth).contains("set access_token"));
        assert!(refused(&token().with_max_request_size(7)).contains("64KiB"));
    }
}
