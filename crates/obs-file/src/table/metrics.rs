//! Metric records.

use obs_core::{Cost, Metric, MetricValue, Temporality};

use super::rest::{self, Rest};
use super::{Column, Tabular, count, json, json_of, nanos, printed, some, text};

impl Tabular for Metric {
    const TABLE: &'static [&'static [Column<Self>]] =
        &[OWN, MONEY, Column::WHO, DOCUMENTS, Column::CONTEXT, REST];
}

const OWN: &[Column<Metric>] = &[
    Column::time("time", "When it was made; the end of the interval of an aggregated point.", |metric| {
        Some(metric.time)
    }),
    Column::integer("time_ns", "The same in nanoseconds since 1970.", |metric| Some(nanos(metric.time))),
    Column::time("start_time", "The start of the interval of an aggregated point.", |metric| metric.start),
    Column::integer("start_ns", "The same in nanoseconds since 1970.", |metric| metric.start.map(nanos)),
    Column::text("name", "The metric's name.", |metric| text(&metric.name)),
    Column::text(
        "type",
        "A measurement, `add`, `up_down`, `gauge` or `sample`, or a point, `sum`, `histogram` or `exp_histogram`.",
        |metric| Some(shown(&metric.value).kind.into()),
    ),
    Column::float("value", "The number; the sum of a histogram.", |metric| Some(shown(&metric.value).value)),
    Column::integer("count", "How many samples a histogram has.", |metric| {
        shown(&metric.value).count.map(count)
    }),
    Column::float("min", "The least sample of a histogram, if known.", |metric| shown(&metric.value).min),
    Column::float("max", "The greatest sample of a histogram, if known.", |metric| shown(&metric.value).max),
    Column::boolean("monotonic", "Whether a `sum` only grows.", |metric| match metric.value {
        MetricValue::Sum { monotonic, .. } => Some(monotonic),
        _ => None,
    }),
    Column::text("temporality", "Of an aggregated point: `delta` or `cumulative`.", |metric| {
        metric.temporality.map(|temporality| match temporality {
            Temporality::Delta => "delta".into(),
            Temporality::Cumulative => "cumulative".into(),
        })
    }),
    Column::text("unit", "The unit, in UCUM.", |metric| some(metric.unit.as_ref())),
    Column::text("description", "What it measures, for people.", |metric| some(metric.description.as_ref())),
    Column::text("trace_id", "The trace that it was measured under.", |metric| {
        printed(metric.exemplar.as_ref().map(|exemplar| exemplar.span.trace_id))
    }),
    Column::text("span_id", "The span that it was measured under.", |metric| {
        printed(metric.exemplar.as_ref().and_then(|exemplar| exemplar.span.span_id))
    }),
];

const MONEY: &[Column<Metric>] = &[
    Column::float("cost", "The cost that a token count stands for.", |metric| {
        cost(metric).map(|cost| cost.total)
    }),
    Column::float("cost_input", "Its part for input, if known.", |metric| {
        cost(metric).and_then(|cost| cost.input)
    }),
    Column::float("cost_output", "Its part for output, if known.", |metric| {
        cost(metric).and_then(|cost| cost.output)
    }),
    Column::text("cost_currency", "Its currency, in ISO 4217.", |metric| {
        cost(metric).and_then(|cost| text(&cost.currency))
    }),
    Column::boolean(
        "cost_partial",
        "Whether a price or a count was missing, so that the cost is not exact.",
        |metric| cost(metric).map(|cost| cost.partial),
    ),
    Column::boolean(
        "cost_estimated",
        "Whether a table of prices says it; else the provider or the application does.",
        |metric| cost(metric).map(|cost| cost.estimated),
    ),
];

const DOCUMENTS: &[Column<Metric>] = &[
    Column::json("labels", "What the series is of, an object of texts.", |metric| {
        if metric.labels.is_empty() { Ok(None) } else { json(&metric.labels) }
    }),
    Column::json(
        "histogram",
        "A histogram in full: `bounds` and `counts`, or `scale` and buckets, with its exemplars.",
        |metric| match &metric.value {
            MetricValue::Histogram(histogram) => json(histogram),
            MetricValue::ExpHistogram(histogram) => json(histogram),
            _ => Ok(None),
        },
    ),
    Column::json(
        "exemplar",
        "The span that it was measured under, in full: `span`, `value`, `time`.",
        |metric| json_of(metric.exemplar.as_ref()),
    ),
];

const REST: &[Column<Metric>] =
    &[Column::json("rest", rest::DOC, |metric| Rest::default().time(metric.time).start(metric.start).cell())];

fn cost(metric: &Metric) -> Option<&Cost> {
    metric.cost.as_deref()
}

/// What the columns show of a value.
struct Shown {
    kind: &'static str,
    value: f64,
    count: Option<u64>,
    min: Option<f64>,
    max: Option<f64>,
}

fn shown(value: &MetricValue) -> Shown {
    let number = |kind, value: f64| Shown { kind, value, count: None, min: None, max: None };
    match value {
        MetricValue::Add(value) => number("add", *value),
        MetricValue::UpDown(value) => number("up_down", *value),
        MetricValue::Gauge(value) => number("gauge", *value),
        MetricValue::Sample(value) => number("sample", *value),
        MetricValue::Sum { value, .. } => number("sum", *value),
        MetricValue::Histogram(of) => {
            Shown { kind: "histogram", value: of.sum, count: Some(of.count), min: of.min, max: of.max }
        }
        MetricValue::ExpHistogram(of) => {
            Shown { kind: "exp_histogram", value: of.sum, count: Some(of.count), min: of.min, max: of.max }
        }
    }
}
