//! What becomes of a metric: its name, its type, and its value in Datadog's terms.

use std::collections::{BTreeMap, HashMap};

use obs_core::{Metric, MetricValue, Temporality, Timestamp};

use crate::spread::{self, Times};
use crate::{CustomMetric, Histograms, MetricType, MetricsConfig, naming, units};

/// The rules that follow from the configuration.
#[derive(Debug)]
pub(crate) struct Plan {
    namespace: Option<String>,
    histograms: Histograms,
    /// By the recorded name.
    custom: HashMap<String, Vec<CustomMetric>>,
}

/// What a record tells, before it has a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// What came within an interval, whose whole seconds are known or not.
    Change { value: f64, seconds: Option<u64> },
    /// A level, and when it was.
    Level { value: f64, time: Timestamp },
    /// Samples, and within how many whole seconds they came.
    Samples { values: Vec<Times>, sum: f64, seconds: Option<u64> },
}

/// One series of Datadog's, and a value of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) unit: Option<&'static str>,
    pub(crate) value: Value,
}

/// A value of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A type of series, a value, and an interval in seconds where the type has one.
    Number(MetricType, f64, Option<u64>),
    Distribution(Vec<Times>),
}

impl Source {
    /// What a record tells.
    ///
    /// # Errors
    /// Why it tells nothing that Datadog could take.
    pub(crate) fn of(metric: &Metric) -> Result<Self, &'static str> {
        let seconds =
            metric.start.map(|start| (metric.time.since(start).as_secs_f64().round() as u64).max(1));
        let cumulative = match metric.temporality {
            Some(temporality) => Ok(temporality == Temporality::Cumulative),
            None => Err("an aggregated point without its temporality; say whether it is a delta"),
        };
        let samples = |values: Result<Vec<Times>, _>, sum| {
            if cumulative? {
                return Err(
                    "a histogram from the beginning on cannot be added to one; send what came since, as a lane does",
                );
            }
            Ok(Self::Samples { values: values?, sum, seconds })
        };
        let source = match &metric.value {
            MetricValue::Gauge(value) => Self::Level { value: *value, time: metric.time },
            MetricValue::Sample(value) => Self::Samples { values: vec![(*value, 1)], sum: *value, seconds },
            MetricValue::Sum { value, .. } if cumulative? => Self::Level { value: *value, time: metric.time },
            MetricValue::Add(value) | MetricValue::UpDown(value) | MetricValue::Sum { value, .. } => {
                Self::Change { value: *value, seconds }
            }
            MetricValue::Histogram(histogram) => samples(spread::explicit(histogram), histogram.sum)?,
            MetricValue::ExpHistogram(histogram) => samples(spread::exponential(histogram), histogram.sum)?,
        };
        source.finite()
    }

    fn finite(self) -> Result<Self, &'static str> {
        let is_number = match &self {
            Self::Change { value, .. } | Self::Level { value, .. } => value.is_finite(),
            Self::Samples { values, .. } => values.iter().all(|(value, _)| value.is_finite()),
        };
        is_number.then_some(self).ok_or("its value is no number, and Datadog has no other")
    }

    /// Whether both are of one kind, so that they can become one.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Change { .. } => 0,
            Self::Level { .. } => 1,
            Self::Samples { .. } => 2,
        }
    }

    /// How it was recorded, in words.
    fn word(&self) -> &'static str {
        match self {
            Self::Change { .. } => "counter",
            Self::Level { .. } => "gauge",
            Self::Samples { .. } => "histogram",
        }
    }

    /// Folds in another of the same series and second: changes add up, of levels the later one stays, samples are put
    /// together.
    pub(crate) fn join(&mut self, more: Self) {
        let longer = |a: &mut Option<u64>, b: Option<u64>| *a = (*a).max(b);
        match (self, more) {
            (Self::Change { value, seconds }, Self::Change { value: other, seconds: of_other }) => {
                *value += other;
                longer(seconds, of_other);
            }
            (Self::Level { value, time }, Self::Level { value: other, time: at }) => {
                if at >= *time {
                    (*value, *time) = (other, at);
                }
            }
            (
                Self::Samples { values, sum, seconds },
                Self::Samples { values: others, sum: of_others, seconds: within },
            ) => {
                values.extend(others);
                *sum += of_others;
                longer(seconds, within);
            }
            (known, more) => debug_assert!(false, "a series mixes {known:?} and {more:?}"),
        }
    }
}

