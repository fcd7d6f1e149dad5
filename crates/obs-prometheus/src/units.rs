//! Units as Prometheus has them: base units, as a word behind the name.

/// How a value becomes one in the base unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Scale {
    /// It is one.
    #[default]
    Same,
    /// It is so many.
    Times(f64),
    /// So many are one; a division is exact to the last digit where a product is not.
    Over(f64),
}

impl Scale {
    pub(crate) fn apply(self, value: f64) -> f64 {
        match self {
            Self::Same => value,
            Self::Times(factor) => value * factor,
            Self::Over(divisor) => value / divisor,
        }
    }
}

/// A unit that stands behind a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// The base unit's word.
    pub(crate) word: String,
    pub(crate) scale: Scale,
    /// How names write the unit themselves; it is replaced by the word.
    pub(crate) written: &'static [&'static str],
}

/// Units of UCUM, the word of the base unit, how many of the base they are, and how names write them.
const UNITS: &[(&str, &str, Scale, &[&str])] = &[
    ("s", "seconds", Scale::Same, &["seconds", "second", "secs", "sec", "s"]),
    ("ms", "seconds", Scale::Over(1e3), &["milliseconds", "millis", "ms"]),
    ("us", "seconds", Scale::Over(1e6), &["microseconds", "micros", "us"]),
    ("ns", "seconds", Scale::Over(1e9), &["nanoseconds", "nanos", "ns"]),
    ("min", "seconds", Scale::Times(60.0), &["minutes", "min"]),
    ("h", "seconds", Scale::Times(3_600.0), &["hours", "h"]),
    ("d", "seconds", Scale::Times(86_400.0), &["days", "d"]),
    ("By", "bytes", Scale::Same, &["bytes", "byte"]),
    ("kBy", "bytes", Scale::Times(1e3), &["kilobytes", "kb"]),
    ("MBy", "bytes", Scale::Times(1e6), &["megabytes", "mb"]),
    ("GBy", "bytes", Scale::Times(1e9), &["gigabytes", "gb"]),
    ("KiBy", "bytes", Scale::Times(1_024.0), &["kibibytes", "kib", "kb"]),
    ("MiBy", "bytes", Scale::Times(1_048_576.0), &["mebibytes", "mib", "mb"]),
    ("GiBy", "bytes", Scale::Times(1_073_741_824.0), &["gibibytes", "gib", "gb"]),
    ("bit", "bits", Scale::Same, &["bits"]),
    ("%", "ratio", Scale::Over(100.0), &["ratio", "percent", "percentage", "pct"]),
    ("Cel", "celsius", Scale::Same, &["celsius"]),
    ("Hz", "hertz", Scale::Same, &["hertz"]),
    ("m", "meters", Scale::Same, &["meters"]),
    ("g", "grams", Scale::Same, &["grams"]),
    ("J", "joules", Scale::Same, &["joules"]),
    ("W", "watts", Scale::Same, &["watts"]),
    ("V", "volts", Scale::Same, &["volts"]),
    ("A", "amperes", Scale::Same, &["amperes"]),
];

/// What a rate is per.
const PER: &[(&str, &str)] =
    &[("s", "second"), ("min", "minute"), ("h", "hour"), ("d", "day"), ("By", "byte"), ("m", "meter")];

/// The unit behind the name of a metric, or `None` where it has none: `1`, what stands in braces, and what is no word.
///
/// A metric without a unit whose name ends in one of milliseconds, as `duration_ms` does, has that one.
pub(crate) fn unit(name: &str, unit: Option<&str>) -> Option<Unit> {
    let Some(code) = unit.map(str::trim).filter(|code| !code.is_empty()) else {
        return ends_in(name, "ms").then(|| known("ms")).flatten();
    };
    if let Some((of, per)) = code.split_once('/') {
        let per = PER.iter().find(|(known, _)| *known == per)?.1;
        let of = if of.starts_with('{') { None } else { known(of).or_else(|| other(of)) };
        let (of, scale) = of.map_or((None, Scale::Same), |unit| (Some(unit.word), unit.scale));
        let word = of.map_or_else(|| format!("per_{per}"), |of| format!("{of}_per_{per}"));
        return Some(Unit { word, scale, written: &[] });
    }
    known(code).or_else(|| other(code))
}

fn known(code: &str) -> Option<Unit> {
    let (_, word, scale, written) = UNITS.iter().find(|(known, ..)| *known == code)?;
    Some(Unit { word: (*word).to_owned(), scale: *scale, written })
}

/// A word that is not in the table, such as `USD` or `requests`.
fn other(code: &str) -> Option<Unit> {
    let is_word = code.len() <= 32 && code.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    is_word.then(|| Unit { word: code.to_ascii_lowercase(), scale: Scale::Same, written: &[] })
}

/// The name with the unit's word behind it, once.
pub(crate) fn with_unit(name: &str, unit: &Unit) -> String {
    let word = unit.word.as_str();
    let written = unit.written.iter().copied().chain([word]).find(|written| ends_in(name, written));
    let base = written.map_or(name, |written| &name[..name.len() - written.len() - 1]);
    format!("{base}_{word}")
}

/// Whether the word stands at the name's end, behind a separator.
fn ends_in(name: &str, word: &str) -> bool {
    name.strip_suffix(word).is_some_and(|before| before.ends_with(['_', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_base_unit_once() {
        for (name, code, named, one) in [
            ("gen_ai.client.operation.duration", Some("s"), "gen_ai.client.operation.duration_seconds", 1.0),
            ("mastra_agent_duration_ms", Some("ms"), "mastra_agent_duration_seconds", 0.001),
            ("mastra_agent_duration_ms", None, "mastra_agent_duration_seconds", 0.001),
            ("latency.milliseconds", Some("ms"), "latency_seconds", 0.001),
            ("uptime_seconds", Some("s"), "uptime_seconds", 1.0),
            ("heap", Some("MiBy"), "heap_bytes", 1_048_576.0),
            ("cpu_percent", Some("%"), "cpu_ratio", 0.01),
            ("cost", Some("USD"), "cost_usd", 1.0),
            ("io", Some("By/s"), "io_bytes_per_second", 1.0),
            ("calls", Some("{request}/s"), "calls_per_second", 1.0),
        ] {
            let unit = unit(name, code).unwrap();
            assert_eq!((&*with_unit(name, &unit), unit.scale.apply(1.0)), (named, one), "{name} {code:?}");
        }
        for (name, code) in
            [("runs", Some("{run}")), ("runs", Some("1")), ("runs", None), ("runs", Some("\"\n"))]
        {
            assert_eq!(unit(name, code), None, "{name} {code:?}");
        }
    }

    #[test]
    fn bounds_in_milliseconds_are_the_nearest_ones_in_seconds() {
        for (millis, seconds) in [(5.0, 0.005), (75.0, 0.075), (7.0, 0.007), (0.1, 0.0001), (10_000.0, 10.0)]
        {
            assert_eq!(Scale::Over(1e3).apply(millis), seconds);
        }
    }
}
