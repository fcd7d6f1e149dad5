//! Braintrust: rows that are merged by their id, as the service does.

use std::collections::BTreeMap;

use obs_testkit::Captured;
use serde_json::{Value, json};

use super::super::servers::PROJECT;
use super::{Decoded, merge, place};
use crate::platform::braintrust::items;

pub(super) fn decode(requests: &[Captured]) -> Decoded {
    let (mut rows, mut faults) = (BTreeMap::new(), Vec::new());
    for request in requests {
        if request.header("authorization") != Some("Bearer key-of-nobody") {
            faults.push(format!("{}: no Bearer authorization", place(request)));
        }
        let body = request.json().unwrap_or_default();
        let path = request.path.strip_prefix(&format!("/v1/project_logs/{PROJECT}"));
        let read = match (request.method.as_str(), path.unwrap_or(&request.path)) {
            ("POST", "/insert") => insert(&body, &mut rows),
            ("POST", "/feedback") => feedback(&body, &mut rows),
            ("POST", "/v1/project") | ("GET", _) => Ok(()),
            _ => Err("not of the API".to_owned()),
        };
        faults.extend(read.err().map(|fault| format!("{}: {fault}", place(request))));
    }
    Decoded { items: rows.values().flat_map(items).collect(), faults }
}

type Rows = BTreeMap<String, Value>;

fn insert(body: &Value, rows: &mut Rows) -> Result<(), String> {
    let events = body["events"].as_array().ok_or("no list `events`")?;
    let mut seen = Vec::new();
    for row in events {
        let id = row["id"].as_str().ok_or("a row without an id")?;
        if seen.contains(&id) {
            return Err(format!("row {id} is there twice in one request"));
        }
        seen.push(id);
        let out_of_range = |value: &Value| value.as_f64().is_some_and(|value| !(0.0..=1.0).contains(&value));
        if row["scores"].as_object().is_some_and(|scores| scores.values().any(out_of_range)) {
            return Err(format!("row {id} has a score outside of 0 to 1"));
        }
        let old = rows.entry(id.to_owned()).or_default();
        if row["_is_merge"] != true {
            *old = Value::Null;
        }
        merge(old, row.clone());
    }
    Ok(())
}

/// Feedback sets scores of a row, which may come before the row itself.
fn feedback(body: &Value, rows: &mut Rows) -> Result<(), String> {
    for given in body["feedback"].as_array().ok_or("no list `feedback`")? {
        let id = given["id"].as_str().ok_or("feedback without an id")?;
        let said = ["scores", "expected", "tags", "comment"].iter().any(|name| !given[*name].is_null());
        if !said {
            return Err(format!("feedback on row {id} says nothing"));
        }
        let old = rows.entry(id.to_owned()).or_default();
        merge(old, json!({ "id": id }));
        if given["scores"].is_object() {
            merge(old, json!({ "scores": given["scores"] }));
        }
    }
    Ok(())
}
