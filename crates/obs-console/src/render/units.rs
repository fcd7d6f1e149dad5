//! Numbers, times and amounts as people read them.

use std::time::Duration;

use jiff::tz::TimeZone;
use obs_core::{Cost, Metric, MetricValue, ScoreValue, Timestamp, Usage, Value};

/// Three significant digits in the fitting unit; minutes and hours from there.
pub(crate) fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let secs = duration.as_secs();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..999_500 => format!("{} µs", three(nanos as f64 / 1e3)),
        999_500..999_500_000 => format!("{} ms", three(nanos as f64 / 1e6)),
        999_500_000..59_950_000_000 => format!("{} s", three(nanos as f64 / 1e9)),
        _ if secs < 3_600 => format!("{} m {:02} s", secs / 60, secs % 60),
        _ => format!("{} h {:02} m", secs / 3_600, secs / 60 % 60),
    }
}

/// A number below 1,000 in three significant digits.
fn three(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// An integer with separators.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun, in the plural where it is not one.
pub(crate) fn counted(value: usize, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value as u64))
}

/// A float without needless digits: at most four after the point.
pub(crate) fn float(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value != 0.0 && (value.abs() < 0.001 || value.abs() >= 1e15) {
        return format!("{value:e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2026-11-21 09:58:33 UTC`.
pub(crate) fn date(time: Timestamp) -> String {
    format_time(time, "%Y-%m-%d %H:%M:%S UTC")
}

/// `09:58:33.120`, in UTC.
pub(crate) fn clock(time: Timestamp) -> String {
    format_time(time, "%H:%M:%S%.3f")
}

fn format_time(time: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())) {
        Ok(time) => time.to_zoned(TimeZone::UTC).strftime(format).to_string(),
        Err(_) => format!("{} ns", time.as_nanos()),
    }
}

/// `1,204 → 88 tokens`, with what of it was cached or reasoned.
pub(crate) fn usage(usage: &Usage) -> Option<String> {
    if usage.is_empty() {
        return None;
    }
    let part = |total: Option<u64>, detail: u64, word: &str| {
        let total = total.map_or("?".to_owned(), count);
        if detail == 0 { total } else { format!("{total} ({} {word})", count(detail)) }
    };
    let input = part(usage.input, usage.input_details.cache_read, "cached");
    let output = part(usage.output, usage.output_details.reasoning, "reasoning");
    Some(format!("{input} → {output} tokens"))
}

/// `$0.0012`, or the amount with its currency.
pub(crate) fn cost(cost: &Cost) -> String {
    let about = if cost.partial { "about " } else { "" };
    // Calls of small models cost less than a hundredth of a cent, which nobody reads as a power of ten.
    let amount = if (1e-9..0.001).contains(&cost.total) {
        let digits = 1 - cost.total.log10().floor() as i32;
        format!("{:.1$}", cost.total, usize::try_from(digits).unwrap_or(9)).trim_end_matches('0').to_owned()
    } else {
        float(cost.total)
    };
    if cost.currency == "USD" {
        format!("{about}${amount}")
    } else {
        format!("{about}{amount} {}", cost.currency)
    }
}

/// The value of a score, with the range it is in.
pub(crate) fn score(value: &ScoreValue) -> String {
    match value {
        ScoreValue::Numeric { value, range: Some(range) } => {
            format!("{} of {} to {}", float(*value), float(range.min), float(range.max))
        }
        ScoreValue::Numeric { value, range: None } => float(*value),
        ScoreValue::Boolean(value) => if *value { "yes" } else { "no" }.to_owned(),
        ScoreValue::Categorical(text) | ScoreValue::Text(text) => text.to_string(),
    }
}

/// The value of a feedback: thumbs point up or down.
pub(crate) fn feedback(kind: &str, value: &ScoreValue) -> String {
    match value {
        ScoreValue::Boolean(up) if kind.contains("thumb") => if *up { "up" } else { "down" }.to_owned(),
        value => score(value),
    }
}

/// An attribute's value: text as it is, structures as JSON.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::F64(value) => float(*value),
        value => serde_json::to_string(value).unwrap_or_else(|_| format!("{value:?}")),
    }
}

/// The value of a metric record, with its unit.
pub(crate) fn measurement(metric: &Metric) -> String {
    let number = match &metric.value {
        MetricValue::Add(value) | MetricValue::UpDown(value) if *value >= 0.0 => {
            format!("+{}", float(*value))
        }
        MetricValue::Add(value) | MetricValue::UpDown(value) | MetricValue::Sample(value) => float(*value),
        MetricValue::Gauge(value) | MetricValue::Sum { value, .. } => format!("= {}", float(*value)),
        MetricValue::Histogram(histogram) => distribution(histogram.count, histogram.sum),
        MetricValue::ExpHistogram(histogram) => distribution(histogram.count, histogram.sum),
    };
    match metric.unit.as_deref() {
        Some(unit) if unit != "1" => format!("{number} {}", unit.trim_matches(['{', '}'])),
        _ => number,
    }
}

fn distribution(samples: u64, sum: f64) -> String {
    let mean = if samples == 0 { "0".to_owned() } else { float(sum / samples as f64) };
    format!("{} samples, mean {mean}, sum {}", count(samples), float(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_in_the_fitting_unit() {
        for (nanos, shown) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (12_345_678, "12.3 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.00 s"),
            (59_949_000_000, "59.9 s"),
            (60_000_000_000, "1 m 00 s"),
            (3_599_000_000_000, "59 m 59 s"),
            (7_380_000_000_000, "2 h 03 m"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), shown, "{nanos}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([float(0.5), float(2.0), float(-0.123_456)], ["0.5", "2", "-0.1235"]);
        assert_eq!([float(0.000_012), float(f64::NAN), float(f64::INFINITY)], ["1.2e-5", "NaN", "inf"]);
        assert_eq!(counted(1, "span"), "1 span");
        assert_eq!(counted(1_200, "span"), "1,200 spans");
    }

    #[test]
    fn tokens_and_money_say_what_they_consist_of() {
        let mut tokens = Usage::new(1_204, 88);
        tokens.input_details.cache_read = 1_000;
        assert_eq!(usage(&tokens).unwrap(), "1,204 (1,000 cached) → 88 tokens");
        assert_eq!(usage(&Usage::default()), None);
        assert_eq!(usage(&Usage { output: Some(3), ..Usage::default() }).unwrap(), "? → 3 tokens");
        let euro = Cost { currency: "EUR".into(), partial: true, ..Cost::usd(0.5) };
        assert_eq!([cost(&Cost::usd(0.0123)), cost(&euro)], ["$0.0123", "about 0.5 EUR"]);
        let small = [0.000_12, 0.000_009_96, 0.0004, 3e-9].map(|total| cost(&Cost::usd(total)));
        assert_eq!(small, ["$0.00012", "$0.00001", "$0.0004", "$0.000000003"]);
    }

    #[test]
    fn times_are_utc() {
        let time = Timestamp::from_nanos(1_795_600_713_120_000_000);
        assert_eq!([date(time), clock(time)], ["2026-11-25 09:58:33 UTC", "09:58:33.120"]);
    }
}
