//! What is looked up once: the data plane, and the project.

use obs_core::{Error, Failure};
use obs_http::{Auth, Client, HttpConfig, Request};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::BraintrustConfig;
use crate::config::KEY;
use crate::ids::Place;
use crate::pack::Route;
use crate::policy::{LOOKUP, not_braintrust, of_lookup};

/// Where rows go.
#[derive(Debug)]
pub(crate) struct Plane {
    /// What requests to any of Braintrust's hosts are like.
    http: HttpConfig,
    /// The application, where it is asked for the data plane.
    app: Option<Client>,
    api: OnceCell<Api>,
    parent: Parent,
    project: OnceCell<Project>,
    org_name: Option<String>,
}

/// The data plane.
#[derive(Debug)]
struct Api {
    client: Client,
    org_name: Option<String>,
}

/// What rows are below.
#[derive(Debug, PartialEq, Eq)]
enum Parent {
    Project(String),
    ProjectId(Uuid),
    Experiment(Uuid),
}

/// A project; its name where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: Uuid,
    pub(crate) name: Option<String>,
}

#[derive(Serialize)]
struct NewProject<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_name: Option<&'a str>,
}

#[derive(Deserialize)]
struct Login {
    org_info: Vec<Org>,
}

#[derive(Deserialize)]
struct Org {
    name: String,
    #[serde(default)]
    api_url: Option<String>,
}

impl Plane {
    /// Of a valid configuration; nothing is sent.
    ///
    /// # Errors
    /// A configuration error for what is no address or header.
    pub(crate) fn new(config: &BraintrustConfig) -> Result<Self, Error> {
        let parent = match (&config.experiment_id, &config.project_id) {
            (Some(id), _) => Parent::Experiment(uuid("experiment_id", id)?),
            (None, Some(id)) => Parent::ProjectId(uuid("project_id", id)?),
            (None, None) => Parent::Project(config.project.trim().to_owned()),
        };
        let mut http = config.http.clone().with_auth(Auth::Bearer(config.api_key.clone()));
        let (api, app) = if config.resolve_api_url {
            let app = client(&http.clone().with_endpoint(&config.app_url))
                .map_err(|error| Error::config("app_url", error.message()))?;
            (OnceCell::new(), Some(app))
        } else {
            http = http.with_default_endpoint(config.region.endpoint());
            // Some clients of Braintrust want the version in the address, and all paths here begin with it.
            let bare = http.endpoint.trim().trim_end_matches('/').trim_end_matches("/v1").to_owned();
            http = http.with_endpoint(bare);
            (OnceCell::new_with(Some(Api { client: client(&http)?, org_name: None })), None)
        };
        Ok(Self { http, app, api, parent, project: OnceCell::new(), org_name: config.org_name.clone() })
    }

    /// The data plane's client.
    pub(crate) async fn client(&self) -> Result<&Client, Failure> {
        let api = self.api.get_or_try_init(|| async {
            let app = self.app.as_ref().ok_or_else(|| not_braintrust("the data plane is not known"))?;
            let asked = app.send(&Request::post("/api/apikey/login"), &LOOKUP).await;
            let answer = asked.map_err(|failure| of_lookup(&failure, "the data plane is not known"))?;
            let login: Login = serde_json::from_slice(answer.whole()?).map_err(|cause| {
                not_braintrust(&format!("{} does not say the data plane ({cause})", app.place()))
            })?;
            let org = self.chosen(login.org_info)?;
            let url = org.api_url.filter(|url| !url.is_empty()).ok_or_else(|| {
                not_braintrust(&format!("the organisation \"{}\" has no data plane", org.name))
            })?;
            let client = client(&self.http.clone().with_endpoint(url))
                .map_err(|error| not_braintrust(&format!("the data plane of \"{}\": {error}", org.name)))?;
            Ok::<_, Failure>(Api { client, org_name: Some(org.name) })
        });
        Ok(&api.await?.client)
    }

    /// The organisation that is meant: the one named, or the only one.
    fn chosen(&self, orgs: Vec<Org>) -> Result<Org, Failure> {
        let names: Vec<_> = orgs.iter().map(|org| format!("\"{}\"", org.name)).collect();
        let wanted = self.org_name.as_deref();
        let mut fitting = orgs.into_iter().filter(|org| wanted.is_none_or(|wanted| org.name == wanted));
        match (fitting.next(), fitting.next()) {
            (Some(org), None) => Ok(org),
            _ => Err(not_braintrust(&format!(
                "set `org_name` (BRAINTRUST_ORG_NAME) to one of the key's organisations: {}",
                names.join(", ")
            ))),
        }
    }

    /// The project, made if there is none of its name.
    async fn project(&self, name: &str) -> Result<&Project, Failure> {
        let found = self.project.get_or_try_init(|| async {
            let client = self.client().await?;
            let new = NewProject { name, org_name: self.org_name.as_deref() };
            let body = serde_json::to_vec(&new).map_err(|cause| not_braintrust(&cause.to_string()))?;
            let request = Request::post("/v1/project")
                .with_content_type("application/json")
                .with_body(client.body(body));
            let asked = client.send(&request, &LOOKUP).await;
            let answer = asked.map_err(|failure| of_lookup(&failure, "the project's id is not known"))?;
            serde_json::from_slice(answer.whole()?).map_err(|cause| {
                not_braintrust(&format!("{} does not say the project's id ({cause})", client.place()))
            })
        });
        found.await
    }

    /// The path of a POST.
    pub(crate) async fn path(&self, place: Place, route: Route) -> Result<String, Failure> {
        let (kind, id) = match (place, &self.parent) {
            (Place::Experiment(id), _) => ("experiment", id),
            (Place::Configured, Parent::Experiment(id)) => ("experiment", *id),
            (Place::Configured, Parent::ProjectId(id)) => ("project_logs", *id),
            (Place::Configured, Parent::Project(name)) => ("project_logs", self.project(name).await?.id),
        };
        let route = match route {
            Route::Insert => "insert",
            Route::Feedback => "feedback",
        };
        Ok(format!("/v1/{kind}/{id}/{route}"))
    }

    /// The organisation's name, where it is known by now.
    pub(crate) fn org_name(&self) -> Option<&str> {
        self.org_name.as_deref().or_else(|| self.api.get()?.org_name.as_deref())
    }

    /// Braintrust's word for what rows are below and its id, where it is known by now.
    pub(crate) fn object(&self) -> Option<(&'static str, Uuid)> {
        match &self.parent {
            Parent::Experiment(id) => Some(("experiment", *id)),
            Parent::ProjectId(id) => Some(("project_logs", *id)),
            Parent::Project(_) => self.project.get().map(|project| ("project_logs", project.id)),
        }
    }

    /// The project's name, where rows are below a project that has been named.
    pub(crate) fn project_name(&self) -> Option<&str> {
        match &self.parent {
            Parent::Project(name) => {
                Some(self.project.get().and_then(|found| found.name.as_deref()).unwrap_or(name))
            }
            Parent::ProjectId(_) | Parent::Experiment(_) => None,
        }
    }
}

fn client(http: &HttpConfig) -> Result<Client, Error> {
    Ok(Client::new(http)?.with_credential_name(KEY))
}

fn uuid(field: &str, id: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(id).map_err(|cause| Error::config(field, cause))
}
