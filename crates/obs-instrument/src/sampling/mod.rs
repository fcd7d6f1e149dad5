//! Which traces are recorded.

mod bucket;
mod overrule;
mod parent;
mod rule;
mod sampler;
mod weight;

use std::fmt;
use std::sync::Arc;

use obs_core::{Error, Ratio, RatioError, SpanId, SpanType, TraceContext, TraceId, suggest};

pub use self::bucket::Rate;
pub(crate) use self::overrule::overrule;
pub use self::parent::ParentBased;
pub(crate) use self::sampler::{Question, Sampler};
pub(crate) use self::weight::Weight;

/// Which traces are recorded; decided where a trace begins, and every span, log and exemplar below follows.
///
/// A parent in another process decides for its children here, unless [`ParentBased`] or
/// [`Self::ignoring_remote_parents`] says otherwise.
/// Values combine: a tenth of the runs of agents, and of those at most five a second, is
///
/// ```
/// use obs_instrument::Sampling;
///
/// let agents = Sampling::ratio(0.1)?.and(Sampling::per_second(5.0)?);
/// let sampling = Sampling::by_span_type([("agent_run", agents)], Sampling::Never)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// All of them.
    #[default]
    Always,
    /// None of them.
    Never,
    /// A share of them, by their id, so that every service decides alike.
    Ratio(Ratio),
    /// At most so many a second, those that come first; see [`Self::per_second`].
    RateLimited(Rate),
    /// By the type of the span that begins the trace here; see [`Self::by_span_type`].
    BySpanType(Arc<BySpanType>),
    /// By what the parent says; see [`ParentBased`].
    ParentBased(Arc<ParentBased>),
    /// By this, whatever parents in other processes say; see [`Self::ignoring_remote_parents`].
    IgnoringRemote(Arc<Self>),
    /// Those that all of these take; a later one is asked only if the earlier ones say yes.
    All(Arc<[Self]>),
    /// Those that one of these takes; a later one is asked only if the earlier ones say no.
    Any(Arc<[Self]>),
    /// What the function says; it runs on the application's thread, and a panic of it counts as no.
    Custom(Arc<dyn Fn(&SamplingInput<'_>) -> bool + Send + Sync>),
}

/// What a custom sampler knows.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SamplingInput<'a> {
    /// The trace's id.
    pub trace_id: TraceId,
    /// What decides about shares: the last 56 bits of the id, unless the parent's `tracestate` says another by `rv`.
    pub randomness: u64,
    /// The name of the span that begins the trace here.
    pub name: &'a str,
    /// The name of that span's type, as [`obs_core::SpanType::name`] has it.
    pub span_type: &'static str,
    /// Its parent, for a sampler in [`ParentBased`]; elsewhere parents have decided, and only roots are asked about.
    pub parent: Option<SamplingParent>,
    /// What is known of the trace: user, tags, metadata, as the builder's `trace` or the parent set them.
    pub trace: &'a TraceContext,
}

/// The parent of the span that is decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplingParent {
    /// Its id.
    pub span_id: SpanId,
    /// Whether it is recorded.
    pub is_sampled: bool,
    /// Whether it is in another process.
    pub is_remote: bool,
}

/// A [`Sampling`] for each of some types of spans, and one for the rest.
#[derive(Debug, Clone)]
pub struct BySpanType {
    types: Vec<(&'static str, Sampling)>,
    otherwise: Sampling,
}

impl Sampling {
    /// A share of the traces.
    ///
    /// # Errors
    /// If the share is not between 0 and 1.
    pub fn ratio(share: f64) -> Result<Self, RatioError> {
        Ratio::new(share).map(Self::Ratio)
    }

