//! What the records themselves add up to.

use std::collections::{BTreeMap, BTreeSet};

use obs_core::{MetricValue, Record, ScoreValue, SpanRecord, Target};
use serde_json::Value;

use crate::e2e::fact::Fact;

/// What is asked of tables.
pub(super) const NAMES: [&str; 8] =
    ["count", "ids", "input_tokens", "output_tokens", "cost", "duration_ns", "under_a_span", "value"];

/// A number to ten digits, since sums in another order differ in the last ones; what was not added up is nothing.
pub(super) fn rounded(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if value.is_f64() => format!("{number:.9e}").into(),
        _ => value.clone(),
    }
}

/// The facts of every table.
pub(super) fn tables(records: &[Record]) -> Vec<Fact> {
    let fact = |table: &str, sums: Vec<(&'static str, Value)>| {
        sums.into_iter()
            .fold(Fact::new("table", table), |fact, (name, value)| fact.with(name, rounded(&value)))
    };
    let sums = Sums::of(records);
    vec![
        fact("spans", sums.spans()),
        fact("logs", vec![("count", sums.logs.into()), ("under_a_span", sums.logs_under_a_span.into())]),
        fact("metrics", vec![("count", sums.metrics.into()), ("value", sums.measured.into())]),
        fact("scores", sums.scores.facts()),
        fact("feedback", sums.feedback.facts()),
        fact("spans with their scores", sums.joined()),
    ]
}

#[derive(Debug, Default)]
struct Sums {
    /// By trace and span, how long it took; each was recorded once.
    spans: BTreeMap<(String, String), u64>,
    count: usize,
    input_tokens: u64,
    output_tokens: u64,
    cost: f64,
    logs: usize,
    logs_under_a_span: usize,
    metrics: usize,
    measured: f64,
    scores: Judgements,
    feedback: Judgements,
}

#[derive(Debug, Default)]
struct Judgements {
    count: usize,
    ids: BTreeSet<String>,
    value: f64,
    /// The span that each is about, and its number, if it is one.
    of: Vec<((String, String), Option<f64>)>,
}

impl Sums {
    fn of(records: &[Record]) -> Self {
        let mut sums = Self::default();
        for record in records {
            match record {
                Record::Span(SpanRecord::Ended(span)) => sums.span(span),
                Record::Span(SpanRecord::Started(_)) => {}
                Record::Log(log) => {
                    sums.logs += 1;
                    sums.logs_under_a_span +=
                        usize::from(log.span.is_some_and(|span| span.span_id.is_some()));
                }
                Record::Metric(metric) => {
                    sums.metrics += 1;
                    sums.measured +=
                        Some(measured(&metric.value)).filter(|value| value.is_finite()).unwrap_or(0.0);
                }
                Record::Score(score) => sums.scores.add(score.id.to_string(), &score.target, &score.value),
                Record::Feedback(given) => {
                    sums.feedback.add(given.id.to_string(), &given.target, &given.value);
                }
            }
        }
        sums
    }

    fn span(&mut self, span: &obs_core::Span) {
        let took = span.end.map_or(0, |end| end.as_nanos().saturating_sub(span.start.as_nanos()));
        self.spans.insert((span.trace_id.to_string(), span.span_id.to_string()), took);
        self.count += 1;
        if let Some((_, _, usage)) = span.span_type.model() {
            self.input_tokens += usage.input.unwrap_or_default();
            self.output_tokens += usage.output.unwrap_or_default();
        }
        let cost = span.span_type.as_generation().and_then(|call| call.cost.as_ref());
        self.cost += cost.map_or(0.0, |cost| cost.total);
    }

    fn spans(&self) -> Vec<(&'static str, Value)> {
        let took: u64 = self.spans.values().sum();
        vec![
            ("count", self.count.into()),
            ("ids", self.spans.len().into()),
            ("input_tokens", self.input_tokens.into()),
            ("output_tokens", self.output_tokens.into()),
            ("cost", self.cost.into()),
            ("duration_ns", took.into()),
        ]
    }