impl Plan {
    pub(crate) fn new(config: &MetricsConfig, custom: &BTreeMap<String, CustomMetric>) -> Self {
        let mut by_source: HashMap<String, Vec<CustomMetric>> = HashMap::new();
        for metric in custom.values() {
            by_source.entry(metric.source_field.clone()).or_default().push(metric.clone());
        }
        Self { namespace: config.namespace.clone(), histograms: config.histograms, custom: by_source }
    }

    /// The name that a metric has where none of one's own is given for it.
    ///
    /// # Errors
    /// There is no letter in it, so that it can have none in Datadog.
    pub(crate) fn name(&self, recorded: &str) -> Result<String, &'static str> {
        let own =
            naming::metric(recorded).ok_or("its name has no ASCII letter, and Datadog's begin with one")?;
        let name = match &self.namespace {
            Some(namespace) => naming::metric(&format!("{namespace}.{own}")),
            None => None,
        };
        Ok(name.unwrap_or(own))
    }

    /// The series that a metric is, of which all have one point.
    ///
    /// # Errors
    /// Why it can be none.
    pub(crate) fn pieces(
        &self,
        recorded: &str,
        unit: Option<&str>,
        source: Source,
    ) -> Result<Vec<Piece>, String> {
        let unit = unit.and_then(units::unit);
        if let Some(custom) = self.custom.get(recorded) {
            return custom.iter().map(|custom| mapped(custom, recorded, unit, &source)).collect();
        }
        let name = self.name(recorded)?;
        let value = match source {
            Source::Change { value, seconds } => Value::Number(MetricType::Count, value, seconds.or(Some(1))),
            Source::Level { value, .. } => Value::Number(MetricType::Gauge, value, None),
            Source::Samples { values, sum, seconds } => match self.histograms {
                Histograms::Distribution => Value::Distribution(values),
                Histograms::Aggregates => return Ok(aggregates(&name, unit, &values, sum, seconds)),
            },
        };
        Ok(vec![Piece { name, unit, value }])
    }
}

/// A metric under a name of the user's own.
fn mapped(
    custom: &CustomMetric,
    recorded: &str,
    unit: Option<&'static str>,
    source: &Source,
) -> Result<Piece, String> {
    let CustomMetric { metric_name, metric_type, interval, .. } = custom;
    let given = interval.map(|interval| interval.as_secs());
    let value = match (source, metric_type) {
        (Source::Change { value, seconds }, MetricType::Count) => {
            Value::Number(MetricType::Count, *value, seconds.or(Some(1)))
        }
        (Source::Change { value, seconds }, MetricType::Rate) => {
            let seconds = seconds.or(given).ok_or_else(|| without_interval(metric_name))?;
            Value::Number(MetricType::Rate, value / seconds as f64, Some(seconds))
        }
        (Source::Level { value, .. }, MetricType::Gauge) => Value::Number(MetricType::Gauge, *value, None),
        (Source::Level { value, .. }, MetricType::Rate) => {
            let seconds = given.ok_or_else(|| without_interval(metric_name))?;
            Value::Number(MetricType::Rate, *value, Some(seconds))
        }
        (Source::Samples { values, .. }, MetricType::Distribution) => Value::Distribution(values.clone()),
        (source, metric_type) => {
            let (made, is) = (metric_type.word(), source.word());
            return Err(format!(
                "custom_metrics makes \"{recorded}\" a {made}, and it is recorded as a {is}; change the metric_type of {metric_name}"
            ));
        }
    };
    Ok(Piece { name: metric_name.clone(), unit, value })
}

fn without_interval(name: &str) -> String {
    format!("a rate without an interval; give the custom metric {name} one, such as \"10s\"")
}

