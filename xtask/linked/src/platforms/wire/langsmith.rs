//! LangSmith: parts of multipart bodies put together to runs, and feedback.

use std::collections::BTreeMap;

use obs_testkit::{Captured, Part};
use serde_json::{Value, json};

use super::{Decoded, merge, place};
use crate::platform::langsmith::{disorder, feedback, item};

#[derive(Debug, Default)]
struct Read {
    runs: BTreeMap<String, Run>,
    feedback: BTreeMap<String, Value>,
}

#[derive(Debug, Default)]
struct Run {
    body: Value,
    posted: bool,
}

pub(super) fn decode(requests: &[Captured]) -> Decoded {
    let (mut read, mut faults) = (Read::default(), Vec::new());
    for request in requests {
        if request.header("x-api-key") != Some("key-of-nobody") {
            faults.push(format!("{}: no key", place(request)));
        }
        let result = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/runs/multipart") => read.multipart(request),
            ("POST", "/runs/batch") => read.batch(&request.json().unwrap_or_default()),
            ("POST", "/feedback") => {
                read.feedback(request.json().unwrap_or_default(), &["session_id", "run_id"])
            }
            ("GET", "/info" | "/sessions") => Ok(()),
            _ => Err("not of the API".to_owned()),
        };
        faults.extend(result.err().map(|fault| format!("{}: {fault}", place(request))));
    }
    let unposted = read.runs.iter().filter(|(_, run)| !run.posted);
    faults.extend(unposted.map(|(id, _)| format!("run {id} was patched and never posted")));
    let runs: Vec<_> = read.runs.into_values().map(|run| run.body).collect();
    faults.extend(disorder(&runs));
    let mut items: Vec<_> = runs.iter().map(run_item).collect();
    items.extend(read.feedback.values().map(feedback));
    Decoded { items, faults }
}

fn run_item(run: &Value) -> crate::platform::Item {
    let usage = match &run["extra"]["metadata"]["usage_metadata"] {
        Value::Null => &run["outputs"]["usage_metadata"],
        usage => usage,
    };
    item(run, [&usage["input_tokens"], &usage["output_tokens"], &usage["total_cost"]])
}

impl Read {
    fn multipart(&mut self, request: &Captured) -> Result<(), String> {
        for part in request.try_multipart()? {
            let mut names = part.name.splitn(3, '.');
            match (names.next(), names.next(), names.next()) {
                (Some(event @ ("post" | "patch")), Some(id), field) => {
                    let body = piece(&part, field)?;
                    self.put(event, id, body);
                }
                (Some("feedback"), Some(_), None) => {
                    // What goes beside runs waits for the top of their tree; a call of its own finds the run.
                    self.feedback(json_of(&part)?, &["session_id", "trace_id"])?;
                }
                (Some("attachment"), Some(_), Some(_)) => {}
                _ => return Err(format!("a part `{}`", part.name)),
            }
        }
        Ok(())
    }

    fn put(&mut self, event: &str, id: &str, body: Value) {
        let run = self.runs.entry(id.to_owned()).or_default();
        run.posted |= event == "post";
        merge(&mut run.body, body);
    }

    fn batch(&mut self, body: &Value) -> Result<(), String> {
        for event in ["post", "patch"] {
            for run in body[event].as_array().into_iter().flatten() {
                let id = run["id"].as_str().ok_or("a run without an id")?;
                self.put(event, id, run.clone());
            }
        }
        Ok(())
    }

    fn feedback(&mut self, body: Value, needed: &[&str]) -> Result<(), String> {
        let id = body["id"].as_str().ok_or("feedback without an id")?.to_owned();
        if let Some(missing) = needed.iter().find(|field| body[**field].is_null()) {
            return Err(format!("feedback {id} without its {missing}"));
        }
        self.feedback.insert(id, body);
        Ok(())
    }
}

/// The run that a part is, or the one field of it that it is.
fn piece(part: &Part, field: Option<&str>) -> Result<Value, String> {
    let body = json_of(part)?;
    match field {
        None if body.is_object() => Ok(body),
        None => Err(format!("part `{}` is no object", part.name)),
        Some(field @ ("error" | "events")) => Ok(json!({ field: body })),
        Some(field @ ("inputs" | "outputs" | "extra" | "serialized")) if body.is_object() => {
            Ok(json!({ field: body }))
        }
        Some(_) => Err(format!("part `{}` is no field of a run, or no object", part.name)),
    }
}

fn json_of(part: &Part) -> Result<Value, String> {
    part.json().ok_or_else(|| format!("part `{}` is no JSON", part.name))
}
