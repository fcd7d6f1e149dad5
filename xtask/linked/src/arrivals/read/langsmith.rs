//! LangSmith: runs in parts of a body, and feedback on runs.

use anyhow::{Context, Result, anyhow, bail};
use obs_core::Signal;
use obs_testkit::Captured;
use serde_json::Value;

use crate::arrivals::place::{Arrival, Carrier};

pub(in crate::arrivals) fn request(request: &Captured) -> Result<Carrier> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/runs/multipart") => parts(request),
        ("POST", "/feedback") => Ok(vec![feedback(&request.json().context("no JSON")?)?]),
        ("GET", "/info" | "/sessions") => Ok(Vec::new()),
        _ => bail!("not of the API"),
    }
}

fn parts(request: &Captured) -> Result<Carrier> {
    let mut arrivals = Vec::new();
    for part in request.try_multipart().map_err(|fault| anyhow!(fault))? {
        let names: Vec<_> = part.name.split('.').collect();
        match names[..] {
            ["post" | "patch", _] => {
                let run = part.json().context("a run that is no JSON")?;
                arrivals.push(Arrival::new(Signal::Traces, run["trace_id"].as_str(), run["id"].as_str()));
            }
            ["post" | "patch", _, _] => {}
            ["feedback", _] => arrivals.push(feedback(&part.json().context("feedback that is no JSON")?)?),
            _ => bail!("a part `{}`", part.name),
        }
    }
    Ok(arrivals)
}

fn feedback(feedback: &Value) -> Result<Arrival> {
    let signal = super::judgement(feedback["key"].as_str().unwrap_or_default())?;
    Ok(Arrival::new(signal, feedback["trace_id"].as_str(), feedback["run_id"].as_str()))
}
