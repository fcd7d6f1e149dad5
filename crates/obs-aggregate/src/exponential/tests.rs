//! Laws of exponential histograms.

use proptest::prelude::*;

use super::*;

fn of(values: &[f64]) -> ExpHistogram {
    let mut histogram = empty();
    for value in values {
        observe(&mut histogram, *value);
    }
    histogram
}

/// Samples over the whole range, of both signs, zeros and bounds among them; sums of them are exact or compared loosely.
fn value() -> impl Strategy<Value = f64> {
    let magnitude = prop_oneof![
        4 => 1u64..f64::MAX.to_bits(),
        4 => 1.0f64.to_bits()..1e6f64.to_bits(),
        1 => 1u64..1 << 52,
        1 => (1u64..2046).prop_map(|exponent| exponent << 52),
    ];
    let value = (magnitude, any::<bool>()).prop_map(|(bits, negative)| {
        let magnitude = f64::from_bits(bits) / 1e6;
        if negative { -magnitude } else { magnitude }
    });
    prop_oneof![1 => Just(0.0), 9 => value]
}

fn total(histogram: &ExpHistogram) -> u64 {
    histogram.positive.counts.iter().chain(&histogram.negative.counts).sum::<u64>() + histogram.zero_count
}

/// All but the sum, which depends on the order of additions.
fn shape(histogram: &ExpHistogram) -> ExpHistogram {
    let mut histogram = ExpHistogram { sum: 0.0, ..histogram.clone() };
    buckets::trim(&mut histogram.positive);
    buckets::trim(&mut histogram.negative);
    histogram
}

proptest! {
    #[test]
    fn the_count_is_that_of_the_buckets_and_there_are_never_too_many(
        values in prop::collection::vec(value(), 0..300),
    ) {
        let histogram = of(&values);
        prop_assert_eq!((histogram.count, total(&histogram)), (values.len() as u64, values.len() as u64));
        prop_assert!(histogram.positive.counts.len() <= 160 && histogram.negative.counts.len() <= 160);
        prop_assert!((-4..=MAX_SCALE).contains(&histogram.scale));
        for (sign, side) in [(1.0, &histogram.positive), (-1.0, &histogram.negative)] {
            for (at, count) in (side.offset..).zip(&side.counts) {
                let of_bucket = |value: &&f64| bucket(&histogram, **value) == (sign as i8, at);
                prop_assert_eq!(values.iter().filter(of_bucket).count() as u64, *count);
            }
        }
    }

    #[test]
    fn merging_is_counting_all_together_in_any_order(
        a in prop::collection::vec(value(), 0..100), b in prop::collection::vec(value(), 0..100),
    ) {
        let all: Vec<f64> = a.iter().chain(&b).copied().collect();
        let (mut ab, mut ba) = (of(&a), of(&b));
        merge(&mut ab, &of(&b));
        merge(&mut ba, &of(&a));
        prop_assert_eq!(shape(&ab), shape(&ba));
        prop_assert_eq!(shape(&ab), shape(&of(&all)));
    }

    #[test]
    fn a_later_histogram_less_an_earlier_one_is_what_came_between(
        a in prop::collection::vec(value(), 0..100), b in prop::collection::vec(value(), 0..100),
    ) {
        let (before, mut after) = (of(&a), of(&a));
        merge(&mut after, &of(&b));
        let mut again = before.clone();
        merge(&mut again, &difference(&before, &after).unwrap());
        prop_assert_eq!(total(&again), total(&after));
        let (again, after) = (shape(&again), shape(&after));
        prop_assert_eq!((again.positive, again.negative), (after.positive, after.negative));
    }

    #[test]
    fn notions_of_zero_merge_to_the_wider_one_without_losing_a_sample(
        a in prop::collection::vec(-9.0f64..9.0, 0..50), b in prop::collection::vec(-9.0f64..9.0, 0..50),
        widths in (0.0f64..4.0, 0.0f64..4.0),
    ) {
        let with = |values: &[f64], width| {
            let mut histogram = ExpHistogram { zero_threshold: width, ..empty() };
            for value in values {
                observe(&mut histogram, *value);
            }
            well_formed(&histogram).unwrap()
        };
        let (mut merged, b) = (with(&a, widths.0), with(&b, widths.1));
        merge(&mut merged, &b);
        prop_assert_eq!(total(&merged), merged.count);
        prop_assert!(merged.zero_threshold >= widths.0.max(widths.1));
        let before = merged.clone();
        merge(&mut merged, &ExpHistogram { zero_threshold: before.zero_threshold, ..empty() });
        prop_assert_eq!(merged, before, "what is wide enough does not widen");
    }
}

#[test]
fn a_first_sample_is_as_fine_as_can_be_and_far_ones_make_it_coarse() {
    let mut histogram = of(&[1.0]);
    assert_eq!((histogram.scale, histogram.positive.offset), (20, -1));
    observe(&mut histogram, 4.0);
    assert_eq!(histogram.scale, 6, "two doublings in 160 buckets");
    observe(&mut histogram, f64::MAX);
    observe(&mut histogram, f64::from_bits(1));
    assert_eq!((histogram.scale, total(&histogram)), (-4, 4));
}

#[test]
fn what_is_wrong_is_refused_and_what_is_large_made_to_fit() {
    let sound = || ExpHistogram {
        count: 200,
        scale: 25,
        positive: ExpBuckets { offset: 64, counts: vec![1; 200] },
        ..ExpHistogram::default()
    };
    let own = well_formed(&sound()).unwrap();
    assert_eq!((own.scale, own.positive.offset, total(&own)), (20, 2, 200));
    let mut wide = ExpHistogram { scale: 5, ..sound() };
    wide.positive.counts.extend([0; 500]);
    let own = well_formed(&wide).unwrap();
    assert_eq!((own.scale, own.positive.offset, own.positive.counts.len()), (4, 32, 100));
    let refused: [fn(&mut ExpHistogram); 6] = [
        |histogram| histogram.count = 7,
        |histogram| histogram.scale = -12,
        |histogram| histogram.zero_threshold = -1.0,
        |histogram| histogram.zero_threshold = f64::NAN,
        |histogram| histogram.positive.offset = i32::MAX,
        |histogram| histogram.zero_count = u64::MAX,
    ];
    for spoil in refused {
        let mut spoilt = sound();
        spoil(&mut spoilt);
        assert_eq!(well_formed(&spoilt), Err(Refusal::Malformed), "{spoilt:?}");
    }
    assert_eq!(well_formed(&ExpHistogram { sum: f64::NAN, ..sound() }), Err(Refusal::NotFinite));
}
