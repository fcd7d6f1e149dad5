//! The names that Prometheus has for OpenTelemetry's, by the rules of OpenTelemetry's compatibility document.

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesKind {
    /// A sum that only grows.
    Counter,
    /// A level: a reading, or a sum that may fall.
    Gauge,
    /// A distribution.
    Histogram,
}

/// What a unit is called at the end of a name.
const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tebibytes"),
    ("kBy", "kilobytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

/// What a unit is called behind a stroke, in the singular.
const PER_UNITS: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// What a metric is called in Grafana: with its unit, and with `_total` behind a counter's name; `None` where nothing of
/// the name can stand in one.
///
/// These are OpenTelemetry's rules for Prometheus, by which Grafana Cloud, Mimir and Prometheus name what comes by OTLP,
/// and this crate what goes by remote write.
/// A unit that the name has already is not repeated, and one in braces counts things and is no unit.
///
/// ```
/// use obs_grafana::{SeriesKind, series_name};
///
/// let name = series_name("gen_ai.client.operation.duration", Some("s"), SeriesKind::Histogram);
/// assert_eq!(name.as_deref(), Some("gen_ai_client_operation_duration_seconds"));
/// ```
pub fn series_name(name: &str, unit: Option<&str>, kind: SeriesKind) -> Option<String> {
    let mut tokens: Vec<&str> = name.split(|c: char| !is_of_a_metric(c)).filter(|t| !t.is_empty()).collect();
    if tokens.is_empty() {
        return None;
    }
    let unit = unit.unwrap_or_default();
    let (main, per) = unit_words(unit);
    let added: Vec<&str> =
        [&*main, &*per].into_iter().filter(|t| !t.is_empty() && !tokens.contains(t)).collect();
    tokens.extend(added);
    let last = match kind {
        SeriesKind::Counter => Some("total"),
        SeriesKind::Gauge if unit == "1" => Some("ratio"),
        SeriesKind::Gauge | SeriesKind::Histogram => None,
    };
    if let Some(last) = last {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    let name = tokens.join("_");
    Some(if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name })
}

/// The words of a unit: what is measured, and per what.
fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let word = |unit: &str, table: &[(&str, &str)]| {
        let unit = unit.trim();
        if unit.contains(['{', '}']) {
            return String::new();
        }
        let known = table.iter().find(|(short, _)| *short == unit).map_or(unit, |(_, word)| word);
        let parts: Vec<&str> = known.split(|c: char| !is_of_a_metric(c)).filter(|t| !t.is_empty()).collect();
        parts.join("_")
    };
    let (main, per) = (word(main, UNITS), word(per, PER_UNITS));
    let per = if per.is_empty() { per } else { format!("per_{per}") };
    (main, per)
}

const fn is_of_a_metric(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

/// The label's name: letters, digits and single underscores, `key_` before a digit, `key` before an underscore.
pub(crate) fn label(name: &str) -> String {
    let mut clean = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            clean.push(c);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    match clean.chars().next() {
        Some('_') => format!("key{clean}"),
        Some('0'..='9') | None => format!("key_{clean}"),
        Some(_) => clean,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_the_compatibility_document() {
        use SeriesKind::{Counter, Gauge, Histogram};
        for (name, unit, kind, expected) in [
            ("gen_ai.client.operation.duration", "s", Histogram, "gen_ai_client_operation_duration_seconds"),
            ("gen_ai.client.token.usage", "{token}", Histogram, "gen_ai_client_token_usage"),
            ("obs.destination.records", "{record}", Counter, "obs_destination_records_total"),
            ("obs.destination.queue.bytes", "By", Gauge, "obs_destination_queue_bytes"),
            ("obs.destination.breaker.state", "1", Gauge, "obs_destination_breaker_state_ratio"),
            ("requests.total", "s", Counter, "requests_seconds_total"),
            ("hits", "1", Counter, "hits_total"),
            ("mastra_tokens_total", "", Counter, "mastra_tokens_total"),
            ("mastra_duration_ms", "ms", Histogram, "mastra_duration_ms_milliseconds"),
            ("network.io", "By/s", Gauge, "network_io_bytes_per_second"),
            ("pace", "{request}/m", Gauge, "pace_per_minute"),
            ("load", "packets", Gauge, "load_packets"),
            ("2xx", "", Counter, "_2xx_total"),
            ("(lambda).function.executions(#)", "", Gauge, "lambda_function_executions"),
            ("a__b", "", Gauge, "a_b"),
            ("job:rate", "", Gauge, "job:rate"),
        ] {
            assert_eq!(series_name(name, Some(unit), kind).as_deref(), Some(expected), "{name} {unit}");
        }
        assert_eq!(series_name("日本", None, Gauge), None);
    }

    #[test]
    fn labels_are_letters_digits_and_single_underscores() {
        for (name, expected) in [
            ("gen_ai.request.model", "gen_ai_request_model"),
            ("http.status-code", "http_status_code"),
            ("4xx", "key_4xx"),
            ("_hidden", "key_hidden"),
            ("__name__", "key_name_"),
            ("", "key_"),
            ("é", "key_"),
        ] {
            assert_eq!(label(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_prometheus_takes_it(name in ".{0,40}", unit in ".{0,10}", kind in 0..3) {
            let kind = [SeriesKind::Counter, SeriesKind::Gauge, SeriesKind::Histogram][usize::try_from(kind).unwrap()];
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if let Some(metric) = series_name(&name, Some(&unit), kind) {
                prop_assert!(!metric.starts_with(|c: char| c.is_ascii_digit()));
                prop_assert!(metric.chars().all(|c| inner(c) || c == ':'), "{}", metric);
            }
            let label = label(&name);
            prop_assert!(label.starts_with(|c: char| c.is_ascii_alphabetic()));
            prop_assert!(label.chars().all(inner) && !label.contains("__"), "{}", label);
        }
    }
}
