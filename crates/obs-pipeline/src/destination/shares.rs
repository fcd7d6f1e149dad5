//! What became of the points of a view, told in the records behind them.

use std::collections::{HashMap, VecDeque};

use obs_core::{Batch, Diverted, Receipt, Rejection};

/// Points that were sent, each with the records behind it.
///
/// A point is known by its place in memory, which layers that re-cut batches leave as it is.
#[derive(Debug)]
pub(super) struct Shares {
    by_address: HashMap<usize, usize>,
    /// How many points are left that nobody sent: copies, whose place is another.
    strange: usize,
}

impl Shares {
    /// Those of the first points of `sent`, as many as there are `records`.
    pub(super) fn of(sent: &Batch, records: &[usize]) -> Self {
        let by_address = sent.addresses().into_iter().zip(records.iter().copied()).collect();
        Self { by_address, strange: 0 }
    }

    /// Takes out the points that are left, and says how many records each has.
    pub(super) fn take_left(&mut self, left: &Batch) -> Vec<usize> {
        let mut take = |at| {
            let known = self.by_address.remove(&at);
            self.strange += usize::from(known.is_none());
            known.unwrap_or_default()
        };
        left.addresses().into_iter().map(&mut take).collect()
    }

    /// What became of the points that were not left, and how many records are in those left that nobody knows.
    ///
    /// A rejection that says which points it is of costs the records in them, and none where they have no new ones. Where
    /// only a number is known, it has that share of the records that are in no other point, rounded once for all.
    pub(super) fn in_records(mut self, points: &Receipt) -> (Receipt, usize) {
        let (mut known, mut exact) = (VecDeque::new(), 0);
        self.identify(points, &mut known, &mut exact);
        let records = self.by_address.values().sum();
        let unknown = points.settled().saturating_sub(exact) + self.strange;
        let mut split = Split { records, points: unknown, passed: 0 };
        let receipt = convert(points, &mut known, &mut split);
        (receipt, split.rest())
    }

    /// The records of each rejection whose points are all known, in the order of [`convert`].
    fn identify(&mut self, points: &Receipt, known: &mut VecDeque<Option<usize>>, exact: &mut usize) {
        for rejection in &points.rejected {
            let records = rejection.records.as_ref().filter(|batch| batch.len() == rejection.count);
            let addresses = records.map(Batch::addresses);
            let all_here =
                addresses.filter(|addresses| addresses.iter().all(|at| self.by_address.contains_key(at)));
            let of_all = all_here.map(|addresses| {
                *exact += addresses.len();
                addresses.iter().filter_map(|at| self.by_address.remove(at)).sum()
            });
            known.push_back(of_all);
        }
        for diverted in &points.diverted {
            self.identify(&diverted.receipt, known, exact);
        }
    }
}

fn convert(points: &Receipt, known: &mut VecDeque<Option<usize>>, split: &mut Split) -> Receipt {
    let mut receipt = Receipt::default();
    for rejection in &points.rejected {
        let exact = known.pop_front().flatten();
        let count = exact.unwrap_or_else(|| split.share(rejection.count));
        if count > 0 {
            let reason = format!("the backend refused points of the series: {}", rejection.reason).into();
            receipt.rejected.push(Rejection { records: None, count, reason, ..rejection.clone() });
        }
    }
    for diverted in &points.diverted {
        let there = convert(&diverted.receipt, known, split);
        receipt.diverted.push(Diverted { to: diverted.to.clone(), receipt: there });
    }
    receipt.dead_lettered = split.share(points.dead_lettered);
    receipt.queued = split.share(points.queued);
    receipt.delivered = split.share(points.delivered);
    receipt
}

/// Records shared out over points of which nobody knows which they are.
#[derive(Debug)]
struct Split {
    records: usize,
    points: usize,
    passed: usize,
}

impl Split {
    /// The share of the next points; all shares together are all records.
    fn share(&mut self, points: usize) -> usize {
        let before = self.up_to(self.passed);
        self.passed += points;
        self.up_to(self.passed) - before
    }

    /// What no point has had.
    fn rest(&self) -> usize {
        self.records - self.up_to(self.passed)
    }

