//! Keeps metrics from growing into more series than a backend can bear.

use std::hash::Hasher;

use obs_core::{Labels, Str};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::config::Cardinality;
use super::patterns::{ValuePattern, masked};

/// OpenTelemetry's label of the measurements that have no label set of their own.
const OVERFLOW: &str = "otel.metric.overflow";

/// What labels may be, whatever the metric.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Without case and separators.
    blocked: Vec<Box<str>>,
    patterns: Vec<ValuePattern>,
    max: usize,
    overflow: Labels,
}

impl Rules {
    pub(crate) fn new(config: &Cardinality) -> Self {
        let allowed: Vec<Box<str>> = config.allowed_labels.iter().map(|label| plain(label)).collect();
        let built_in = Cardinality::BLOCKED_LABELS.iter().map(|label| plain(label));
        let of_user = config.blocked_labels.iter().map(|label| plain(label));
        Self {
            blocked: built_in.chain(of_user).filter(|label| !allowed.contains(label)).collect(),
            patterns: config.value_patterns.clone(),
            max: config.max_label_sets,
            overflow: Labels::from([(OVERFLOW, "true")]),
        }
    }

    pub(crate) fn blocks(&self, label: &str) -> bool {
        self.blocked.iter().any(|blocked| is_plain(label, blocked))
    }

    /// The labels that may stay, with marks in their values; the very same list if nothing is to be changed.
    pub(crate) fn apply(&self, labels: &Labels) -> Labels {
        let stays = |(label, value): &(Str, Str)| {
            !self.blocks(label) && matches!(masked(value, &self.patterns), std::borrow::Cow::Borrowed(_))
        };
        if labels.iter().all(stays) {
            return labels.clone();
        }
        let kept = labels.iter().filter(|(label, _)| !self.blocks(label));
        kept.map(|(label, value)| (label.clone(), Str::from(masked(value, &self.patterns)))).collect()
    }
}

/// Letters and digits in lower case: what two spellings of a label have in common.
fn plain(label: &str) -> Box<str> {
    spelt(label).map(char::from).collect()
}

fn is_plain(label: &str, plain: &str) -> bool {
    spelt(label).eq(plain.bytes())
}

fn spelt(label: &str) -> impl Iterator<Item = u8> {
    label.bytes().filter(|byte| !b"_-.".contains(byte)).map(|byte| byte.to_ascii_lowercase())
}

/// The label sets of a metric, or of several that have the same labels: each is made once and shared.
#[derive(Debug, Default)]
pub(crate) struct LabelSets {
    /// What became of labels that were seen before, by their hash. Values that are never the same twice push each other
    /// out, so that it stays as small as the limit.
    known: FxHashMap<u64, Known>,
    distinct: FxHashSet<Labels>,
    /// Whether it was told that there are more than the limit.
    told: bool,
}

#[derive(Debug)]
struct Known {
    given: Labels,
    settled: Labels,
}

impl LabelSets {
    /// What becomes of these labels; `make` makes a list of them where they are seen for the first time.
    pub(crate) fn settle<'a>(
        &mut self,
        rules: &Rules,
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        make: impl FnOnce() -> Labels,
    ) -> Labels {
        let hash = hash_of(pairs.clone());
        match self.known.get(&hash) {
            Some(known) if are(&known.given, pairs) => known.settled.clone(),
            _ => self.learn(rules, hash, make()),
        }
    }

    #[cold]
    fn learn(&mut self, rules: &Rules, hash: u64, given: Labels) -> Labels {
        let settled = rules.apply(&given);
        let settled = match self.distinct.get(&settled) {
            Some(same) => same.clone(),
            None if self.distinct.len() + 1 < rules.max => {
                self.distinct.insert(settled.clone());
                settled
            }
            None => {
                self.tell(rules, &settled);
                rules.overflow.clone()
            }
        };
        if self.known.len() >= rules.max.saturating_mul(2) {
            self.known.clear();
        }
        self.known.insert(hash, Known { given, settled: settled.clone() });
        settled
    }

    /// Says once that from here on not every label set has a series of its own.
    fn tell(&mut self, rules: &Rules, labels: &Labels) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let names: Vec<&str> = labels.iter().map(|(label, _)| label.as_str()).collect();
        tracing::warn!(
            target: "obs::metrics",
            "metrics with the labels {} have {} label sets; further ones count together under {OVERFLOW}=true: block a \
             label whose values differ too much, or raise `cardinality.max_label_sets`",
            names.join(", "),
            rules.max
        );
    }
}

