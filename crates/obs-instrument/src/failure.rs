//! The errors that spans below failed with, so that whoever fails with one of them shares its id.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use obs_core::{ErrorInfo, Str};
use uuid::Uuid;

/// How many errors a span remembers: those of a few branches side by side, each wrapped a few times.
const REMEMBERED: usize = 16;

/// The type of the error that a panic is recorded as.
pub(crate) const PANIC: &str = "panic";

/// An error that a span failed with.
#[derive(Debug)]
pub(crate) struct Failure {
    id: Uuid,
    panic: bool,
    message: Str,
    sources: Box<[Str]>,
}

/// The latest errors of the spans below a span.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<VecDeque<Arc<Failure>>>);

impl Failure {
    pub(crate) fn new(error: &ErrorInfo, id: Uuid) -> Self {
        let (message, sources) = (error.message.clone(), error.sources.as_slice().into());
        Self { id, panic: is_panic(error), message, sources }
    }

    /// How surely an error is this one; less is surer.
    fn rank(&self, error: &ErrorInfo) -> Option<u8> {
        let Self { message, sources, panic, .. } = self;
        let is_same = error.message == *message;
        let wraps = || error.sources.contains(message) || ends_with(&error.message, message);
        let unwraps = || sources.contains(&error.message);
        let shares_source = || error.sources.iter().any(|source| sources.contains(source));
        match () {
            () if is_same => Some(0),
            () if wraps() => Some(1),
            () if unwraps() => Some(2),
            () if shares_source() => Some(3),
            () if *panic && is_panic(error) => Some(4),
            () => None,
        }
    }
}

fn is_panic(error: &ErrorInfo) -> bool {
    error.error_type.as_deref() == Some(PANIC)
}

/// Whether a message keeps another one as its cause: `cannot load: no such file`.
fn ends_with(message: &str, cause: &str) -> bool {
    !cause.is_empty() && message.strip_suffix(cause).is_some_and(|before| before.ends_with(": "))
}

impl Failures {
    pub(crate) fn remember(&self, failure: &Arc<Failure>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REMEMBERED {
            known.pop_front();
        }
        known.push_back(Arc::clone(failure));
    }

    /// The id of an error, if a span below failed with it: the surest match, of several the latest.
    pub(crate) fn id_of(&self, error: &ErrorInfo) -> Option<Uuid> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ranked = known.iter().rev().filter_map(|failure| Some((failure.rank(error)?, failure.id)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(chain: &[&str]) -> ErrorInfo {
        let sources = chain[1..].iter().map(|text| Str::copied(text)).collect();
        ErrorInfo { sources, ..ErrorInfo::message(Str::copied(chain[0])) }
    }

    fn id(value: u128) -> Uuid {
        Uuid::from_u128(value)
    }

    #[test]
    fn the_surest_match_wins_over_the_latest() {
        let failures = Failures::default();
        failures.remember(&Arc::new(Failure::new(&error(&["tool a failed", "connection refused"]), id(1))));
        failures.remember(&Arc::new(Failure::new(&error(&["tool b failed", "connection refused"]), id(2))));
        let of = |chain: &[&str]| failures.id_of(&error(chain));
        assert_eq!(of(&["tool a failed", "connection refused"]), Some(id(1)));
        assert_eq!(of(&["run failed", "tool a failed", "connection refused"]), Some(id(1)));
        assert_eq!(of(&["run failed: tool b failed"]), Some(id(2)), "the message is kept as text");
        assert_eq!(of(&["connection refused"]), Some(id(2)), "the cause alone, of the latest");
        assert_eq!(of(&["unavailable", "connection refused"]), Some(id(2)), "another type, the same source");
        assert_eq!(of(&["tool c failed"]), None);
        assert_eq!(of(&["a tool b failed"]), None, "a message that only ends alike is another error");
    }

    #[test]
    fn the_memory_is_bounded() {
        let failures = Failures::default();
        for at in 0..100 {
            failures.remember(&Arc::new(Failure::new(&error(&[&format!("e{at}")]), id(at))));
        }
        assert_eq!(failures.0.lock().unwrap().len(), REMEMBERED);
        assert_eq!((failures.id_of(&error(&["e99"])), failures.id_of(&error(&["e1"]))), (Some(id(99)), None));
    }
}
