//! What a user sets for automatic metrics.

use std::collections::BTreeMap;

use obs_core::Error;
use serde::Deserialize;

use super::catalogue::{AUTOMATIC_METRICS, DEFAULT_PREFIX, DURATION_BOUNDS, FIRST_TOKEN_BOUNDS};
use super::patterns::ValuePattern;

/// Which metrics obs makes of spans, scores and feedback, and what labels metrics may have; both the shape in a file and
/// the builder.
///
/// They are made where a destination takes metrics, and not otherwise. Unknown fields are refused.
///
/// ```
/// use obs_instrument::AutomaticMetrics;
///
/// let metrics = AutomaticMetrics::default().with_gen_ai(true).with_bounds("mastra_agent_duration_ms", [1e3, 1e4, 1e5]);
/// let same = r#"{ "gen_ai": true, "bounds": { "mastra_agent_duration_ms": [1000, 10000, 100000] } }"#;
/// assert_eq!(serde_json::from_str::<AutomaticMetrics>(same)?, metrics);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct AutomaticMetrics {
    /// Whether the metrics of [`AUTOMATIC_METRICS`] are made; they are by default.
    pub catalogue: bool,
    /// Whether `gen_ai.client.token.usage` and `gen_ai.client.operation.duration` are made, as OpenTelemetry's conventions
    /// have them; not by default, since they say once more what the catalogue says.
    pub gen_ai: bool,
    /// What stands before the names of the catalogue, `mastra_` by default; those names are Mastra's, so that its
    /// dashboards work. It may be empty.
    pub prefix: String,
    /// Upper bounds of histogram buckets by the metric's name, inclusive and ascending, for destinations that say nothing of
    /// it themselves; those of the catalogue by the name with the prefix or with the default one. By default durations have
    /// 10 ms to 11 minutes, doubling, and times to a first token 1 ms to 10 s.
    pub bounds: BTreeMap<String, Vec<f64>>,
    /// What labels metrics may have.
    pub cardinality: Cardinality,
}

impl Default for AutomaticMetrics {
    fn default() -> Self {
        Self {
            catalogue: true,
            gen_ai: false,
            prefix: DEFAULT_PREFIX.to_owned(),
            bounds: BTreeMap::new(),
            cardinality: Cardinality::default(),
        }
    }
}

impl AutomaticMetrics {
    /// No automatic metrics. The rules for the labels of one's own metrics hold, unless they are switched off, too.
    pub fn off() -> Self {
        Self { catalogue: false, ..Self::default() }
    }

    /// Whether the metrics of [`AUTOMATIC_METRICS`] are made.
    #[must_use]
    pub fn with_catalogue(mut self, made: bool) -> Self {
        self.catalogue = made;
        self
    }

    /// Whether the metrics of [`super::GEN_AI_METRICS`] are made.
    #[must_use]
    pub fn with_gen_ai(mut self, made: bool) -> Self {
        self.gen_ai = made;
        self
    }

    /// What stands before the names of the catalogue.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Upper bounds of the buckets of one histogram, for destinations that say nothing of it.
    #[must_use]
    pub fn with_bounds(mut self, metric: impl Into<String>, upper: impl Into<Vec<f64>>) -> Self {
        self.bounds.insert(metric.into(), upper.into());
        self
    }

    /// What labels metrics may have.
    #[must_use]
    pub fn with_cardinality(mut self, cardinality: Cardinality) -> Self {
        self.cardinality = cardinality;
        self
    }

    /// Whether any metric is made of spans and judgements.
    pub(crate) fn counts(&self) -> bool {
        self.catalogue || self.gen_ai
    }

    /// The name of a metric of the catalogue, whose default one this is.
    pub(crate) fn name(&self, default: &'static str) -> String {
        format!("{}{}", self.prefix, default.strip_prefix(DEFAULT_PREFIX).unwrap_or(default))
    }

    /// The bounds that destinations are advised of.
    pub(crate) fn advice(&self) -> BTreeMap<String, Vec<f64>> {
        let histograms =
            AUTOMATIC_METRICS.iter().filter(|metric| self.catalogue && metric.kind == "histogram");
        let mut advice: BTreeMap<_, _> = histograms
            .map(|metric| {
                let first_token = metric.name.ends_with("first_token_ms");
                let bounds = if first_token { FIRST_TOKEN_BOUNDS.to_vec() } else { DURATION_BOUNDS.to_vec() };
                (self.name(metric.name), bounds)
            })
            .collect();
        advice.extend(self.bounds.iter().map(|(metric, upper)| {
            let known = AUTOMATIC_METRICS.iter().find(|known| known.name == metric);
            (known.map_or_else(|| metric.clone(), |known| self.name(known.name)), upper.clone())
        }));
        advice
    }

    /// Refuses what cannot be obeyed.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.cardinality.max_label_sets == 0 {
            let rule = "there is at least the set for what is too much";
            return Err(Error::config("automatic_metrics.cardinality.max_label_sets", rule));
        }
        for (metric, upper) in &self.bounds {
            let finite = upper.iter().all(|bound| bound.is_finite());
            if !finite || !upper.windows(2).all(|pair| pair[0] < pair[1]) {
                let place = format!("automatic_metrics.bounds.{metric}");
                return Err(Error::config(&place, "bounds are finite and ascending, each once"));
            }
        }
        Ok(())
    }
}

