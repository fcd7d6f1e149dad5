//! Options of other clients of Langfuse that stand elsewhere here.

use serde::de;

const LANE: &str = "it belongs to the lane that holds the exporter, not to the exporter";

/// What other clients of Langfuse call an option, and what to do instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("api_key", "Langfuse has two keys; write `public_key` and `secret_key` instead"),
    ("token", "Langfuse has two keys; write `public_key` and `secret_key` instead"),
    ("additional_headers", "write `headers` instead"),
    ("batch_size", LANE),
    ("flush_at", LANE),
    ("flush_interval", LANE),
    ("flush_interval_seconds", LANE),
    ("max_retries", LANE),
    ("realtime", LANE),
    ("sample_rate", "sampling belongs to the pipeline, and can be set for a destination there"),
    ("tracing_enabled", "it belongs to the pipeline: `OBS_ENABLED`"),
    ("debug", "obs tells what it does as `tracing` events under `obs::`"),
];

/// The error of an option that stands elsewhere, with the place.
pub(crate) fn explained<E: de::Error>(error: E) -> E {
    let message = error.to_string();
    let named = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    match ELSEWHERE.iter().find(|(name, _)| named == Some(name)) {
        Some((name, instead)) => E::custom(format!("unknown field `{name}`: {instead}")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use crate::LangfuseConfig;

    fn refused(json: &str) -> String {
        serde_json::from_str::<LangfuseConfig>(json).unwrap_err().to_string()
    }

    #[test]
    fn options_of_other_clients_are_answered_with_their_place() {
        assert!(refused(r#"{"api_key": "k"}"#).contains("`public_key` and `secret_key`"));
        assert!(refused(r#"{"flush_interval_seconds": 3}"#).contains("lane"));
        assert!(refused(r#"{"base_url": "https://h"}"#).contains("`endpoint`"));
        assert!(refused(r#"{"secretkey": "k"}"#).contains("did you mean `secret_key`?"));
    }
}
