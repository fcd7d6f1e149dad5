//! What is wrong on the wire is found, and what is right is not.

mod all_at_once;
mod braintrust;
mod langfuse;
mod langsmith;

use obs_testkit::Captured;
use serde_json::Value;

use super::wire::{Decoded, decode};
use super::*;

/// A request as it would have been recorded.
fn request(path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Captured {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Captured { method: "POST".into(), path: path.into(), query: None, headers, body: body.into() }
}

/// What is found wrong with one request.
fn faults(platform: &str, request: Captured) -> String {
    decode(platform, &[request]).faults.join("\n")
}

/// A change of a body, and the words that it must be found with.
type Case = (&'static str, fn(&mut Value));

/// Fails unless each of the cases breaks the rule that its words name, and the request without a change breaks none.
fn each_breaks(cases: &[Case], good: &Value, decode: impl Fn(&Value) -> Decoded) {
    assert_eq!(decode(good).faults, Vec::<String>::new());
    for (said, change) in cases {
        let mut body = good.clone();
        change(&mut body);
        let faults = decode(&body).faults.join("\n");
        assert!(faults.contains(said), "{said}: {faults:?}");
    }
}
