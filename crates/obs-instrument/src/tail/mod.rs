//! Which traces are kept, decided once they are over: tail sampling.

mod buffer;
mod decisions;
mod held;
mod rules;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use obs_core::units::{Bytes, duration};
use obs_core::{Error, Ratio, Str, suggest};
use serde::{Deserialize, Deserializer};

pub(crate) use buffer::Tail;
pub use held::TailTrace;
pub use rules::ScoreRule;

/// Keeps the traces that are worth it, and a share of the rest; what is dropped counts as `filtered{tail_sampled}`.
///
/// The records of a trace wait in memory until one of the rules holds for it, or until it is over and none does.
/// A trace is kept as soon as a rule holds; what it costs, and what a rule of one's own says, is known only when it is over.
/// Those of the baseline's share never wait.
/// Logs, scores and feedback of a trace wait with it and follow it; metrics pass, so that counts stay exact, though the span that one
/// has for an example may be dropped.
/// What comes after the decision follows it.
///
/// Of a trace that began in another process only the part in this one is seen and decided on; the first span here whose
/// parent is elsewhere is taken for its root.
/// Logs, scores and feedback of a trace of which no span has ended here wait for [`Self::max_age`], then pass, and the trace is
/// kept with them, whatever its spans turn out to be: no log goes out of a trace that is dropped later.
/// A flush, a sync and a shutdown decide everything at once on what was seen so far, so that nothing stays behind, and so is the
/// oldest trace where there is no room for one more.
/// Each trace that has a log, a score or feedback then and no span that has ended is kept, too: who flushes often while traces
/// are open that have logs, or has more of them open than [`Self::max_traces`] and [`Self::max_bytes`] leave room for, keeps most
/// of them.
/// One that has spans is decided by those that have ended, so that what happens later in it counts no more.
///
/// It is both the builder and the form in a configuration file, in which every option is optional:
///
/// ```
/// use std::time::Duration;
/// use obs_instrument::TailSampling;
///
/// let written: TailSampling = serde_json::from_str(
///     r#"{ "slow": "30s", "cost": 0.5, "scores": [{ "name": "relevance", "below": 0.5 }], "baseline": 0.05 }"#,
/// )?;
/// let built = TailSampling::new()
///     .with_slow(Duration::from_secs(30))
///     .with_cost(0.5)
///     .with_score_below("relevance", 0.5)
///     .with_baseline(0.05);
/// assert_eq!(format!("{written:?}"), format!("{built:?}"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct TailSampling {
    /// Whether traces in which a span failed are kept; they are by default.
    pub errors: bool,
    /// Keeps traces whose root took longer; off by default, since nobody but you knows what is slow.
    #[serde(with = "duration::option")]
    pub slow: Option<Duration>,
    /// Keeps traces in which a call of a model took longer; off by default.
    #[serde(with = "duration::option")]
    pub slow_model_call: Option<Duration>,
    /// Keeps traces whose model calls cost more together, each counted once, in any one currency, since amounts of several are
    /// not added up; off by default.
    pub cost: Option<f64>,
    /// Keeps traces with a score or rating beyond a limit; none by default.
    pub scores: Vec<ScoreRule>,
    /// Whether traces that somebody gave thumbs down are kept; they are by default.
    pub thumbs_down: bool,
    /// The share of all traces that is kept whatever happens in them, by their ids, so that every service keeps the same ones;
    /// a tenth by default.
    pub baseline: f64,
    /// How long after its root ended a trace waits for scores and late spans; 5 s by default.
    #[serde(with = "duration")]
    pub max_wait: Duration,
    /// How long a trace waits whose root does not end; it is decided then on what was seen. 5 min by default.
    #[serde(with = "duration")]
    pub max_age: Duration,
    /// How many traces wait at most; beyond that the oldest is decided early. 10,000 by default.
    pub max_traces: usize,
    /// How many bytes wait at most, as [`obs_core::ByteSize`] estimates them; beyond that the oldest trace is decided early.
    ///
    /// 64 MB by default, besides those of the intake.
    pub max_bytes: Bytes,
    /// How many decisions are remembered for what comes late; those that were not asked for longest are forgotten. 100,000 by
    /// default, about 10 MB.
    pub max_decisions: usize,
    #[serde(skip)]
    keep: Option<Keep>,
}

/// A rule of one's own.
#[derive(Clone)]
struct Keep(Arc<dyn Fn(&TailTrace) -> bool + Send + Sync>);

