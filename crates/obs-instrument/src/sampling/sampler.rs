//! The sampling of a running instance.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use obs_core::{Ratio, Str, TraceContext, TraceId};
use obs_pipeline::Clock;

use super::rule::{Reach, Rule};
use super::{Sampling, SamplingInput, SamplingParent, Weight};

/// The threshold of a ratio that takes nothing.
const NEVER: u64 = Ratio::from_threshold(u64::MAX).threshold();
/// Stands in place of a threshold where a rule must be asked.
const RULE: u64 = u64::MAX;

/// Decides, and can be told to decide otherwise.
///
/// One load decides about a root where all, none or a share of the traces are taken, and one load about a child where
/// its parent has the say; only what is more than that takes a lock, shared with other readers.
pub(crate) struct Sampler {
    /// The rejection threshold for roots, or [`RULE`].
    roots: AtomicU64,
    /// A [`Reach`].
    reach: AtomicU8,
    current: RwLock<(Sampling, Arc<Rule>)>,
}

/// A span that is about to start.
pub(crate) struct Question<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) randomness: u64,
    pub(crate) name: &'a str,
    pub(crate) span_type: &'static str,
    pub(crate) trace: &'a TraceContext,
    pub(crate) clock: &'a Clock,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        let rule = Arc::new(Rule::of(&sampling));
        let (roots, reach) = told(&rule);
        let (roots, reach) = (AtomicU64::new(roots), AtomicU8::new(reach));
        Self { roots, reach, current: RwLock::new((sampling, rule)) }
    }

    /// From now on decides by this.
    pub(crate) fn set(&self, sampling: Sampling) {
        let rule = Arc::new(Rule::of(&sampling));
        let (roots, reach) = told(&rule);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, (sampling, rule));
        self.roots.store(roots, Ordering::Relaxed);
        self.reach.store(reach, Ordering::Relaxed);
        drop(current);
        // What a custom sampler holds is dropped outside of the lock, since it may call back.
        drop(before);
    }

    pub(crate) fn get(&self) -> Sampling {
        self.current.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Whether no root is taken, whatever its id.
    #[inline]
    pub(crate) fn takes_no_root(&self) -> bool {
        self.roots.load(Ordering::Relaxed) == NEVER
    }

    /// Whether a new trace is recorded.
    #[inline]
    pub(crate) fn takes_root(&self, question: &Question<'_>) -> bool {
        let threshold = self.roots.load(Ordering::Relaxed);
        if threshold == RULE {
            return self.ask(question, None, |rule, input| rule.takes(input, question.clock));
        }
        Ratio::from_threshold(threshold).takes_randomness(question.randomness)
    }

    /// What `tracestate` says of a new trace that was taken: in which share it was; nothing where every root is taken.
    #[inline]
    pub(crate) fn state_of_root(&self, question: &Question<'_>) -> Option<Str> {
        match self.roots.load(Ordering::Relaxed) {
            0 => None,
            RULE => self.ask(question, None, |rule, input| rule.weight(input, None)).tell(None),
            threshold => Weight::Share(Ratio::from_threshold(threshold)).tell(None),
        }
    }

    /// Whether it has a say about spans that have a parent; else they do as the parent does.
    #[inline]
    pub(crate) fn asks_below(&self) -> bool {
        self.reach.load(Ordering::Relaxed) > Reach::Roots as u8
    }

    /// The weight of a span below this parent, if it is recorded; `known` is the share that the parent says it was in.
    pub(crate) fn takes_below(
        &self,
        question: &Question<'_>,
        parent: SamplingParent,
        known: Option<Ratio>,
    ) -> Option<Weight> {
        let least = if parent.is_remote { Reach::Remote } else { Reach::Local };
        if self.reach.load(Ordering::Relaxed) < least as u8 {
            return parent.is_sampled.then_some(Weight::OfParent);
        }
        self.ask(question, Some(parent), |rule, input| {
            rule.takes(input, question.clock).then(|| rule.weight(input, known))
        })
    }

    #[cold]
    fn ask<R>(
        &self,
        question: &Question<'_>,
        parent: Option<SamplingParent>,
        ask: impl FnOnce(&Rule, &SamplingInput<'_>) -> R,
    ) -> R {
        let rule = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1);
        let Question { trace_id, randomness, name, span_type, trace, .. } = *question;
        ask(&rule, &SamplingInput { trace_id, randomness, name, span_type, parent, trace })
    }
}