/// What labels metrics may have, so that no metric grows into more series than a backend can bear.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct Cardinality {
    /// The most different label sets of a metric, the one for the rest included: 2,000 by default, as OpenTelemetry has
    /// it. Beyond, a measurement has the label `otel.metric.overflow=true` and no other, so that sums stay exact.
    /// Automatic metrics with the same labels are counted together.
    pub max_label_sets: usize,
    /// Labels that are left out, besides `trace_id`, `span_id`, `run_id`, `request_id`, `user_id`, `resource_id`,
    /// `session_id` and `thread_id`; none by default. Case and the separators `_`, `-` and `.` do not count.
    pub blocked_labels: Vec<String>,
    /// Labels that are not left out though they are among those; none by default.
    pub allowed_labels: Vec<String>,
    /// What is replaced inside of values by its name in brackets, such as `[uuid]`: `uuid`, `ulid`, `hex` and `email` by
    /// default; `digits` can be added.
    pub value_patterns: Vec<ValuePattern>,
    /// Whether all of this holds for the metrics of one's own, too; it does by default.
    pub own_metrics: bool,
}

impl Default for Cardinality {
    fn default() -> Self {
        Self {
            max_label_sets: 2_000,
            blocked_labels: Vec::new(),
            allowed_labels: Vec::new(),
            value_patterns: vec![
                ValuePattern::Uuid,
                ValuePattern::Ulid,
                ValuePattern::Hex,
                ValuePattern::Email,
            ],
            own_metrics: true,
        }
    }
}

impl Cardinality {
    /// Labels that are left out whatever the metric, unless they are allowed: each is another for almost every trace.
    pub const BLOCKED_LABELS: [&'static str; 8] =
        ["trace_id", "span_id", "run_id", "request_id", "user_id", "resource_id", "session_id", "thread_id"];

    /// The most different label sets of a metric.
    #[must_use]
    pub fn with_max_label_sets(mut self, max: usize) -> Self {
        self.max_label_sets = max;
        self
    }

    /// Leaves out one more label.
    #[must_use]
    pub fn with_blocked_label(mut self, label: impl Into<String>) -> Self {
        self.blocked_labels.push(label.into());
        self
    }

    /// Lets a label through.
    #[must_use]
    pub fn with_allowed_label(mut self, label: impl Into<String>) -> Self {
        self.allowed_labels.push(label.into());
        self
    }

    /// What is replaced inside of values, in place of the default.
    #[must_use]
    pub fn with_value_patterns(mut self, patterns: impl IntoIterator<Item = ValuePattern>) -> Self {
        self.value_patterns = patterns.into_iter().collect();
        self
    }

    /// Whether all of this holds for the metrics of one's own, too.
    #[must_use]
    pub fn with_own_metrics(mut self, held: bool) -> Self {
        self.own_metrics = held;
        self
    }
}

/// Reads a config struct, and names the option for one that is called otherwise elsewhere, or the nearest.
macro_rules! hinted {
    ($config:ty $(, $old:literal => $now:literal)*) => {
        impl<'de> Deserialize<'de> for $config {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer).map_err(|error| obs_core::suggest::error_renamed(error, &[$(($old, $now)),*]))
            }
        }
    };
}

hinted!(AutomaticMetrics, "enabled" => "`catalogue`", "boundaries" => "`bounds`");
hinted!(
    Cardinality,
    "blockedLabels" => "`blocked_labels`, which adds to those that are built in",
    "blockUUIDs" => "`value_patterns`",
    "max_series" => "`max_label_sets`"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_obeyed_is_refused_by_its_place() {
        let none = Cardinality::default().with_max_label_sets(0);
        let error = AutomaticMetrics::default().with_cardinality(none).check().unwrap_err();
        assert!(error.to_string().starts_with("automatic_metrics.cardinality.max_label_sets: "), "{error}");
        let error = AutomaticMetrics::default().with_bounds("a", [2.0, 1.0]).check().unwrap_err();
        assert!(error.to_string().starts_with("automatic_metrics.bounds.a: "), "{error}");
        let error = serde_json::from_str::<Cardinality>(r#"{"blockedLabels": []}"#).unwrap_err();
        assert!(error.to_string().contains("adds to those"), "{error}");
        assert!(serde_json::from_str::<AutomaticMetrics>(r#"{"gen_a": true}"#).is_err());
    }

    #[test]
    fn advice_follows_the_prefix_and_the_user() {
        let config =
            AutomaticMetrics::default().with_prefix("app_").with_bounds("app_agent_duration_ms", [1.0]);
        let advice = config.advice();
        assert_eq!(advice["app_agent_duration_ms"], [1.0]);
        assert_eq!(advice["app_model_time_to_first_token_ms"], FIRST_TOKEN_BOUNDS);
        assert_eq!(advice["app_workflow_duration_ms"], DURATION_BOUNDS);
        assert_eq!(advice.len(), 5);
        let config =
            AutomaticMetrics::default().with_prefix("app_").with_bounds("mastra_agent_duration_ms", [2.0]);
        assert_eq!((config.advice().len(), &*config.advice()["app_agent_duration_ms"]), (5, &[2.0][..]));
        assert!(AutomaticMetrics::off().advice().is_empty());
    }
}
