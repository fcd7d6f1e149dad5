//! A sampling at work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use obs_core::Ratio;
use obs_pipeline::Clock;

use super::bucket::Bucket;
use super::{BySpanType, ParentBased, Sampling, SamplingInput, SamplingParent};

/// A [`Sampling`] with what it keeps from trace to trace; each instance has its own.
pub(super) enum Rule {
    Ratio(Ratio),
    Rate(Bucket),
    Types {
        types: Vec<(&'static str, Self)>,
        otherwise: Box<Self>,
    },
    Parents(Box<Parents>),
    /// One rule for roots and for what is under parents in other processes, so that a rate is one for all of them.
    IgnoringRemote(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Custom(Arc<dyn Fn(&SamplingInput<'_>) -> bool + Send + Sync>),
}

pub(super) struct Parents {
    pub(super) root: Rule,
    pub(super) remote_sampled: Rule,
    pub(super) remote_unsampled: Rule,
    pub(super) local_sampled: Rule,
    pub(super) local_unsampled: Rule,
}

/// Which spans a rule has a say about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Roots,
    /// Also those with a parent in another process.
    Remote,
    /// All of them.
    Local,
}

impl Rule {
    pub(super) fn of(sampling: &Sampling) -> Self {
        let all = |list: &[Sampling]| list.iter().map(Self::of).collect();
        match sampling {
            Sampling::Always => Self::Ratio(Ratio::from_threshold(0)),
            Sampling::Never => Self::Ratio(Ratio::from_threshold(u64::MAX)),
            Sampling::Ratio(ratio) => Self::Ratio(*ratio),
            Sampling::RateLimited(rate) => Self::Rate(Bucket::full(*rate)),
            Sampling::BySpanType(by) => {
                let BySpanType { types, otherwise } = &**by;
                let types = types.iter().map(|(name, sampling)| (*name, Self::of(sampling))).collect();
                Self::Types { types, otherwise: Box::new(Self::of(otherwise)) }
            }
            Sampling::ParentBased(parents) => {
                let ParentBased { root, remote_sampled, remote_unsampled, local_sampled, local_unsampled } =
                    &**parents;
                Self::Parents(Box::new(Parents {
                    root: Self::of(root),
                    remote_sampled: Self::of(remote_sampled),
                    remote_unsampled: Self::of(remote_unsampled),
                    local_sampled: Self::of(local_sampled),
                    local_unsampled: Self::of(local_unsampled),
                }))
            }
            Sampling::IgnoringRemote(sampling) => Self::IgnoringRemote(Box::new(Self::of(sampling))),
            Sampling::All(list) => Self::All(all(list)),
            Sampling::Any(list) => Self::Any(all(list)),
            Sampling::Custom(sample) => Self::Custom(Arc::clone(sample)),
        }
    }

    pub(super) fn reach(&self) -> Reach {
        let most =
            |rules: &mut dyn Iterator<Item = &Self>| rules.map(Self::reach).max().unwrap_or(Reach::Roots);
        match self {
            Self::Ratio(_) | Self::Rate(_) | Self::Custom(_) => Reach::Roots,
            Self::Types { types, otherwise } => {
                most(&mut types.iter().map(|(_, rule)| rule)).max(otherwise.reach())
            }
            Self::All(rules) | Self::Any(rules) => most(&mut rules.iter()),
            Self::Parents(parents)
                if !(parents.local_sampled.is_all() && parents.local_unsampled.is_none()) =>
            {
                Reach::Local
            }
            Self::Parents(parents)
                if parents.remote_sampled.is_all() && parents.remote_unsampled.is_none() =>
            {
                Reach::Roots
            }
            Self::Parents(_) => Reach::Remote,
            Self::IgnoringRemote(rule) => rule.reach().max(Reach::Remote),
        }
    }

    /// The share that it takes of roots, if it is one.
    pub(super) fn share_of_roots(&self) -> Option<Ratio> {
        match self {
            Self::Ratio(ratio) => Some(*ratio),
            Self::Parents(parents) => parents.root.share_of_roots(),
            Self::IgnoringRemote(rule) => rule.share_of_roots(),
            _ => None,
        }
    }

    fn is_all(&self) -> bool {
        matches!(self, Self::Ratio(ratio) if ratio.threshold() == 0)
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Ratio(ratio) if *ratio == Ratio::from_threshold(u64::MAX))
    }

    /// The answer; parents that nothing was said about have given it already.
    pub(super) fn takes(&self, input: &SamplingInput<'_>, clock: &Clock) -> bool {
        self.answer(input, clock, input.parent.map(|parent| parent.is_sampled))
    }

    /// The rule for spans of this type.
    pub(super) fn of_type(&self, input: &SamplingInput<'_>) -> &Self {
        let Self::Types { types, otherwise } = self else { return self };
        let found = types.iter().find(|(name, _)| *name == input.span_type);
        found.map_or(&**otherwise, |(_, rule)| rule)
    }

    fn answer(&self, input: &SamplingInput<'_>, clock: &Clock, given: Option<bool>) -> bool {
        match self {
            Self::Types { .. } => self.of_type(input).answer(input, clock, given),
            Self::Parents(parents) => parents.of(input.parent).answer(input, clock, None),
            Self::IgnoringRemote(rule) => {
                let near = input.parent.filter(|parent| !parent.is_remote);
                rule.answer(input, clock, near.map(|parent| parent.is_sampled))
            }
            Self::All(rules) => rules.iter().all(|rule| rule.answer(input, clock, given)),
            Self::Any(rules) => rules.iter().any(|rule| rule.answer(input, clock, given)),
            Self::Ratio(_) | Self::Rate(_) | Self::Custom(_) if given.is_some() => given == Some(true),
            Self::Ratio(ratio) => ratio.takes_randomness(input.randomness),
            Self::Rate(bucket) => bucket.take(clock.monotonic()),
            Self::Custom(sample) => catch_unwind(AssertUnwindSafe(|| sample(input))).unwrap_or(false),
        }
    }
}

impl Parents {
    fn of(&self, parent: Option<SamplingParent>) -> &Rule {
        match parent.map(|parent| (parent.is_remote, parent.is_sampled)) {
            None => &self.root,
            Some((true, true)) => &self.remote_sampled,
            Some((true, false)) => &self.remote_unsampled,
            Some((false, true)) => &self.local_sampled,
            Some((false, false)) => &self.local_unsampled,
        }
    }
}
