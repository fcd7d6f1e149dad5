//! What a metric is called on the page, and what it is there.

use crate::labels::Labelling;
use crate::names::Name;
use crate::page::Type;
use crate::point::Kind;
use crate::units::{Scale, unit, with_unit};
use crate::{MetricMapping, MetricNames, MetricType, PrometheusConfig};

/// The rules of names that follow from the config.
#[derive(Debug)]
pub(crate) struct Naming {
    names: MetricNames,
    mapping: Vec<(String, MetricMapping)>,
    labelling: Labelling,
    max_series: usize,
}

/// What becomes of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Without the suffix that its samples have.
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) help: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) scale: Scale,
}

impl Naming {
    pub(crate) fn new(config: &PrometheusConfig, grouping: impl IntoIterator<Item = String>) -> Self {
        let mapping = config.metrics_mapping.iter();
        Self {
            names: config.metric_names,
            mapping: mapping.map(|(name, mapping)| (name.clone(), mapping.clone())).collect(),
            labelling: Labelling::new(config, grouping),
            max_series: config.max_series,
        }
    }

    pub(crate) fn labelling(&self) -> &Labelling {
        &self.labelling
    }

    pub(crate) fn max_series(&self) -> usize {
        self.max_series
    }

    /// The plan of a metric.
    ///
    /// # Errors
    /// Why it cannot be shown: it has no name, or the type it is mapped to is none that it can have.
    pub(crate) fn plan(&self, recorded: &str, code: Option<&str>, kind: Kind) -> Result<Plan, Box<str>> {
        if recorded.is_empty() {
            return Err("the metric has no name".into());
        }
        let mapping = self.mapping.iter().find(|(name, _)| name == recorded).map(|(_, mapping)| mapping);
        let ty = typed(kind, mapping.and_then(|mapping| mapping.metric_type), recorded)?;
        let help = mapping.and_then(|mapping| mapping.help.clone());
        if let Some(name) = mapping.and_then(|mapping| mapping.name.as_deref()) {
            // Who gives a name says what it counts in.
            let name = Name::new(without_total(name, ty).to_owned());
            return Ok(Plan { name, ty, help, unit: None, scale: Scale::Same });
        }
        let base = without_total(recorded, ty);
        let found = unit(base, code).filter(|_| self.names == MetricNames::Idiomatic);
        let named = found.as_ref().map_or_else(|| base.to_owned(), |unit| with_unit(base, unit));
        let scale = found.as_ref().map(|unit| unit.scale).unwrap_or_default();
        Ok(Plan { name: Name::new(named), ty, help, unit: found.map(|unit| unit.word), scale })
    }
}

/// A counter's samples get their `_total` from its type.
fn without_total(name: &str, ty: Type) -> &str {
    let stripped = name.strip_suffix("_total").or_else(|| name.strip_suffix(".total"));
    stripped.filter(|base| ty == Type::Counter && !base.is_empty()).unwrap_or(name)
}

/// The type of a kind, or that which it is mapped to.
fn typed(kind: Kind, wanted: Option<MetricType>, recorded: &str) -> Result<Type, Box<str>> {
    let own = match kind {
        Kind::Counter => Type::Counter,
        Kind::UpDown | Kind::Gauge => Type::Gauge,
        Kind::Histogram | Kind::Exponential => Type::Histogram,
    };
    let Some(wanted) = wanted else { return Ok(own) };
    match (kind, wanted) {
        (Kind::Histogram | Kind::Exponential, MetricType::Histogram) => Ok(Type::Histogram),
        (Kind::Counter | Kind::UpDown | Kind::Gauge, MetricType::Counter) => Ok(Type::Counter),
        (Kind::Counter | Kind::UpDown | Kind::Gauge, MetricType::Gauge) => Ok(Type::Gauge),
        (Kind::Counter | Kind::UpDown | Kind::Gauge, MetricType::Untyped) => Ok(Type::Untyped),
        _ => Err(format!(
            "metrics_mapping makes \"{recorded}\" a {}, and it is recorded as a {}; change the type there, or leave it out",
            wanted.word(),
            kind.word()
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(config: &PrometheusConfig, name: &str, unit: Option<&str>, kind: Kind) -> (String, Type, f64) {
        let plan = Naming::new(config, []).plan(name, unit, kind).unwrap();
        (format!("{}{}", plan.name.safe, plan.ty.suffix()), plan.ty, plan.scale.apply(1.0))
    }

    #[test]
    fn names_are_idiomatic_or_as_they_were_recorded() {
        let idiomatic = PrometheusConfig::default();
        let recorded = PrometheusConfig::default().with_metric_names(MetricNames::Recorded);
        for (name, unit, kind, as_idiomatic, as_recorded, one) in [
            (
                "mastra_agent_runs_started",
                None,
                Kind::Counter,
                "mastra_agent_runs_started_total",
                "mastra_agent_runs_started_total",
                1.0,
            ),
            (
                "mastra_agent_duration_ms",
                Some("ms"),
                Kind::Histogram,
                "mastra_agent_duration_seconds",
                "mastra_agent_duration_ms",
                0.001,
            ),
            ("mastra_scores_total", None, Kind::Counter, "mastra_scores_total", "mastra_scores_total", 1.0),
            ("requests.total", Some("By"), Kind::Counter, "requests_bytes_total", "requests_total", 1.0),
            (
                "gen_ai.client.token.usage",
                Some("{token}"),
                Kind::Histogram,
                "gen_ai_client_token_usage",
                "gen_ai_client_token_usage",
                1.0,
            ),
            ("queue.size", Some("{item}"), Kind::UpDown, "queue_size", "queue_size", 1.0),
        ] {
            let (got, _, scale) = planned(&idiomatic, name, unit, kind);
            assert_eq!((&*got, scale), (as_idiomatic, one));
            let (got, _, scale) = planned(&recorded, name, unit, kind);
            assert_eq!((&*got, scale), (as_recorded, 1.0));
        }
    }

    #[test]
    fn a_mapping_names_types_and_explains() {
        let mapping =
            MetricMapping::new("latency_milliseconds").with_type(MetricType::Gauge).with_help("How long.");
        let config = PrometheusConfig::default().with_mapping("avg_latency_ms", mapping);
        let plan = Naming::new(&config, []).plan("avg_latency_ms", Some("ms"), Kind::UpDown).unwrap();
        assert_eq!(
            (&*plan.name.safe, plan.ty, plan.scale),
            ("latency_milliseconds", Type::Gauge, Scale::Same)
        );
        assert_eq!(plan.help.as_deref(), Some("How long."));
        let refused = Naming::new(&config, []).plan("avg_latency_ms", None, Kind::Histogram).unwrap_err();
        assert!(
            refused.contains("makes \"avg_latency_ms\" a gauge, and it is recorded as a histogram"),
            "{refused}"
        );
    }
}
