//! How probable it was that a trace is recorded, for whoever weighs what arrives.

use obs_core::{Ratio, Str};

use super::SamplingInput;
use super::rule::{Parents, Rule};
use crate::propagation::probability;

/// The threshold of a share that takes nothing.
const NEVER: u64 = Ratio::from_threshold(u64::MAX).threshold();

/// What is known of that where a rule has taken a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// What the parent says of it, since the parent has decided.
    OfParent,
    /// It was in this share.
    Share(Ratio),
    /// Nothing: a rate or a function has decided.
    Unknown,
}

impl Weight {
    /// What `tracestate` says from here on.
    pub(crate) fn tell(self, state: Option<&Str>) -> Option<Str> {
        match self {
            Self::OfParent => state.cloned(),
            Self::Share(share) => probability::with_share(state, Some(share)),
            Self::Unknown => probability::with_share(state, None),
        }
    }
}

impl From<Option<Ratio>> for Weight {
    fn from(share: Option<Ratio>) -> Self {
        share.map_or(Self::Unknown, Self::Share)
    }
}

impl Rule {
    /// Of a span that this rule has taken; `known` is the share that its parent says it was in.
    pub(super) fn weight(&self, input: &SamplingInput<'_>, known: Option<Ratio>) -> Weight {
        let Some(parent) = input.parent else { return self.share(input).into() };
        match self {
            Self::Types { .. } => self.of_type(input).weight(input, known),
            Self::IgnoringRemote(rule) if parent.is_remote => rule.share(input).into(),
            Self::IgnoringRemote(rule) => rule.weight(input, known),
            Self::Parents(parents) => parents.weight(input, known),
            Self::All(rules) | Self::Any(rules) => {
                let follows = |rule: &Self| rule.weight(input, known) == Weight::OfParent;
                if rules.iter().all(follows) { Weight::OfParent } else { Weight::Unknown }
            }
            Self::Ratio(_) | Self::Rate(_) | Self::Custom(_) => Weight::OfParent,
        }
    }

    /// The share that it takes where nobody has decided before, if it is one.
    fn share(&self, input: &SamplingInput<'_>) -> Option<Ratio> {
        match self {
            Self::Ratio(ratio) => Some(*ratio),
            Self::Types { .. } => self.of_type(input).share(input),
            Self::IgnoringRemote(rule) => rule.share(input),
            Self::Parents(parents) if input.parent.is_none() => parents.root.share(input),
            Self::Parents(_) | Self::Rate(_) | Self::All(_) | Self::Any(_) | Self::Custom(_) => None,
        }
    }
}

impl Parents {
    /// Both rules count: what one takes of sampled parents' traces, and what the other takes of the rest.
    ///
    /// All shares are of one and the same randomness, so that they lie within each other.
    fn weight(&self, input: &SamplingInput<'_>, known: Option<Ratio>) -> Weight {
        let Some(parent) = input.parent else { return self.root.share(input).into() };
        let (of_sampled, of_others) = if parent.is_remote {
            (&self.remote_sampled, &self.remote_unsampled)
        } else {
            (&self.local_sampled, &self.local_unsampled)
        };
        let Some((of_sampled, of_others)) = of_sampled.share(input).zip(of_others.share(input)) else {
            return Weight::Unknown;
        };
        let known = known.map(Ratio::threshold);
        let threshold = match (of_sampled.threshold(), of_others.threshold(), parent.is_sampled) {
            (0, NEVER, _) => return Weight::OfParent,
            (one, other, _) if one == other => Some(one),
            (one, NEVER, true) => known.map(|known| known.max(one)),
            (0, other, true) => known.map(|known| known.min(other)),
            (0, other, false) => Some(other),
            _ => None,
        };
        threshold.map(Ratio::from_threshold).into()
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{SpanId, TraceContext, TraceId};

    use super::*;
    use crate::sampling::{ParentBased, Sampling, SamplingParent};

    fn ratio(share: f64) -> Ratio {
        Ratio::new(share).unwrap()
    }

    fn share(share: f64) -> Sampling {
        Sampling::ratio(share).unwrap()
    }

    fn parent(is_remote: bool, is_sampled: bool) -> SamplingParent {
        SamplingParent { span_id: SpanId::new(1).unwrap(), is_sampled, is_remote }
    }

    /// Under a parent that says it was in half of all traces, if it is sampled.
    fn weight(sampling: &Sampling, parent: impl Into<Option<SamplingParent>>) -> Weight {
        let parent = parent.into();
        let trace_id = TraceId::new(1).unwrap();
        let known = parent.filter(|parent| parent.is_sampled).map(|_| ratio(0.5));
        let trace = TraceContext::default();
        let input =
            SamplingInput { trace_id, randomness: 1, name: "s", span_type: "generic", parent, trace: &trace };
        Rule::of(sampling).weight(&input, known)
    }

    #[test]
    fn only_shares_can_be_weighed() {
        let by_type = |sampling| Sampling::by_span_type([("generic", sampling)], Sampling::Never).unwrap();
        assert_eq!(weight(&share(0.25), None), Weight::Share(ratio(0.25)));
        assert_eq!(weight(&by_type(share(0.25)), None), Weight::Share(ratio(0.25)));
        assert_eq!(weight(&share(0.25).ignoring_remote_parents(), None), Weight::Share(ratio(0.25)));
        for unknown in [
            Sampling::per_second(1.0).unwrap(),
            Sampling::custom(|_| true),
            share(0.5).and(Sampling::per_second(1.0).unwrap()),
        ] {
            assert_eq!(weight(&unknown, None), Weight::Unknown, "{unknown:?}");
            assert_eq!(weight(&unknown, parent(true, true)), Weight::OfParent);
            assert_eq!(weight(&unknown.ignoring_remote_parents(), parent(true, true)), Weight::Unknown);
        }
    }

    #[test]
    fn what_is_taken_of_each_kind_of_parents_makes_the_share() {
        let of = |sampled: Sampling, others: Sampling| -> Sampling {
            ParentBased::new(Sampling::Never)
                .with_remote_sampled(sampled)
                .with_remote_unsampled(others)
                .into()
        };
        let known = |share: f64| Weight::Share(ratio(share));
        for (sampling, under_sampled, under_others) in [
            (share(0.1), Weight::OfParent, Weight::OfParent),
            (share(0.1).ignoring_remote_parents(), known(0.1), known(0.1)),
            (of(share(0.1), share(0.1)), known(0.1), known(0.1)),
            (of(share(0.1), Sampling::Never), known(0.1), Weight::Unknown),
            (of(share(0.9), Sampling::Never), known(0.5), Weight::Unknown),
            (of(Sampling::Always, share(0.1)), known(0.5), known(0.1)),
            (of(Sampling::Always, share(0.9)), known(0.9), known(0.9)),
            (of(Sampling::Always, Sampling::Always), known(1.0), known(1.0)),
            (of(share(0.2), share(0.1)), Weight::Unknown, Weight::Unknown),
        ] {
            assert_eq!(weight(&sampling, parent(true, true)), under_sampled, "{sampling:?}");
            assert_eq!(weight(&sampling, parent(true, false)), under_others, "{sampling:?}");
            assert_eq!(weight(&sampling, parent(false, true)), Weight::OfParent, "{sampling:?}");
        }
    }
}