    /// The records of so many points, to the nearest.
    fn up_to(&self, points: usize) -> usize {
        let [records, all, points] = [self.records, self.points, points.min(self.points)].map(|n| n as u128);
        (2 * records * points + all).checked_div(2 * all).unwrap_or_default() as usize
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{ErrorKind, Metric, MetricValue, Records, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn points(count: usize) -> Batch {
        let point = |at: usize| {
            Metric::new(Timestamp::default(), format!("metric {at}"), MetricValue::Gauge(f64::NAN))
        };
        Batch::Metrics(Records::from((0..count).map(point).collect::<Vec<_>>()))
    }

    fn rejected(records: Batch) -> Rejection {
        Rejection::of(records, ErrorKind::Rejected, "no")
    }

    fn unsaid(count: usize) -> Rejection {
        Rejection { records: None, count, ..rejected(points(0)) }
    }

    #[test]
    fn law_1_accounting_a_rejected_point_costs_the_records_in_it() {
        let sent = points(1_000);
        let mut records = vec![0; 1_000];
        (records[3], records[500]) = (1, 9);
        for (refused, expected) in [(vec![7], 0), (vec![3], 1), (vec![3, 500, 8], 10)] {
            let each = refused.iter().map(|at| rejected(sent.slice(*at..at + 1))).collect();
            let receipt = Receipt { rejected: each, ..Receipt::delivered(1_000 - refused.len()) };
            let (settled, rest) = Shares::of(&sent, &records).in_records(&receipt);
            assert_eq!(rest, 0);
            assert_eq!((settled.rejected_count(), settled.delivered), (expected, 10 - expected));
        }
    }

    #[test]
    fn law_1_accounting_points_nobody_names_are_rounded_once() {
        let sent = points(1_000);
        let mut records = vec![0; 1_000];
        records[..10].fill(1);
        let receipt = Receipt { rejected: vec![unsaid(1); 500], ..Receipt::delivered(500) };
        let (settled, _) = Shares::of(&sent, &records).in_records(&receipt);
        assert_eq!((settled.rejected_count(), settled.delivered), (5, 5));
        let receipt = Receipt { rejected: vec![unsaid(1)], ..Receipt::delivered(999) };
        assert_eq!(Shares::of(&sent, &records).in_records(&receipt).0.delivered, 10);
    }

    #[test]
    fn law_1_accounting_copies_that_are_left_keep_their_share() {
        let sent = points(10);
        let mut shares = Shares::of(&sent, &[2; 10]);
        assert_eq!(shares.take_left(&points(7)), [0; 7]);
        let (settled, rest) = shares.in_records(&Receipt::delivered(3));
        assert_eq!((settled.delivered, rest), (6, 14));
    }

    /// What may become of a point.
    fn fate() -> impl Strategy<Value = (u8, usize)> {
        (0u8..9, prop_oneof![2 => Just(0), 1 => 0usize..50])
    }

    /// Puts points into a receipt by their fates: rejected by name, rejected without names, dead letters.
    fn receipt(sent: &Batch, fates: &[(u8, usize)], first: u8) -> Receipt {
        let of = |fate: u8| {
            let at = fates.iter().enumerate().filter(|(_, (known, _))| *known == fate).map(|(at, _)| at);
            sent.select(&at.collect::<Vec<_>>())
        };
        Receipt {
            rejected: vec![rejected(of(first)), unsaid(of(first + 1).len())],
            dead_lettered: of(first + 2).len(),
            ..Receipt::default()
        }
    }

    proptest! {
        #[test]
        fn law_1_accounting_of_points_in_records(fates in prop::collection::vec(fate(), 0..40)) {
            let sent = points(fates.len());
            let records: Vec<usize> = fates.iter().map(|fate| fate.1).collect();
            let of = |wanted: &[u8]| -> usize {
                fates.iter().filter(|(fate, _)| wanted.contains(fate)).map(|fate| fate.1).sum()
            };
            let count = |wanted| fates.iter().filter(|(fate, _)| *fate == wanted).count();
            // Here 0 to 2 and 7, there 3 to 6, left 8.
            let mut there = receipt(&sent, &fates, 3);
            there.queued = count(6);
            let mut all = receipt(&sent, &fates, 0);
            all.delivered = count(7);
            all.diverted.push(Diverted { to: "there".into(), receipt: there });
            let left: Vec<usize> = (0..fates.len()).filter(|at| fates[*at].0 == 8).collect();
            let left = sent.select(&left);
            prop_assert_eq!(all.settled() + left.len(), sent.len());
            let mut shares = Shares::of(&sent, &records);
            prop_assert_eq!(shares.take_left(&left).iter().sum::<usize>(), of(&[8]));
            let (settled, rest) = shares.in_records(&all);
            prop_assert_eq!(rest, 0);
            prop_assert_eq!(settled.settled(), of(&[0, 1, 2, 3, 4, 5, 6, 7]));
            let exact = |receipt: &Receipt, fate| receipt.rejected_count() >= of(&[fate]);
            prop_assert!(exact(&settled, 0) && exact(&settled.diverted[0].receipt, 3));
            if of(&[1]) == 0 && fates.iter().all(|(fate, _)| *fate != 1) {
                prop_assert_eq!(settled.rejected_count(), of(&[0]), "all of them are known");
            }
        }
    }
}