    /// A row for each score that is about a span that is there.
    fn joined(&self) -> Vec<(&'static str, Value)> {
        let rows: Vec<_> =
            self.scores.of.iter().filter_map(|(span, value)| Some((self.spans.get(span)?, value))).collect();
        let value: f64 = rows.iter().filter_map(|(_, value)| **value).sum();
        let took: u64 = rows.iter().map(|(took, _)| **took).sum();
        vec![("count", rows.len().into()), ("value", value.into()), ("duration_ns", took.into())]
    }
}

impl Judgements {
    fn add(&mut self, id: String, target: &Target, value: &ScoreValue) {
        let number = match value {
            ScoreValue::Numeric { value, .. } => Some(*value),
            ScoreValue::Boolean(yes) => Some(f64::from(u8::from(*yes))),
            ScoreValue::Categorical(_) | ScoreValue::Text(_) => None,
        };
        self.count += 1;
        self.ids.insert(id);
        self.value += number.filter(|number| number.is_finite()).unwrap_or(0.0);
        if let Target::Span { trace_id, span_id, .. } = target {
            self.of.push(((trace_id.to_string(), span_id.to_string()), number));
        }
    }

    fn facts(&self) -> Vec<(&'static str, Value)> {
        vec![("count", self.count.into()), ("ids", self.ids.len().into()), ("value", self.value.into())]
    }
}

/// The number, or the sum of the samples.
fn measured(value: &MetricValue) -> f64 {
    match value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => *value,
        MetricValue::Histogram(of) => of.sum,
        MetricValue::ExpHistogram(of) => of.sum,
    }
}

#[cfg(test)]
mod tests {
    use obs_core::Signal;
    use obs_testkit::fixtures;
    use serde_json::json;

    use super::*;
    use crate::e2e::fact::compare;
    use crate::e2e::source::records;

    fn of_the_trace() -> Vec<Record> {
        fixtures::trace_batches()
            .iter()
            .flat_map(records)
            .chain(records(&fixtures::batch(Signal::Metrics)))
            .collect()
    }

    #[test]
    fn a_lost_record_and_a_changed_number_change_the_sums() {
        let all = of_the_trace();
        let expected = tables(&all);
        assert!(compare(&expected, &tables(&all)).wrong.is_empty());
        for at in 0..all.len() {
            let mut less = all.clone();
            less.remove(at);
            assert!(!compare(&expected, &tables(&less)).wrong.is_empty(), "without record {at}");
            let mut more = all.clone();
            more.push(all[at].clone());
            assert!(!compare(&expected, &tables(&more)).wrong.is_empty(), "with record {at} twice");
        }
        let mut moved = all.clone();
        for record in &mut moved {
            if let Record::Score(score) = record {
                score.target = Target::Session { session_id: "s".into() };
            }
        }
        let told = compare(&expected, &tables(&moved)).wrong;
        assert!(
            told[0].starts_with("table spans with their scores: count is 0, and 1 was recorded"),
            "{told:?}"
        );
    }

    #[test]
    fn the_trace_has_what_it_is_known_to_have() {
        let facts = tables(&of_the_trace());
        let field = |at: usize, name: &str| facts[at].fields[name].clone();
        assert_eq!((field(0, "count"), field(0, "ids")), (json!(12), json!(12)));
        assert_eq!((field(0, "input_tokens"), field(0, "output_tokens")), (json!(1020), json!(120)));
        assert_eq!((field(3, "count"), field(4, "count"), field(5, "count")), (json!(2), json!(1), json!(1)));
    }

    #[test]
    fn numbers_are_compared_to_ten_digits_and_whole_ones_to_the_last() {
        let sum = json!(0.1 + 0.2);
        assert_eq!(rounded(&sum), rounded(&json!(0.3)));
        assert_ne!(rounded(&json!(0.3)), rounded(&json!(0.300_000_001)));
        assert_ne!(rounded(&json!(9_007_199_254_740_993_u64)), rounded(&json!(9_007_199_254_740_992_u64)));
        assert_eq!(rounded(&Value::Null), Value::Null);
    }
}
