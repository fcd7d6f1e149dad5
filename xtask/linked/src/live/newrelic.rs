//! New Relic: everything by NRQL, which NerdGraph answers to a user's key.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, ensure};
use async_trait::async_trait;
use obs_core::{Env, Trace};
use obs_http::Auth;
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_pipeline::DestinationSpec;
use serde_json::{Value, json};

use super::api::{Api, list};
use super::sighted::{Sighted, log, logs, span, spans};

const US: &str = "https://api.newrelic.com";
const EU: &str = "https://api.eu.newrelic.com";

/// Asks for the rows of a query.
const QUESTION: &str =
    "query($id: Int!, $q: Nrql!) { actor { account(id: $id) { nrql(query: $q) { results } } } }";

/// An account at New Relic.
#[derive(Debug)]
pub(crate) struct NewRelicApi {
    env: Env,
    api: Api,
    account: u64,
}

impl NewRelicApi {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let european = env.text("NEW_RELIC_REGION")?.is_some_and(|region| region.eq_ignore_ascii_case("eu"));
        let licence = env.text("NEW_RELIC_LICENSE_KEY")?.is_some_and(|key| key.starts_with("eu"));
        Self::at(env, if european || licence { EU } else { US })
    }

    /// With this address in place of the region's.
    pub(super) fn at(env: Env, base: &str) -> Result<Self> {
        let key = env.required(&["NEW_RELIC_API_KEY"], "a user's key, which reads")?;
        let account = env
            .parsed::<u64>("NEW_RELIC_ACCOUNT_ID", "a number")?
            .context("NEW_RELIC_ACCOUNT_ID is not set")?;
        Ok(Self { api: Api::new(base, Auth::header("api-key", key))?, env, account })
    }

    async fn rows(&self, query: &str) -> Result<Vec<Value>> {
        let question = json!({ "query": QUESTION, "variables": { "id": self.account, "q": query } });
        let answer = self.api.post("/graphql", &question).await?;
        ensure!(answer["errors"].is_null(), "{query}: {}", answer["errors"]);
        list(&answer["data"]["actor"]["account"]["nrql"], "results").cloned()
    }
}

#[async_trait]
impl Sighted for NewRelicApi {
    fn destination(&self) -> Result<DestinationSpec> {
        let exporter = NewRelicConfig::from_vars(&self.env).and_then(NewRelicExporter::new);
        exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    fn wanted(&self, sent: &Trace) -> BTreeSet<String> {
        let scores = sent.scores.iter().map(|score| format!("LlmEvaluation {}", score.id));
        let feedback = sent.feedback.iter().map(|feedback| format!("LlmFeedbackMessage {}", feedback.id));
        spans(sent).chain(logs(sent)).chain(scores).chain(feedback).collect()
    }

    async fn found(&self, sent: &Trace) -> Result<BTreeSet<String>> {
        let from = |what: &str, table: &str| {
            format!(
                "SELECT {what} FROM {table} WHERE trace.id = '{}' SINCE 1 hour ago LIMIT MAX",
                sent.trace_id
            )
        };
        let mut found = BTreeSet::new();
        for row in self.rows(&from("id, name", "Span")).await? {
            found.insert(span(text(&row["id"]), text(&row["name"])));
        }
        for row in self.rows(&from("message, span.id", "Log")).await? {
            found.insert(log(text(&row["span.id"]), text(&row["message"])));
        }
        for table in ["LlmEvaluation", "LlmFeedbackMessage"] {
            let rows = self.rows(&from("id", table)).await?;
            found.extend(rows.iter().map(|row| format!("{table} {}", text(&row["id"]))));
        }
        Ok(found)
    }

    fn unread(&self) -> &'static str {
        ""
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