/// What DogStatsD makes of a histogram, but for percentiles.
fn aggregates(
    name: &str,
    unit: Option<&'static str>,
    values: &[Times],
    sum: f64,
    seconds: Option<u64>,
) -> Vec<Piece> {
    let count = values.iter().map(|(_, times)| *times as f64).sum::<f64>();
    let extreme =
        |pick: fn(f64, f64) -> f64| values.iter().map(|(value, _)| *value).reduce(pick).unwrap_or(0.0);
    let seconds = seconds.or(Some(1));
    let counted = |value| Value::Number(MetricType::Count, value, seconds);
    let level = |value| Value::Number(MetricType::Gauge, value, None);
    let all = [
        ("count", None, counted(count)),
        ("sum", unit, counted(sum)),
        ("min", unit, level(extreme(f64::min))),
        ("max", unit, level(extreme(f64::max))),
        ("avg", unit, level(sum / count)),
    ];
    all.map(|(suffix, unit, value)| Piece { name: format!("{name}.{suffix}"), unit, value }).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn plan(custom: impl IntoIterator<Item = CustomMetric>) -> Plan {
        let custom = custom.into_iter().enumerate().map(|(nth, metric)| (nth.to_string(), metric)).collect();
        Plan::new(&MetricsConfig::default().with_namespace("acme"), &custom)
    }

    fn change(seconds: Option<u64>) -> Source {
        Source::Change { value: 30.0, seconds }
    }

    fn level() -> Source {
        Source::Level { value: 4.0, time: Timestamp::default() }
    }

    fn samples() -> Source {
        Source::Samples { values: vec![(1.0, 3), (5.0, 1)], sum: 8.0, seconds: Some(10) }
    }

    #[test]
    fn a_namespace_stands_before_recorded_names_and_before_no_others() {
        let custom = CustomMetric::new("own.name", MetricType::Count, "mine");
        let plan = plan([custom]);
        for (recorded, name) in [("requests", "acme.requests"), ("mine", "own.name")] {
            assert_eq!(plan.pieces(recorded, None, change(None)).unwrap()[0].name, name);
        }
        assert!(plan.name("1").unwrap_err().contains("no ASCII letter"));
    }

    #[test]
    fn types_follow_from_what_was_recorded_or_are_refused_with_the_reason() {
        use MetricType::{Count, Distribution, Gauge, Rate};
        let number = |ty, value, seconds| Ok(Value::Number(ty, value, seconds));
        let refused = |ty: MetricType, kind: &str| {
            Err(format!(
                "custom_metrics makes \"mine\" a {}, and it is recorded as a {kind}; change the metric_type of own",
                ty.word()
            ))
        };
        let ten = Duration::from_secs(10);
        let no_interval =
            || Err("a rate without an interval; give the custom metric own one, such as \"10s\"".into());
        for (ty, interval, source, expected) in [
            (Count, None, change(Some(10)), number(Count, 30.0, Some(10))),
            (Rate, None, change(Some(10)), number(Rate, 3.0, Some(10))),
            (Rate, None, change(None), no_interval()),
            (Gauge, None, change(None), refused(Gauge, "counter")),
            (Gauge, None, level(), number(Gauge, 4.0, None)),
            (Rate, Some(ten), level(), number(Rate, 4.0, Some(10))),
            (Rate, None, level(), no_interval()),
            (Count, None, level(), refused(Count, "gauge")),
            (Distribution, None, samples(), Ok(Value::Distribution(vec![(1.0, 3), (5.0, 1)]))),
            (Gauge, None, samples(), refused(Gauge, "histogram")),
            (Distribution, None, level(), refused(Distribution, "gauge")),
        ] {
            let mut custom = CustomMetric::new("own", ty, "mine");
            custom.interval = interval;
            let found = plan([custom]).pieces("mine", None, source);
            assert_eq!(found.map(|pieces| pieces[0].value.clone()), expected, "{ty:?}");
        }
    }

    #[test]
    fn aggregates_are_named_as_dogstatsd_names_them() {
        let config = MetricsConfig::default().with_histograms(Histograms::Aggregates);
        let plan = Plan::new(&config, &BTreeMap::new());
        let pieces = plan.pieces("latency", Some("s"), samples()).unwrap();
        let told: Vec<_> =
            pieces.iter().map(|piece| (&*piece.name, piece.unit, piece.value.clone())).collect();
        let count = |value| Value::Number(MetricType::Count, value, Some(10));
        let gauge = |value| Value::Number(MetricType::Gauge, value, None);
        let second = Some("second");
        assert_eq!(
            told,
            [
                ("latency.count", None, count(4.0)),
                ("latency.sum", second, count(8.0)),
                ("latency.min", second, gauge(1.0)),
                ("latency.max", second, gauge(5.0)),
                ("latency.avg", second, gauge(2.0)),
            ]
        );
    }
}