/// What the hot path loads.
fn told(rule: &Rule) -> (u64, u8) {
    (rule.share_of_roots().map_or(RULE, Ratio::threshold), rule.reach() as u8)
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{SpanId, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::ParentBased;

    fn parent(is_remote: bool, is_sampled: bool) -> SamplingParent {
        SamplingParent { span_id: SpanId::new(1).unwrap(), is_sampled, is_remote }
    }

    /// What the sampler does with a span under each of the five kinds of parents: none, remote and local ones.
    fn verdicts(sampler: &Sampler, trace_id: u128, span_type: &'static str) -> [bool; 5] {
        let clock = Clock::manual(Timestamp::default()).0;
        let trace_id = TraceId::new(trace_id).unwrap();
        let trace = TraceContext::default();
        let randomness = Ratio::randomness_of(trace_id);
        let question = Question { trace_id, randomness, name: "s", span_type, trace: &trace, clock: &clock };
        let below = |is_remote: bool, is_sampled: bool| {
            let parent = parent(is_remote, is_sampled);
            let taken = || sampler.takes_below(&question, parent, None).is_some();
            if sampler.asks_below() { taken() } else { is_sampled }
        };
        let root = !sampler.takes_no_root() && sampler.takes_root(&question);
        [root, below(true, true), below(true, false), below(false, true), below(false, false)]
    }

    fn sampling() -> impl Strategy<Value = Sampling> {
        let leaf = prop_oneof![
            Just(Sampling::Always),
            Just(Sampling::Never),
            (0.0f64..=1.0).prop_map(|share| Sampling::ratio(share).unwrap()),
            Just(Sampling::custom(|root| root.trace_id.get() % 3 == 0)),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                pair.clone().prop_map(|(a, b)| a.and(b)),
                pair.clone().prop_map(|(a, b)| a.or(b)),
                pair.prop_map(|(a, b)| Sampling::by_span_type([("tool_call", a)], b).unwrap()),
                inner.prop_map(|root| ParentBased::new(root).into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn parents_decide_unless_something_else_is_said(sampling in sampling(), id in 1u128..) {
            let sampler = Sampler::new(sampling);
            for span_type in ["generic", "tool_call"] {
                prop_assert_eq!(&verdicts(&sampler, id, span_type)[1..], [true, false, true, false]);
            }
        }

        #[test]
        fn a_sampler_that_is_changed_is_as_one_made_so(a in sampling(), b in sampling(), id in 1u128..) {
            let changed = Sampler::new(a);
            changed.set(b.clone());
            prop_assert_eq!(verdicts(&changed, id, "generic"), verdicts(&Sampler::new(b), id, "generic"));
        }

        #[test]
        fn two_take_what_each_takes(a in sampling(), b in sampling(), id in 1u128..) {
            let root = |sampling: Sampling| verdicts(&Sampler::new(sampling), id, "generic")[0];
            prop_assert_eq!(root(a.clone().and(b.clone())), root(a.clone()) && root(b.clone()));
            prop_assert_eq!(root(a.clone().or(b.clone())), root(a) || root(b));
        }
    }

    #[test]
    fn each_kind_of_parent_can_be_given_a_sampling_of_its_own() {
        let of = |sampling: Sampling| verdicts(&Sampler::new(sampling), 1, "generic");
        let none = || ParentBased::new(Sampling::Never);
        assert_eq!(of(none().into()), [false, true, false, true, false]);
        assert_eq!(
            of(none().with_remote_sampled(Sampling::Never).into()),
            [false, false, false, true, false]
        );
        assert_eq!(
            of(none().with_remote_unsampled(Sampling::Always).into()),
            [false, true, true, true, false]
        );
        assert_eq!(of(none().with_local_sampled(Sampling::Never).into()), [false, true, false, false, false]);
        assert_eq!(
            of(none().with_local_unsampled(Sampling::Always).into()),
            [false, true, false, true, true]
        );
        assert_eq!(of(Sampling::Always.ignoring_remote_parents()), [true, true, true, true, false]);
        assert_eq!(of(Sampling::Never.ignoring_remote_parents()), [false, false, false, true, false]);
    }

    #[test]
    fn the_first_type_alone_falls_under_its_sampling() {
        let agents = Sampling::by_span_type([("agent_run", Sampling::Always)], Sampling::Never).unwrap();
        let sampler = Sampler::new(agents);
        assert_eq!(verdicts(&sampler, 1, "agent_run"), [true, true, false, true, false]);
        assert_eq!(verdicts(&sampler, 1, "tool_call"), [false, true, false, true, false]);
    }

    #[test]
    fn a_custom_sampler_may_change_the_sampling() {
        let sampler = Arc::new(Sampler::new(Sampling::Always));
        let weak = Arc::downgrade(&sampler);
        sampler.set(Sampling::custom(move |_| {
            weak.upgrade().unwrap().set(Sampling::Never);
            true
        }));
        assert!(verdicts(&sampler, 1, "generic")[0]);
        assert!(sampler.takes_no_root());
    }
}
