//! Spans and evaluations of LLM Observability through the test agent's proxy, and back with our ids.
//!
//! The agent takes whatever it is sent there, so that what comes back is also held against the documented shapes, by the
//! reader here; logs and series have no judge on this machine.

mod expected;
mod found;

use anyhow::{Context, Result, anyhow};
use obs_core::{Record, Signal, Timestamp};
use obs_datadog::{DatadogConfig, DatadogExporter};
use obs_http::{Body, Request};
use obs_pipeline::{Clock, DestinationSpec};
use serde_json::Value;

use super::api::Api;
use super::fact::compare;
use super::otlp::{Agent, base64};
use super::row::Row;
use super::{Scene, deliver, ledger};
use crate::live::{fresh_trace, records};
use expected::{evaluations, spans};

/// The application in LLM Observability.
const APP: &str = "obs-e2e";

/// Where an agent takes spans, and where evaluations.
const SPANS: &str = "/evp_proxy/v2/api/v2/llmobs";
const EVALUATIONS: &str = "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric";

/// Sends the trace of the fixtures as of now and the demo, and reads both kinds of requests back.
pub(crate) fn proxied(scene: &Scene) -> Result<Vec<Row>> {
    let agent = Agent::start(scene)?;
    let api = Api::on(agent.own)?;
    let all = recent(scene, Clock::system().now());
    let report = deliver(destination(&api)?, &all)?;
    let requests = scene.stage.block_on(api.json("/test/session/requests"))?;
    let takes_anything = scene.stage.block_on(api.text(nonsense())).is_ok();
    let said = if takes_anything { "takes what is no JSON, too" } else { "refuses what is no JSON" };
    println!(
        "e2e: datadog: the test agent {said}; the shapes of spans and evaluations are judged by our own reader"
    );
    let mut rows = Vec::new();
    for (what, path, expected, read, signals) in [
        ("spans", SPANS, spans(&all), found::spans as fn(&Value) -> Result<Vec<_>>, &[Signal::Traces][..]),
        (
            "scores, feedback",
            EVALUATIONS,
            evaluations(&all),
            found::evaluations,
            &[Signal::Scores, Signal::Feedback],
        ),
    ] {
        let bodies = bodies(&requests, path)?;
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        for body in &bodies {
            match read(body) {
                Ok(facts) => found.extend(facts),
                Err(fault) => wrong.push(format!("{what}: {fault:#}")),
            }
        }
        let mut compared = compare(&expected, &found);
        compared.wrong.extend(wrong);
        compared.wrong.extend(signals.iter().flat_map(|signal| ledger(&report, *signal)));
        let (backend, transport) = ("test agent", "agent proxy".to_owned());
        let sent = all.iter().filter(|record| signals.contains(&record.signal())).count();
        rows.push(Row {
            what: what.to_owned(),
            backend,
            transport,
            sent,
            requests: Some(bodies.len()),
            compared,
        });
    }
    Ok(rows)
}

fn destination(api: &Api) -> Result<DestinationSpec> {
    let config = DatadogConfig::agent(api.base()).with_ml_app(APP);
    DatadogExporter::new(config).map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
}

/// The records of the last hour, which is what LLM Observability takes: those of the demo, and the trace of the fixtures as
/// if it had just been.
fn recent(scene: &Scene, now: Timestamp) -> Vec<Record> {
    const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
    const SEED: u128 = 0x019c_0000_0000_7000_8000_0000_0dd0_0001;
    let since = now.saturating_sub(HOUR);
    let demo = scene.records.iter().filter(|record| expected::time(record) > since).cloned();
    demo.chain(records(&fresh_trace(SEED, now))).collect()
}

/// The bodies that came to a path, in JSON.
fn bodies(requests: &Value, path: &str) -> Result<Vec<Value>> {
    let requests = requests.as_array().context("the test agent gave no list of requests")?;
    let of_path =
        requests.iter().filter(|request| request["url"].as_str().is_some_and(|url| url.ends_with(path)));
    let bodies = of_path.map(|request| {
        let body = request["body"].as_str().and_then(base64).context("a body that is no base64")?;
        serde_json::from_slice(&body).context("a body that is no JSON")
    });
    bodies.collect()
}

/// What no API should take.
fn nonsense() -> Request {
    Request::post(SPANS).with_content_type("application/json").with_body(Body::plain(b"{not json".to_vec()))
}

#[cfg(test)]
mod tests;