impl Keep {
    /// Whether the trace is kept; a rule that panics keeps it, since it cannot have meant to lose it.
    fn holds(&self, trace: &TailTrace) -> bool {
        catch_unwind(AssertUnwindSafe(|| (self.0)(trace))).unwrap_or(true)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}

impl<'de> Deserialize<'de> for TailSampling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

impl Default for TailSampling {
    fn default() -> Self {
        Self {
            errors: true,
            slow: None,
            slow_model_call: None,
            cost: None,
            scores: Vec::new(),
            thumbs_down: true,
            baseline: 0.1,
            max_wait: Duration::from_secs(5),
            max_age: Duration::from_mins(5),
            max_traces: 10_000,
            max_bytes: Bytes::new(64_000_000),
            max_decisions: 100_000,
            keep: None,
        }
    }
}

impl TailSampling {
    /// Keeps traces with errors or thumbs down, and a tenth of the rest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`Self::errors`].
    #[must_use]
    pub fn with_errors(self, errors: bool) -> Self {
        Self { errors, ..self }
    }

    /// Sets [`Self::slow`].
    #[must_use]
    pub fn with_slow(self, over: Duration) -> Self {
        Self { slow: Some(over), ..self }
    }

    /// Sets [`Self::slow_model_call`].
    #[must_use]
    pub fn with_slow_model_call(self, over: Duration) -> Self {
        Self { slow_model_call: Some(over), ..self }
    }

    /// Sets [`Self::cost`].
    #[must_use]
    pub fn with_cost(self, over: f64) -> Self {
        Self { cost: Some(over), ..self }
    }

    /// Adds a rule to [`Self::scores`]: keeps traces with a score, or feedback, of this name below a limit.
    #[must_use]
    pub fn with_score_below(mut self, name: impl Into<Str>, limit: f64) -> Self {
        self.scores.push(ScoreRule { name: name.into(), below: Some(limit), above: None });
        self
    }

    /// Adds a rule to [`Self::scores`]: keeps traces with a score, or feedback, of this name above a limit.
    #[must_use]
    pub fn with_score_above(mut self, name: impl Into<Str>, limit: f64) -> Self {
        self.scores.push(ScoreRule { name: name.into(), below: None, above: Some(limit) });
        self
    }

    /// Sets [`Self::thumbs_down`].
    #[must_use]
    pub fn with_thumbs_down(self, thumbs_down: bool) -> Self {
        Self { thumbs_down, ..self }
    }

    /// Sets [`Self::baseline`].
    #[must_use]
    pub fn with_baseline(self, share: f64) -> Self {
        Self { baseline: share, ..self }
    }

    /// Keeps traces for which this holds, too; it is asked once a trace, on the collector's thread, when the trace is over and no
    /// other rule holds.
    ///
    /// One that panics keeps the trace.
    #[must_use]
    pub fn with_keep(self, holds: impl Fn(&TailTrace) -> bool + Send + Sync + 'static) -> Self {
        Self { keep: Some(Keep(Arc::new(holds))), ..self }
    }

    /// Sets [`Self::max_wait`].
    #[must_use]
    pub fn with_max_wait(self, wait: Duration) -> Self {
        Self { max_wait: wait, ..self }
    }

    /// Sets [`Self::max_age`].
    #[must_use]
    pub fn with_max_age(self, age: Duration) -> Self {
        Self { max_age: age, ..self }
    }

    /// Sets [`Self::max_traces`].
    #[must_use]
    pub fn with_max_traces(self, traces: usize) -> Self {
        Self { max_traces: traces, ..self }
    }

    /// Sets [`Self::max_bytes`].
    #[must_use]
    pub fn with_max_bytes(self, bytes: impl Into<Bytes>) -> Self {
        Self { max_bytes: bytes.into(), ..self }
    }

    /// Sets [`Self::max_decisions`].
    #[must_use]
    pub fn with_max_decisions(self, decisions: usize) -> Self {
        Self { max_decisions: decisions, ..self }
    }

    /// Whether the calls that were seen cost more than the limit.
    fn is_costly(&self, trace: &TailTrace) -> bool {
        self.cost.is_some_and(|limit| trace.cost().iter().any(|sum| sum.total > limit))
    }

    /// Whether the rule of one's own holds.
    fn is_kept(&self, trace: &TailTrace) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.holds(trace))
    }

    /// The processor that works like this.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] for a share that is none, a limit that is no number, a rule on scores without one, or bounds
    /// under which no trace can wait.
    pub(crate) fn into_processor(self) -> Result<Tail, Error> {
        let baseline =
            Ratio::new(self.baseline).map_err(|error| Error::config("tail_sampling.baseline", error))?;
        if self.cost.is_some_and(|cost| !cost.is_finite()) {
            return Err(Error::config(
                "tail_sampling.cost",
                "it is an amount of money; give a finite number",
            ));
        }
        for rule in &self.scores {
            rule.check()?;
        }
        if self.max_traces == 0 || self.max_bytes.get() == 0 || self.max_decisions == 0 {
            let advice = "`max_traces`, `max_bytes` and `max_decisions` must be above 0; leave tail sampling out to \
                          keep every trace";
            return Err(Error::config("tail_sampling", advice));
        }
        Ok(Tail::new(self, baseline))
    }
}