fn are<'a>(labels: &Labels, mut pairs: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let same = |known: &(Str, Str)| {
        pairs.next().is_some_and(|(label, value)| known.0 == *label && known.1 == *value)
    };
    labels.iter().all(same) && pairs.next().is_none()
}

fn hash_of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut hasher = FxHasher::default();
    for (label, value) in pairs {
        hasher.write(label.as_bytes());
        hasher.write_usize(label.len());
        hasher.write(value.as_bytes());
        hasher.write_usize(value.len());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settle(sets: &mut LabelSets, rules: &Rules, labels: &Labels) -> Labels {
        sets.settle(rules, labels.iter().map(|(label, value)| (&**label, &**value)), || labels.clone())
    }

    #[test]
    fn the_limit_keeps_known_sets_and_gives_the_rest_one() {
        let rules = Rules::new(&Cardinality::default().with_max_label_sets(3));
        let mut sets = LabelSets::default();
        let labels = |at: usize| Labels::from([("k", at.to_string())]);
        for round in 0..3 {
            for at in 0..10 {
                assert_eq!(sets.told, round > 0 || at > 2, "it is told when the first is beyond");
                let settled = settle(&mut sets, &rules, &labels(at));
                let expected = if at < 2 { labels(at) } else { Labels::from([(OVERFLOW, "true")]) };
                assert_eq!(settled, expected, "{at} in round {round}");
            }
        }
        assert!(sets.known.len() <= 6 && sets.distinct.len() == 2);
    }

    #[test]
    fn sets_that_become_the_same_are_one_and_shared() {
        let rules = Rules::new(&Cardinality::default());
        let mut sets = LabelSets::default();
        let with_id = |id: u128| {
            Labels::from([
                ("tool".to_owned(), format!("t-{}", uuid::Uuid::from_u128(id))),
                ("user_id".into(), id.to_string()),
            ])
        };
        let first = settle(&mut sets, &rules, &with_id(1));
        assert_eq!(first, Labels::from([("tool", "t-[uuid]")]));
        assert!(first.ptr_eq(&settle(&mut sets, &rules, &with_id(2))));
        assert!(first.ptr_eq(&settle(&mut sets, &rules, &with_id(1))));
        let plain = Labels::from([("tool", "search")]);
        assert!(plain.ptr_eq(&settle(&mut sets, &rules, &plain)), "what may stay is not copied");
    }

    #[test]
    fn blocked_labels_are_known_in_every_spelling_and_can_be_allowed() {
        let config = Cardinality::default().with_blocked_label("tenant").with_allowed_label("RUN-ID");
        let rules = Rules::new(&config);
        for (label, blocked) in [
            ("user_id", true),
            ("User_ID", true),
            ("userId", true),
            ("user.id", true),
            ("Tenant", true),
            ("run_id", false),
            ("user", false),
            ("user_ids", false),
            ("", false),
        ] {
            assert_eq!(rules.blocks(label), blocked, "{label}");
        }
        assert!(Cardinality::BLOCKED_LABELS.iter().all(|label| *label == "run_id" || rules.blocks(label)));
    }

    proptest! {
        #[test]
        fn no_metric_has_more_sets_than_the_limit(
            max in 1usize..8,
            given in prop::collection::vec(("[ab]", "[a-e]{1,2}"), 0..200),
        ) {
            let rules = Rules::new(&Cardinality::default().with_max_label_sets(max));
            let mut sets = LabelSets::default();
            let mut seen = FxHashSet::default();
            for pair in given {
                seen.insert(settle(&mut sets, &rules, &Labels::from([pair])));
            }
            prop_assert!(seen.len() <= max, "{seen:?}");
        }
    }
}
