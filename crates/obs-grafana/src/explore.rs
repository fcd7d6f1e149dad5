//! Links into Grafana's pages.

use std::fmt::Write as _;

use obs_core::TraceId;
use serde_json::json;

/// The page `Explore` with this trace.
pub(crate) fn url(base: &str, datasource: &str, trace_id: TraceId) -> String {
    let query = json!({
        "refId": "A",
        "datasource": { "type": "tempo", "uid": datasource },
        "queryType": "traceql",
        "query": trace_id.to_string(),
    });
    let panes = json!({ "obs": { "datasource": datasource, "queries": [query] } }).to_string();
    let base = base.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let mut url = format!("{base}/explore?schemaVersion=1&panes=");
    for byte in panes.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
    url
}
