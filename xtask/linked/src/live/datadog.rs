//! Datadog: spans and their evaluations by LLM Observability's API, logs by their search; both want an application key.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use obs_core::{Env, Trace};
use obs_datadog::{DatadogConfig, DatadogExporter};
use obs_http::{Auth, HttpConfig};
use obs_pipeline::DestinationSpec;
use serde_json::{Value, json};

use super::api::{Api, list};
use super::sighted::{Sighted, log, logs, span, spans};

/// Where a run goes.
const APP: &str = "obs-live";

/// An organisation at Datadog.
#[derive(Debug)]
pub(crate) struct DatadogApi {
    env: Env,
    api: Api,
}

impl DatadogApi {
    pub(crate) fn open(env: Env) -> Result<Self> {
        let site = env.text("DD_SITE")?.unwrap_or_else(|| "datadoghq.com".to_owned());
        Self::at(env, &format!("https://api.{site}"))
    }

    /// With this address in place of the site's.
    pub(super) fn at(env: Env, base: &str) -> Result<Self> {
        let key = env.required(&["DD_API_KEY", "DATADOG_API_KEY"], "the API key")?;
        let app_key = env.required(&["DD_APP_KEY", "DATADOG_APP_KEY"], "the application key")?;
        let config = HttpConfig::new(base).with_auth(Auth::header("dd-api-key", key));
        let api = Api::of(&config.with_header("dd-application-key", app_key))?;
        Ok(Self { env, api })
    }
}

#[async_trait]
impl Sighted for DatadogApi {
    fn destination(&self) -> Result<DestinationSpec> {
        let config = DatadogConfig::from_vars(&self.env).map(|config| config.with_ml_app(APP));
        config.and_then(DatadogExporter::new).map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
    }

    fn wanted(&self, sent: &Trace) -> BTreeSet<String> {
        let scores = sent.scores.iter().filter_map(|score| {
            let span = score.target.span_id().or_else(|| score.target.root_span_id())?;
            Some(format!("evaluation `{}` of {span}", score.name))
        });
        spans(sent).chain(logs(sent)).chain(scores).collect()
    }

    async fn found(&self, sent: &Trace) -> Result<BTreeSet<String>> {
        let trace = sent.trace_id;
        let events = format!(
            "/api/v2/llm-obs/v1/spans/events?filter[trace_id]={trace}&filter[from]=now-1h&page[limit]=100"
        );
        let events = self.api.get(&events).await?;
        let query = format!("@otel.trace_id:{trace}");
        let question =
            json!({ "filter": { "query": query, "from": "now-1h", "to": "now" }, "page": { "limit": 100 } });
        let logs = self.api.post("/api/v2/logs/events/search", &question).await?;
        let mut found: BTreeSet<_> = list(&events, "data")?.iter().flat_map(of_span).collect();
        found.extend(list(&logs, "data")?.iter().map(of_log));
        Ok(found)
    }

    fn unread(&self) -> &'static str {
        "feedback, which no API shows"
    }
}

/// A span, and what it was judged by.
fn of_span(event: &Value) -> Vec<String> {
    let attributes = &event["attributes"];
    let id = text(&attributes["span_id"]);
    let evaluations = attributes["evaluation"].as_object().into_iter().flatten();
    let evaluations = evaluations.map(|(label, _)| format!("evaluation `{label}` of {id}"));
    std::iter::once(span(id, text(&attributes["name"]))).chain(evaluations).collect()
}

/// A log, whose attributes are nested by the dots in their names.
fn of_log(event: &Value) -> String {
    let attributes = &event["attributes"];
    log(text(&attributes["attributes"]["otel"]["span_id"]), text(&attributes["message"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
