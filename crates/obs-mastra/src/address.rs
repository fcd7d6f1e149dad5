//! Where the routes are.

use crate::pack::Route;

/// The platform's collector.
pub(crate) const PLATFORM: &str = "https://observability.mastra.ai";

/// How the full address of the route for spans ends.
const SPANS: &str = "/spans/publish";

/// The base of all routes, and what stands before each route's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// What the client is made for.
    pub(crate) base: String,
    /// The path from there to the routes.
    prefix: String,
}

impl Address {
    /// Of the configured endpoint, which may be the full address of the route for spans; then that counts as it is.
    pub(crate) fn of(endpoint: &str, project_id: Option<&str>) -> Self {
        let endpoint = bare(endpoint);
        if let Some(base) = endpoint.strip_suffix(SPANS) {
            return Self { base: base.to_owned(), prefix: String::new() };
        }
        let project = project_id.map(|id| format!("/projects/{id}")).unwrap_or_default();
        Self { base: endpoint.to_owned(), prefix: format!("{project}/ai") }
    }

    pub(crate) fn path(&self, route: Route) -> String {
        format!("{}/{}/publish", self.prefix, route.name())
    }
}

fn bare(endpoint: &str) -> &str {
    endpoint.trim().trim_end_matches('/')
}

/// Whether the endpoint is the full address of the route for spans, and of another project than this one or of none.
pub(crate) fn misses(endpoint: &str, project_id: &str) -> bool {
    let endpoint = bare(endpoint);
    endpoint.ends_with(SPANS) && !endpoint.contains(&format!("/projects/{project_id}/"))
}

/// Whether an id can be a part of a path as it stands: letters, digits, `-` and `_`, as Mastra has it.
pub(crate) fn is_project_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(endpoint: &str, project_id: Option<&str>, route: Route) -> String {
        let address = Address::of(endpoint, project_id);
        format!("{}{}", address.base, address.path(route))
    }

    #[test]
    fn routes_follow_from_the_endpoint_and_the_project() {
        let host = "https://observability.mastra.ai";
        for (endpoint, project, told) in [
            (PLATFORM, None, format!("{host}/ai/logs/publish")),
            (PLATFORM, Some("p_1"), format!("{host}/projects/p_1/ai/logs/publish")),
            (
                "https://observability.mastra.ai///",
                Some("p_1"),
                format!("{host}/projects/p_1/ai/logs/publish"),
            ),
            ("https://own.example/mastra/", None, "https://own.example/mastra/ai/logs/publish".into()),
            ("https://own.example/x/spans/publish", None, "https://own.example/x/logs/publish".into()),
            (
                " https://own.example/x/spans/publish/ ",
                Some("p"),
                "https://own.example/x/logs/publish".into(),
            ),
        ] {
            assert_eq!(whole(endpoint, project, Route::Logs), told, "{endpoint}");
        }
        for route in [Route::Spans, Route::Logs, Route::Metrics, Route::Scores, Route::Feedback] {
            assert_eq!(whole(PLATFORM, None, route), format!("{host}/ai/{}/publish", route.name()));
        }
    }

    #[test]
    fn an_id_is_a_part_of_a_path_and_nothing_more() {
        for id in ["a", "A-1_b", "0"] {
            assert!(is_project_id(id), "{id}");
        }
        for id in ["", "..", "a/b", "a b", "a%2fb", "ä", "a?b", "a#", "a\n"] {
            assert!(!is_project_id(id), "{id}");
        }
    }

    #[test]
    fn a_full_address_is_held_against_the_project() {
        assert!(misses("https://h/ai/spans/publish", "p"));
        assert!(misses("https://h/projects/q/ai/spans/publish/", "p"));
        assert!(!misses("https://h/projects/p/ai/spans/publish", "p"));
        assert!(!misses("https://h", "p"));
    }
}
