//! The five signals, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the five signals of an AI application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Measurements and series.
    Metrics,
    /// Log records.
    Logs,
    /// Evaluation results.
    Scores,
    /// What people said of a result.
    Feedback,
}

impl Signal {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// All of them, in the order of their index.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Traces, Self::Metrics, Self::Logs, Self::Scores, Self::Feedback];

    /// The position in [`Signal::ALL`] and in every per-signal array.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in files, labels and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Scores => "scores",
            Self::Feedback => "feedback",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals(u8);

impl Signals {
    /// No signal.
    pub const NONE: Self = Self(0);
    /// Every signal.
    pub const ALL: Self = Self((1 << Signal::COUNT) - 1);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << signal.index())
    }

    /// This set without one.
    #[must_use]
    pub const fn without(self, signal: Signal) -> Self {
        Self(self.0 & !(1 << signal.index()))
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the signal is in the set.
    #[inline]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & 1 << signal.index() != 0
    }

    /// Whether no signal is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.into_iter().filter(move |signal| self.contains(*signal))
    }

    /// The set as bits, bit `n` for the signal with index `n`; for an atomic.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with these bits; bits beyond the signals are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl FromIterator<Signal> for Signals {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: Signals = [Signal::Logs, Signal::Traces].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Signal::Traces, Signal::Logs]);
        assert_eq!(Signals::from_bits(set.bits()), set);
        assert_eq!(Signals::ALL.without(Signal::Logs).union(set), Signals::ALL);
        assert!(Signal::ALL.iter().enumerate().all(|(at, signal)| signal.index() == at));
    }
}
