//! Braintrust: rows of the project's logs, newest first, those of the trace picked out.

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{Env, Trace};
use obs_http::Auth;
use obs_pipeline::DestinationSpec;
use serde_json::{Value, json};

use super::Vendor;
use super::api::{Api, list};
use crate::platform::braintrust::{Braintrust, items};
use crate::platform::{Item, Platform};

const CLOUD: &str = "https://api.braintrust.dev";
/// Where a run goes, whatever the account says of other programs; it is made if it is not there.
const PROJECT: &str = "obs-live";
/// So many pages are looked through for the trace, which is among the newest.
const PAGES: usize = 5;

/// A project of Braintrust.
#[derive(Debug)]
pub(crate) struct BraintrustApi {
    env: Env,
    api: Api,
}

impl BraintrustApi {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let key = env.required(&["BRAINTRUST_API_KEY"], "the API key")?;
        let base = env.first(&["BRAINTRUST_API_URL", "BRAINTRUST_ENDPOINT"])?;
        let api = Api::new(base.as_deref().unwrap_or(CLOUD), Auth::bearer(key))?;
        Ok(Self { env, api })
    }
}

#[async_trait]
impl Vendor for BraintrustApi {
    fn platform(&self) -> &'static dyn Platform {
        &Braintrust
    }

    fn destination(&self) -> Result<DestinationSpec> {
        let config = BraintrustConfig::from_vars(&self.env).map(|mut config| {
            (config.project_id, config.experiment_id) = (None, None);
            config.with_project(PROJECT)
        });
        let exporter = config.and_then(BraintrustExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    async fn found(&self, sent: &Trace) -> Result<Vec<Item>> {
        let project = self.api.post("/v1/project", &json!({ "name": PROJECT })).await?;
        let project = project["id"].as_str().context("the project has no id")?;
        let target = format!("/v1/project_logs/{project}/fetch");
        let (mut found, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..PAGES {
            let mut query = json!({ "limit": 100 });
            if !cursor.is_null() {
                query["cursor"] = cursor;
            }
            let page = self.api.post(&target, &query).await?;
            let rows = list(&page, "events")?;
            let of_trace = rows.iter().filter(|row| row["root_span_id"] == sent.trace_id.to_string());
            found.extend(of_trace.flat_map(items));
            cursor = page["cursor"].clone();
            if rows.is_empty() || cursor.is_null() {
                break;
            }
        }
        Ok(found)
    }
}
