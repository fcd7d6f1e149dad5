//! The errors that spans below failed with, so that whoever fails with one of them shares its id.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use obs_core::ErrorInfo;
use uuid::Uuid;

/// How many errors a span remembers: those of a few branches side by side, each wrapped a few times.
const REMEMBERED: usize = 16;

/// The type of the error that a panic is recorded as.
pub(crate) const PANIC: &str = "panic";
/// The message of a span that a panic drops.
pub(crate) const PASSED: &str = "the thread panicked while the span was open";
/// The message of a panic that was called with something else than a text.
pub(crate) const WORDLESS: &str = "the code panicked, and not with a text";

/// An error that a span failed with.
///
/// Of its texts it keeps marks alone, since a trace may live long and a message may be as long as a model's answer.
#[derive(Debug)]
pub(crate) struct Failure {
    id: Uuid,
    /// Whether it is a panic, and whether that says more than that it is one.
    panic: Option<Panic>,
    message: Mark,
    sources: Box<[Mark]>,
}

/// What a panic says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Panic {
    /// What it was called with.
    Text,
    /// Nothing: only that it passed here.
    Silent,
}

/// A text by which it is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    length: usize,
    hash: u64,
}

impl Mark {
    fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        Self { length: text.len(), hash: hasher.finish() }
    }

    /// Whether this is the text; one that says nothing is no other's.
    fn is(&self, text: &str) -> bool {
        self.length > 0 && self.length == text.len() && *self == Self::of(text)
    }

    /// Whether a message keeps this one as its cause: `cannot load: no such file`.
    fn ends(&self, message: &str) -> bool {
        let at = message.len().checked_sub(self.length).filter(|at| message.is_char_boundary(*at));
        let parts = at.map(|at| message.split_at(at));
        parts.is_some_and(|(before, cause)| before.ends_with(": ") && self.is(cause))
    }
}

/// The latest errors of the spans below a span.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<VecDeque<Arc<Failure>>>);

impl Failure {
    pub(crate) fn new(error: &ErrorInfo, id: Uuid) -> Self {
        let sources = error.sources.iter().take(REMEMBERED).map(|source| Mark::of(source)).collect();
        Self { id, panic: panic(error), message: Mark::of(&error.message), sources }
    }

    /// How surely an error is this one; less is surer.
    fn rank(&self, error: &ErrorInfo) -> Option<u8> {
        let Self { message, sources, .. } = self;
        let is_same = message.is(&error.message);
        let wraps = || error.sources.iter().any(|source| message.is(source)) || message.ends(&error.message);
        let unwraps = || sources.iter().any(|source| source.is(&error.message));
        let shares_source =
            || error.sources.iter().any(|source| sources.iter().any(|known| known.is(source)));
        match () {
            () if is_same => Some(0),
            () if wraps() => Some(1),
            () if unwraps() => Some(2),
            () if shares_source() => Some(3),
            () if self.is_panic_of(error) => Some(4),
            () => None,
        }
    }

    /// Whether both are panics, and not two that say different things.
    fn is_panic_of(&self, error: &ErrorInfo) -> bool {
        let both = self.panic.zip(panic(error));
        both.is_some_and(|both| both != (Panic::Text, Panic::Text))
    }
}

fn panic(error: &ErrorInfo) -> Option<Panic> {
    let silent = [PASSED, WORDLESS].contains(&&*error.message);
    let said = if silent { Panic::Silent } else { Panic::Text };
    (error.error_type.as_deref() == Some(PANIC)).then_some(said)
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
    use obs_core::Str;

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
    fn what_says_nothing_is_no_other_s_and_panics_that_say_different_things_are_two() {
        let failures = Failures::default();
        failures.remember(&Arc::new(Failure::new(&error(&[""]), id(1))));
        assert_eq!(failures.id_of(&error(&[""])), None);
        assert_eq!(failures.id_of(&error(&["run failed: "])), None);
        let panic = |message: &str| ErrorInfo { error_type: Some(PANIC.into()), ..error(&[message]) };
        failures.remember(&Arc::new(Failure::new(&panic("index out of range"), id(2))));
        assert_eq!(failures.id_of(&panic("index out of range")), Some(id(2)));
        assert_eq!(failures.id_of(&panic(PASSED)), Some(id(2)), "it went on up");
        assert_eq!(failures.id_of(&panic("division by zero")), None, "another panic");
    }

    #[test]
    fn a_long_message_is_known_again_and_not_kept() {
        let failures = Failures::default();
        let long = "ü".repeat(100_000);
        failures.remember(&Arc::new(Failure::new(&error(&[&long]), id(1))));
        assert_eq!(failures.id_of(&error(&[&format!("run failed: {long}")])), Some(id(1)));
        assert_eq!(failures.id_of(&error(&[&format!("{}x", &long[2..])])), None);
        assert!(size_of::<Failure>() <= 64, "it is no longer than its marks");
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
