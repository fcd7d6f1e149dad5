//! What Datadog did not like of what it took.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use obs_core::{Reply, Timestamp};
use serde::Deserialize;

use crate::wire::Place;

/// How long nothing is told of an intake after something was.
const QUIET: Duration = Duration::from_mins(1);

/// What became of a request that was taken.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) reply: Reply,
    /// What the answer complains of all the same.
    pub(crate) complaint: Option<String>,
}

/// An answer of success: the intakes of series and evaluations may say in it what they did not like, without saying of
/// which record.
#[derive(Deserialize)]
struct Accepted {
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// The errors in the body of an answer of success.
pub(crate) fn read(body: &[u8]) -> Option<String> {
    let Accepted { errors } = serde_json::from_slice(body).ok()?;
    let texts: Vec<_> = errors
        .iter()
        .map(|error| error.as_str().map_or_else(|| error.to_string(), ToOwned::to_owned))
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Tells complaints, of each intake at most one a minute.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Mutex<HashMap<&'static str, Told>>);

/// When one was told, and how many were not since.
#[derive(Debug)]
struct Told {
    at: Timestamp,
    unsaid: u64,
}

impl Complaints {
    /// Warns, unless it did so a short time ago.
    pub(crate) fn hear(&self, place: Place, said: &str, now: Timestamp) {
        let intake = place.facts().name;
        if let Some(unsaid) = self.unsaid(intake, now) {
            tracing::warn!(
                target: "obs::datadog", intake, unsaid,
                "it answered with success, and complains of some of what it took: {said}"
            );
        }
    }

    /// How many were not told before this one; `None` where this one is not told.
    fn unsaid(&self, intake: &'static str, now: Timestamp) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(intake) {
            Some(before) if before.at <= now && now.since(before.at) < QUIET => {
                before.unsaid += 1;
                None
            }
            before => {
                let unsaid = before.map_or(0, |before| before.unsaid);
                told.insert(intake, Told { at: now, unsaid: 0 });
                Some(unsaid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_where_there_are_some() {
        for (body, told) in [
            (r#"{"errors": ["bad unit", {"detail": "x"}]}"#, Some(r#"bad unit; {"detail":"x"}"#)),
            (r#"{"errors": []}"#, None),
            (r#"{"status": "ok"}"#, None),
            (r#"{"errors": null}"#, None),
            ("", None),
            ("[]", None),
        ] {
            assert_eq!(read(body.as_bytes()).as_deref(), told, "{body}");
        }
    }

    #[test]
    fn of_an_intake_one_is_told_a_minute_with_the_number_of_the_others() {
        let complaints = Complaints::default();
        let at = |seconds: u64| Timestamp::from_nanos(seconds * 1_000_000_000);
        let told: Vec<_> =
            [100, 101, 159, 160, 30, 31].map(|now| complaints.unsaid("series", at(now))).into();
        assert_eq!(told, [Some(0), None, None, Some(2), Some(0), None]);
        assert_eq!(complaints.unsaid("logs", at(31)), Some(0));
    }
}
