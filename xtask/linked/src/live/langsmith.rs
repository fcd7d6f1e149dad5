//! LangSmith: the runs of a trace and the feedback on them.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, ensure};
use async_trait::async_trait;
use obs_core::{Env, Trace};
use obs_http::Auth;
use obs_langsmith::{LangsmithConfig, LangsmithExporter};
use obs_pipeline::DestinationSpec;
use serde_json::{Value, json};

use super::Vendor;
use super::api::{Api, list};
use crate::platform::langsmith::{Langsmith, disorder, feedback, item, run};
use crate::platform::{Item, Platform};

const CLOUD: &str = "https://api.smith.langchain.com";
/// Where a run goes, whatever the account says of other programs; it is made if it is not there.
const PROJECT: &str = "obs-live";

/// A workspace of LangSmith.
#[derive(Debug)]
pub(crate) struct LangsmithApi {
    env: Env,
    api: Api,
}

impl LangsmithApi {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let key = env.required(&["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"], "the API key")?;
        let base = env.first(&["LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"])?;
        let api = Api::new(base.as_deref().unwrap_or(CLOUD), Auth::header("x-api-key", key))?;
        Ok(Self { env, api })
    }
}

#[async_trait]
impl Vendor for LangsmithApi {
    fn platform(&self) -> &'static dyn Platform {
        &Langsmith
    }

    fn destination(&self) -> Result<DestinationSpec> {
        let exporter = LangsmithConfig::from_vars(&self.env)
            .map(|config| config.with_project(PROJECT))
            .and_then(LangsmithExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    async fn found(&self, sent: &Trace) -> Result<Vec<Item>> {
        let root = sent.spans.iter().find(|span| span.is_root()).map(|span| run(span.span_id));
        let runs = self.api.post("/runs/query", &json!({ "trace": root, "limit": 100 })).await?;
        let runs = list(&runs, "runs")?;
        let wrong = disorder(runs);
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        let judged = sent.scores.iter().map(|score| &score.target);
        let judged = judged.chain(sent.feedback.iter().map(|feedback| &feedback.target));
        let mut query = String::from("/feedback?limit=100");
        for target in judged {
            let of = target.span_id().or_else(|| target.root_span_id());
            if let Some(of) = of.map(run).filter(|of| !query.contains(of)) {
                let _ = write!(query, "&run={of}");
            }
        }
        let judgements = self.api.get(&query).await?;
        let mut items: Vec<_> = runs.iter().map(run_item).collect();
        items.extend(list(&judgements, "")?.iter().map(feedback));
        Ok(items)
    }
}

fn run_item(run: &Value) -> Item {
    item(run, [&run["prompt_tokens"], &run["completion_tokens"], &run["total_cost"]])
}
