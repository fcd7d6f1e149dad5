//! Metric records and their rows.

use obs_core::{
    Cost, Exemplar, Labels, Mapped, Metric, MetricValue, Records, SpanId, Str, Temporality, Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::StoreExporter;
use crate::row::{self, Binder, Columns, Shared};
use crate::write::{self, Stored, Write};

/// The columns that are read back, in the order of [`read`].
macro_rules! columns {
    () => {
        "time_ns, name, unit, labels, rest"
    };
}

/// What [`read`] reads; to be followed by `WHERE`.
pub(crate) const SELECT: &str = concat!("SELECT ", columns!(), " FROM metrics");

/// The fields without which no JSON is a metric; the columns say what they are.
const HEAD: &str = r#""name":"""#;

/// Maps metrics.
pub(crate) fn map(_: &StoreExporter, records: &Records<Metric>) -> Mapped<Write> {
    write::map(records, Write::Metrics)
}

/// What of a metric has no column of its own, under the names of canonical JSON.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a Str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporality: Option<Temporality>,
    value: &'a MetricValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    exemplar: Option<&'a Exemplar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

impl Stored for Metric {
    const INSERT: &'static str = concat!(
        "INSERT INTO metrics (",
        columns!(),
        ", type, value, count, trace_id, span_id, service) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
    );

    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()> {
        // Taken apart whole, so that a field added to metrics cannot be forgotten here.
        let Self {
            time,
            start,
            name: _,
            unit: _,
            description,
            labels: _,
            temporality,
            value,
            exemplar,
            cost,
            context,
            resource,
        } = self;
        let (context, resource) = shared.of(context, resource)?;
        let rest = Rest {
            time: row::beyond(time.as_nanos()),
            start: *start,
            description: description.as_ref(),
            temporality: *temporality,
            value,
            exemplar: exemplar.as_ref(),
            cost: cost.as_deref(),
            context,
            resource,
        };
        serde_json::to_writer(out, &rest)
    }

    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let (kind, value, count) = shown(&self.value);
        let labels = if self.labels.is_empty() { None } else { serde_json::to_string(&self.labels).ok() };
        let span = self.exemplar.as_ref().map(|exemplar| exemplar.span);
        let span_id = span.and_then(|span| span.span_id).map(SpanId::to_hex);
        Binder::new(statement)
            .put(row::count(self.time.as_nanos()))?
            .put(self.name.as_str())?
            .put(self.unit.as_deref())?
            .put(labels)?
            .put(rest)?
            .put(kind)?
            .put(value)?
            .put(count.map(row::count))?
            .hex(span.map(|span| span.trace_id.to_hex()).as_ref().map(<[u8; 32]>::as_slice))?
            .hex(span_id.as_ref().map(<[u8; 16]>::as_slice))?
            .put(row::service(&self.context, &self.resource))?;
        Ok(())
    }
}

/// What people see of a value: its kind, the number or sum, and how many samples.
fn shown(value: &MetricValue) -> (&'static str, f64, Option<u64>) {
    match value {
        MetricValue::Add(value) => ("add", *value, None),
        MetricValue::UpDown(value) => ("up_down", *value, None),
        MetricValue::Gauge(value) => ("gauge", *value, None),
        MetricValue::Sample(value) => ("sample", *value, None),
        MetricValue::Sum { value, .. } => ("sum", *value, None),
        MetricValue::Histogram(histogram) => ("histogram", histogram.sum, Some(histogram.count)),
        MetricValue::ExpHistogram(histogram) => ("exp_histogram", histogram.sum, Some(histogram.count)),
    }
}

/// The metric that a row of [`SELECT`] was made of.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Metric> {
    let mut row = Columns::new(row);
    let (time, name) = (row.take::<i64>()?, row.take::<String>()?);
    let (unit, labels) = (row.take::<Option<String>>()?, row.take::<Option<String>>()?);
    let mut metric: Metric = row.rest(&row::timed(HEAD, "time", time))?;
    metric.name = name.into();
    metric.unit = unit.map(Into::into);
    if let Some(labels) = labels {
        metric.labels = serde_json::from_str::<Labels>(&labels)
            .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, cause.into()))?;
    }
    Ok(metric)
}