    /// At most so many traces a second, by the instance's clock.
    ///
    /// A second's worth, at least one trace, may begin at once; `0.1` is one in ten seconds.
    /// Each service counts for itself, so let parents decide, or combine it with [`Self::ratio`].
    /// A clone that is put elsewhere in a sampling, under another type of span for one, counts for itself, too.
    ///
    /// # Errors
    /// If the rate is not above zero.
    pub fn per_second(traces: f64) -> Result<Self, Error> {
        Rate::per_second(traces).map(Self::RateLimited)
    }

    /// By the type of the span that begins the trace here; types that are not named fall under `otherwise`.
    ///
    /// # Errors
    /// If a name is none of [`SpanType::NAMES`], or stands twice.
    pub fn by_span_type<N: AsRef<str>>(
        types: impl IntoIterator<Item = (N, Self)>,
        otherwise: Self,
    ) -> Result<Self, Error> {
        let mut known: Vec<(&'static str, Self)> = Vec::new();
        for (name, sampling) in types {
            let name = span_type(name.as_ref())?;
            if known.iter().any(|(other, _)| *other == name) {
                return Err(Error::config(
                    "sampling",
                    format!("`{name}` stands twice; leave one of them out"),
                ));
            }
            known.push((name, sampling));
        }
        Ok(Self::BySpanType(Arc::new(BySpanType { types: known, otherwise })))
    }

    /// A sampler of one's own.
    pub fn custom(sample: impl Fn(&SamplingInput<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(sample))
    }

    /// Those that both take; the other is asked only if this one says yes.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::All(Arc::new([self, other]))
    }

    /// Those that one of them takes; the other is asked only if this one says no.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Any(Arc::new([self, other]))
    }

    /// The same, also where a parent in another process has decided; spans here still follow their parents here.
    ///
    /// A trace may then lack the spans of other services, as with OpenTelemetry's samplers that are not `parentbased`.
    #[must_use]
    pub fn ignoring_remote_parents(self) -> Self {
        Self::IgnoringRemote(Arc::new(self))
    }

    /// What decides about roots.
    pub(crate) fn of_roots(&self) -> &Self {
        match self {
            Self::ParentBased(parents) => parents.root.of_roots(),
            Self::IgnoringRemote(sampling) => sampling.of_roots(),
            other => other,
        }
    }
}

/// The known name of a type of span.
pub(crate) fn span_type(name: &str) -> Result<&'static str, Error> {
    if let Some(known) = SpanType::NAMES.into_iter().find(|known| *known == name) {
        return Ok(known);
    }
    let hint = match suggest::nearest(name, SpanType::NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", SpanType::NAMES.join(", ")),
    };
    Err(Error::config("span type", format!("there is no `{name}`; {hint}")))
}

impl fmt::Debug for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("Always"),
            Self::Never => f.write_str("Never"),
            Self::Ratio(ratio) => write!(f, "{ratio:?}"),
            Self::RateLimited(rate) => write!(f, "{rate:?}"),
            Self::BySpanType(types) => write!(f, "{types:?}"),
            Self::ParentBased(parents) => write!(f, "{parents:?}"),
            Self::IgnoringRemote(sampling) => f.debug_tuple("IgnoringRemote").field(sampling).finish(),
            Self::All(all) => f.debug_tuple("All").field(all).finish(),
            Self::Any(any) => f.debug_tuple("Any").field(any).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_none_is_refused() {
        assert!(Sampling::ratio(1.1).unwrap_err().to_string().contains("between 0 and 1"));
    }

    #[test]
    fn an_unknown_type_is_answered_with_the_nearest() {
        let refused = |names: &[&str]| {
            let types = names.iter().map(|name| (*name, Sampling::Always));
            Sampling::by_span_type(types, Sampling::Never).unwrap_err().message().to_owned()
        };
        assert_eq!(refused(&["agent-run"]), "span type: there is no `agent-run`; did you mean `agent_run`?");
        assert!(refused(&["x"]).contains("known: agent_run, workflow_run"), "{}", refused(&["x"]));
        assert!(refused(&["agent_run", "agent_run"]).contains("stands twice"));
    }
}
