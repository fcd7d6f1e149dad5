//! A measurement with four labels, and what the collector makes of it.

use std::error::Error;

use obs_aggregate::{AggregateConfig, Aggregator};
use obs_core::{HistogramForm, Labels, Metric, MetricValue, Temporality, Timestamp};
use obs_instrument::Sampling;

use crate::Effort;
use crate::case::{Case, measure};
use crate::table::{Goal, Row, of};
use crate::{ours, peers};

/// The labels of every contender: those of a call to a language model.
pub(crate) const LABELS: [(&str, &str); 4] = [
    ("gen_ai.operation.name", "chat"),
    ("gen_ai.provider.name", "anthropic"),
    ("gen_ai.request.model", "claude-sonnet-4-5-20250929"),
    ("gen_ai.token.type", "input"),
];

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    let mut cases = vec![
        counter("obs.counter", |counter| {
            let labels = Labels::from(LABELS);
            Box::new(move || counter.add(1.0, labels.clone()))
        })?,
        counter("obs.counter.made", |counter| Box::new(move || counter.add(1.0, LABELS)))?,
        counter("obs.counter.bound", |counter| {
            let bound = counter.bind(LABELS);
            Box::new(move || bound.add(1.0))
        })?,
        counter("obs.counter.summed", |counter| {
            let summed = counter.bind_summed(LABELS);
            Box::new(move || summed.add(1))
        })?,
        fold("fold.counter", HistogramForm::Explicit, MetricValue::Add),
        fold("fold.explicit", HistogramForm::Explicit, MetricValue::Sample),
        fold("fold.exponential", HistogramForm::Exponential, MetricValue::Sample),
    ];
    cases.extend(peers::prometheus::cases());
    Ok(cases)
}

/// A counter of an instance, and what a measurement with it is.
fn counter(
    name: &'static str,
    make: impl FnOnce(obs_instrument::Counter) -> Box<dyn Fn()>,
) -> Result<Case, Box<dyn Error>> {
    let obs = ours::instance(Sampling::Always)?;
    let add = make(obs.meter().counter("gen_ai.client.token.usage").with_unit("{token}"));
    Ok(Case::new(name, move |times| (0..times).for_each(|_| add()), ours::flush(&obs)))
}

/// What a record costs the collector, which folds it into its series.
fn fold(name: &'static str, form: HistogramForm, make: fn(f64) -> MetricValue) -> Case {
    let start = Timestamp::default();
    let config = AggregateConfig::new(Temporality::Cumulative, start).with_histogram_form(form);
    let mut series = Aggregator::new(config);
    let labels = Labels::from(LABELS);
    let records: Vec<Metric> = (1..=256u32)
        .map(|at| {
            let mut metric = Metric::new(start, "gen_ai.client.token.usage", make(f64::from(at)));
            metric.unit = Some("{token}".into());
            metric.labels = labels.clone();
            metric
        })
        .collect();
    let fold_all = move |times| {
        for metric in records.iter().cycle().take(times) {
            series.fold(metric).unwrap_or_else(|refusal| panic!("{refusal}"));
        }
    };
    Case::new(name, fold_all, || {})
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut cases = cases()?;
    let costs = measure(&mut cases, effort.rounds);
    let nanos = |name| of(&cases, &costs, name).nanos;
    let against = |what: &str, ours, peer, goal| Row::ratio(what, nanos(ours), peer, nanos(peer), goal);
    let folded = |what: &str, name| {
        Row::figure(format!("{what}, folded by the collector"), nanos(name), "ns", Goal::None)
    };
    Ok(vec![
        against("counter with four labels", "obs.counter", "prometheus.counter", Goal::AtMost(1.0)),
        against(
            "counter with four labels made each time",
            "obs.counter.made",
            "prometheus.counter.made",
            Goal::None,
        ),
        Row::figure("counter bound to its labels", nanos("obs.counter.bound"), "ns", Goal::AtMost(5.0)),
        Row::figure("counter summed in place", nanos("obs.counter.summed"), "ns", Goal::AtMost(5.0)),
        against("counter summed in place", "obs.counter.summed", "prometheus.counter.bound", Goal::None),
        against("counter bound to its labels", "obs.counter.bound", "prometheus.counter.bound", Goal::None),
        folded("counter with four labels", "fold.counter"),
        folded("sample with four labels, explicit bounds", "fold.explicit"),
        folded("sample with four labels, exponential", "fold.exponential"),
    ])
}
