//! The choices of a configuration.

use std::fmt;

use obs_core::MetricForm;
use obs_core::suggest::{self, LANE, error_elsewhere};
use serde::{Deserialize, Deserializer};

/// How records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Method {
    /// `POST`, as nearly all APIs want it.
    #[default]
    #[serde(alias = "post")]
    #[serde(rename = "POST")]
    Post,
    /// `PUT`.
    #[serde(alias = "put")]
    #[serde(rename = "PUT")]
    Put,
    /// `PATCH`.
    #[serde(alias = "patch")]
    #[serde(rename = "PATCH")]
    Patch,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON document, `application/json`.
    #[default]
    Json,
    /// One line of JSON for each record, `application/x-ndjson`.
    Ndjson,
    /// One JSON document in a field of a form, `application/x-www-form-urlencoded`.
    Form,
    /// Whatever the payload transformer makes, `text/plain`; it needs one.
    Text,
}

impl Format {
    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// What a JSON document holds, in a body or in the field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{"v": 1, "signal": "…", "records": […]}`.
    #[default]
    Object,
    /// `[…]`, the records and nothing else.
    Array,
    /// One record a request, as its canonical line has it: `{"v": 1, "signal": "…", "record": {…}}`.
    Record,
}

/// In which form metrics are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricsAs {
    /// Every measurement as it was made.
    #[default]
    Records,
    /// Series, each point since the one before.
    Delta,
    /// Series, each point since the beginning.
    Cumulative,
}

impl From<MetricsAs> for MetricForm {
    fn from(form: MetricsAs) -> Self {
        match form {
            MetricsAs::Records => Self::Records,
            MetricsAs::Delta => Self::Delta,
            MetricsAs::Cumulative => Self::Cumulative,
        }
    }
}

/// How the destination is asked whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckMethod {
    /// `OPTIONS`, which no API takes for a record.
    #[default]
    Options,
    /// `HEAD`.
    Head,
    /// `GET`, for a path that is made for it: some APIs take a GET of their address for an event.
    Get,
    /// Nothing is asked, and a check says so.
    None,
}

impl fmt::Display for CheckMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Get => "GET",
            Self::None => "nothing",
        })
    }
}

/// Which answers are tried again; how often and how fast belongs to the lane.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The statuses that are tried again, and no others; by default 408, 425, 429 and those from 500 on but 501.
    ///
    /// A status that would be tried again by default and is not in the list is a rejection.
    pub retry_on_status_codes: Option<Vec<u16>>,
}

impl RetryConfig {
    /// Tries again after these statuses and no others.
    pub fn new(retry_on_status_codes: impl Into<Vec<u16>>) -> Self {
        Self { retry_on_status_codes: Some(retry_on_status_codes.into()) }
    }
}

impl<'de> Deserialize<'de> for RetryConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(|error| error_elsewhere(suggest::error(error), ELSEWHERE))
    }
}

/// What belongs to the layer that tries again.
const ELSEWHERE: &[(&str, &str)] = &[
    ("max_retries", LANE),
    ("backoff_strategy", LANE),
    ("backoff_multiplier", LANE),
    ("max_backoff_seconds", LANE),
    ("initial_delay_seconds", LANE),
    ("max_delay_seconds", LANE),
    ("initial_delay", LANE),
    ("max_delay", LANE),
    ("jitter", LANE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_themselves_belong_to_the_lane() {
        let read = |json: &str| serde_json::from_str::<RetryConfig>(json);
        let seed = read(r#"{"retry_on_status_codes": [429, 500, 502, 503, 504]}"#).unwrap();
        assert_eq!(seed, RetryConfig::new([429, 500, 502, 503, 504]));
        for option in ["max_retries", "backoff_strategy", "jitter"] {
            let said = read(&format!(r#"{{"{option}": 3}}"#)).unwrap_err().to_string();
            assert!(said.contains(option) && said.contains("the lane"), "{said}");
        }
        assert!(
            read(r#"{"retry_on_status": [1]}"#).unwrap_err().to_string().contains("retry_on_status_codes")
        );
    }

    #[test]
    fn methods_are_written_either_way() {
        for (text, method) in
            [("\"POST\"", Method::Post), ("\"put\"", Method::Put), ("\"PATCH\"", Method::Patch)]
        {
            assert_eq!(serde_json::from_str::<Method>(text).unwrap(), method);
        }
        assert!(serde_json::from_str::<Method>("\"GET\"").is_err());
    }
}
