//! Numbers as the text formats have them.

/// A sample's value: `1`, `0.25`, `1e+06`, `+Inf`, `-Inf`, `NaN`; no minus before zero.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = exponent(value);
    if (-4..21).contains(&exponent) { format!("{value}") } else { scientific(value) }
}

/// A bound as the canonical form of OpenMetrics has it, in every format, so that a series stays one when the format changes:
/// `1.0`, `0.25`, `1e+06`.
pub(crate) fn bound(value: f64) -> String {
    if !value.is_finite() {
        return number(value);
    }
    if value == 0.0 {
        return "0.0".to_owned();
    }
    // As Python's and Go's clients print them: six digits before the point, four noughts behind it.
    if (-4..6).contains(&exponent(value)) { format!("{value:?}") } else { scientific(value) }
}

/// The decimal exponent of the shortest form.
fn exponent(value: f64) -> i32 {
    let text = format!("{value:e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// The shortest digits, a sign and at least two digits of the exponent.
fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_their_canonical_forms() {
        for (value, as_value, as_bound) in [
            (0.0, "0", "0.0"),
            (-0.0, "0", "0.0"),
            (1.0, "1", "1.0"),
            (-2.5, "-2.5", "-2.5"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05"),
            (100_000.0, "100000", "100000.0"),
            (1_000_000.0, "1000000", "1e+06"),
            (1_234_567.0, "1234567", "1.234567e+06"),
            (1e21, "1e+21", "1e+21"),
            (1.5e300, "1.5e+300", "1.5e+300"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
            (f64::NAN, "NaN", "NaN"),
        ] {
            assert_eq!((&*number(value), &*bound(value)), (as_value, as_bound));
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_back_as_itself(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(number(value).parse::<f64>().unwrap(), value);
            prop_assert_eq!(bound(value).parse::<f64>().unwrap(), value);
        }
    }
}
