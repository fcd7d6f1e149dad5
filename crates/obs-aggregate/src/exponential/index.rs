//! Which bucket of a base-2 exponential histogram a magnitude belongs to.

/// The finest scale: a base of about 1.00000066, beyond which neighbouring numbers share buckets for their rounding alone.
pub(crate) const MAX_SCALE: i32 = 20;

/// The coarsest scale that means something: two buckets, magnitudes up to one and above it.
pub(crate) const MIN_SCALE: i32 = -11;

const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// What the smallest subnormal number is, as a power of two.
const SMALLEST: i32 = -1074;

/// The index `i` with `base^i < magnitude <= base^(i+1)`, for a finite magnitude above zero.
///
/// Every scale's index is a shift of that at the finest scale, so a histogram made coarser equals one that was coarse from
/// the start. Powers of two, which are bounds at every scale from 0 up, are found by their bits and never by a logarithm.
pub(crate) fn index(magnitude: f64, scale: i32) -> i32 {
    coarser(finest(magnitude), MAX_SCALE.saturating_sub(scale))
}

/// The index of the bucket that holds this one when the scale is lower by `by`.
pub(crate) fn coarser(index: i32, by: i32) -> i32 {
    index >> by.clamp(0, 31)
}

/// The lower bound of a bucket, exclusive; that of the next one is its upper bound, inclusive.
pub(crate) fn lower_bound(index: i32, scale: i32) -> f64 {
    (f64::from(index) * f64::from(-scale).exp2()).exp2()
}

fn finest(magnitude: f64) -> i32 {
    let (exponent, significand) = parts(magnitude);
    if significand == 1.0 {
        return (exponent << MAX_SCALE) - 1;
    }
    let within = (significand.log2() * f64::from(1 << MAX_SCALE)).ceil() as i32 - 1;
    (exponent << MAX_SCALE) + within.clamp(0, (1 << MAX_SCALE) - 1)
}

/// The exponent, and the significand in `[1, 2)`, of a normal or subnormal number.
fn parts(magnitude: f64) -> (i32, f64) {
    let bits = magnitude.to_bits();
    let (biased, fraction) = ((bits >> FRACTION_BITS) as i32 & 0x7ff, bits & FRACTION);
    let (exponent, fraction) = if biased == 0 {
        let top = fraction.ilog2();
        (SMALLEST + top as i32, (fraction << (FRACTION_BITS - top)) & FRACTION)
    } else {
        (biased - 1023, fraction)
    };
    (exponent, f64::from_bits((1023 << FRACTION_BITS) | fraction))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_of_two_are_upper_bounds_at_every_scale() {
        for exponent in -1074i32..=1023 {
            let bits = if exponent < -1022 {
                1u64 << (exponent + 1074)
            } else {
                u64::from((exponent + 1023).unsigned_abs()) << 52
            };
            let power = f64::from_bits(bits);
            for scale in 0..=MAX_SCALE {
                assert_eq!(index(power, scale), (exponent << scale) - 1, "2^{exponent} at {scale}");
            }
            for scale in MIN_SCALE..0 {
                assert_eq!(index(power, scale), (exponent - 1) >> -scale, "2^{exponent} at {scale}");
            }
            let above = f64::from_bits(bits + 1);
            if exponent >= -1022 {
                assert_eq!(index(above, MAX_SCALE), exponent << MAX_SCALE, "just above 2^{exponent}");
            }
            let below = f64::from_bits(bits - 1);
            if exponent > -1022 {
                assert_eq!(index(below, 0), exponent - 1, "just below 2^{exponent}");
            }
        }
    }

    #[test]
    fn subnormal_numbers_have_their_own_buckets() {
        let smallest = f64::from_bits(1);
        assert_eq!(index(smallest, 0), -1075);
        assert_eq!(index(3.0 * smallest, 0), -1073);
        assert_eq!(index(f64::MIN_POSITIVE, 0), -1023);
        assert_eq!(index(f64::from_bits(f64::MIN_POSITIVE.to_bits() - 1), 0), -1023);
        assert_eq!(index(f64::MAX, 0), 1023);
        assert_eq!((index(smallest, MIN_SCALE), index(f64::MAX, MIN_SCALE)), (-1, 0));
    }

    #[test]
    fn known_indices() {
        // Base 2 at scale 0, 4 at -1, 16 at -2, the square root of two at 1.
        for (magnitude, scale, expected) in [
            (1.0, 0, -1),
            (1.5, 0, 0),
            (2.0, 0, 0),
            (4.0, -1, 0),
            (4.1, -1, 1),
            (16.0, -2, 0),
            (16.1, -2, 1),
            (1.4, 1, 0),
            (1.5, 1, 1),
            (0.3, 0, -2),
        ] {
            assert_eq!(index(magnitude, scale), expected, "{magnitude} at {scale}");
        }
    }

    proptest! {
        #[test]
        fn a_magnitude_lies_within_its_bucket(bits in 1u64..f64::INFINITY.to_bits(), scale in -10i32..=MAX_SCALE) {
            let magnitude = f64::from_bits(bits);
            let at = index(magnitude, scale);
            // Bounds but for powers of two are no exact numbers: the allowance is for the rounding of theirs.
            prop_assert!(lower_bound(at, scale) <= magnitude * (1.0 + 1e-12) + f64::from_bits(1));
            prop_assert!(lower_bound(at + 1, scale) >= magnitude * (1.0 - 1e-12) - f64::from_bits(1));
        }

        #[test]
        fn indices_ascend_and_agree_between_scales(
            a in 1u64..f64::INFINITY.to_bits(), step in 0u64..1_000, scale in MIN_SCALE..MAX_SCALE,
        ) {
            let (low, high) = (f64::from_bits(a), f64::from_bits((a + step).min(f64::MAX.to_bits())));
            prop_assert!(index(low, MAX_SCALE) <= index(high, MAX_SCALE));
            prop_assert_eq!(index(low, scale), index(low, scale + 1) >> 1);
        }
    }
}
