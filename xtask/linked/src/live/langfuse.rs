//! Langfuse: observations of API v2 and scores of API v3, which are what the cloud still has.

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use obs_core::{Env, Trace};
use obs_http::Auth;
use obs_langfuse::{LangfuseConfig, LangfuseExporter};
use obs_pipeline::DestinationSpec;
use serde_json::Value;

use super::Vendor;
use super::api::{Api, list};
use crate::platform::langfuse::{Langfuse, item, score};
use crate::platform::{Item, Platform};

const CLOUD: &str = "https://cloud.langfuse.com";
const FIELDS: &str = "core,basic,time,io,usage,model,trace_context";

/// A project of Langfuse.
#[derive(Debug)]
pub(crate) struct LangfuseApi {
    env: Env,
    api: Api,
}

impl LangfuseApi {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let public = env.required(&["LANGFUSE_PUBLIC_KEY"], "the public key")?;
        let secret = env.required(&["LANGFUSE_SECRET_KEY"], "the secret key")?;
        let base = env.first(&["LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_BASEURL"])?;
        let api = Api::new(base.as_deref().unwrap_or(CLOUD), Auth::basic(public, secret))?;
        Ok(Self { env, api })
    }
}

#[async_trait]
impl Vendor for LangfuseApi {
    fn platform(&self) -> &'static dyn Platform {
        &Langfuse
    }

    fn destination(&self) -> Result<DestinationSpec> {
        let exporter = LangfuseConfig::from_vars(&self.env).and_then(LangfuseExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    async fn found(&self, sent: &Trace) -> Result<Vec<Item>> {
        let trace = sent.trace_id;
        let observations = format!("/api/public/v2/observations?traceId={trace}&limit=1000&fields={FIELDS}");
        let observations = self.api.get(&observations).await?;
        let scores = format!("/api/public/v3/scores?traceId={trace}&limit=100&fields=details,subject");
        let scores = self.api.get(&scores).await?;
        let mut items: Vec<_> = list(&observations, "data")?.iter().map(observation).collect();
        items.extend(list(&scores, "data")?.iter().map(score));
        Ok(items)
    }
}

fn observation(found: &Value) -> Item {
    let mut found = found.clone();
    if found["costDetails"]["total"].is_null() && !found["totalCost"].is_null() {
        found["costDetails"]["total"] = found["totalCost"].clone();
    }
    item(&found)
}
