//! Metrics into requests: series, and points of distributions.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use obs_core::{Error, ErrorKind, Mapped, Metric, MetricValue, Records, Refused, Resource};

use crate::bodies::Bodies;
use crate::metric_tags::MetricTags;
use crate::plan::{Plan, Source, Value};
use crate::series::{self, Tagged};
use crate::slots::{Point, Slots};
use crate::spread::Times;
use crate::wire::{Place, Request};
use crate::{DatadogConfig, DatadogExporter, metrics_config};

/// How old a point may be, in seconds, and how far in the future: others Datadog drops after it has answered with success.
const PAST: u64 = 3_600;
const FUTURE: u64 = 600;

/// The most values of a distribution within one second: 10,000 a second where a lane looks every ten, and about 2 MB.
const MOST_VALUES: u64 = 100_000;

/// The envelope of series and of distributions.
const ENVELOPE: (&[u8], &[u8]) = (b"{\"series\":[", b"]}");

/// What an exporter knows for metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    plan: Plan,
    tags: MetricTags,
    slots: Mutex<Slots>,
}

impl Metrics {
    /// Checks what the configuration says of metrics.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub(crate) fn new(config: &DatadogConfig) -> Result<Self, Error> {
        metrics_config::validate(&config.metrics_config, &config.custom_metrics)?;
        let plan = Plan::new(&config.metrics_config, &config.custom_metrics);
        Ok(Self { plan, tags: MetricTags::new(config), slots: Mutex::default() })
    }

    /// Datadog has these points, so that what looks like them is not them again.
    pub(crate) fn settle(&self, points: &[Point]) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).settle(points);
    }
}

/// Records of one series and one second: they are one point.
#[derive(Debug)]
struct Group<'a> {
    metric: &'a Metric,
    tagged: Arc<Tagged>,
    second: u64,
    source: Source,
    /// Tells the point from others, and stays the same when the batch is tried again.
    print: u64,
    records: Vec<usize>,
}

/// Requests of all metrics.
pub(crate) fn map(exporter: &DatadogExporter, metrics: &Records<Metric>) -> Mapped<Request> {
    let now = exporter.now().as_millis() / 1_000;
    let own = exporter.metrics();
    let mut writer = Writer::new(own, now + FUTURE);
    for group in groups(exporter, own, metrics, now, &mut writer) {
        let (metric, records) = (group.metric, group.records.clone());
        if let Err((kind, reason)) = writer.write(group) {
            writer.refuse(&records, kind, &format!("{}: {reason}", metric.name));
        }
    }
    writer.finish()
}

/// The records by series and second, in the order in which each first came.
fn groups<'a>(
    exporter: &'a DatadogExporter,
    own: &'a Metrics,
    metrics: &'a Records<Metric>,
    now: u64,
    writer: &mut Writer<'_>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut last: Option<(&Arc<Resource>, Tagged)> = None;
    for (at, metric) in metrics.iter().enumerate() {
        let second = metric.time.as_millis() / 1_000;
        let made = timely(second, now).and_then(|()| Source::of(metric).map_err(str::to_owned));
        let source = match made {
            Ok(source) => source,
            Err(reason) => {
                writer.refuse(&[at], ErrorKind::Encode, &format!("{}: {reason}", metric.name));
                continue;
            }
        };
        let base = match &last {
            Some((resource, base)) if Arc::ptr_eq(resource, &metric.resource) => base.clone(),
            _ => {
                let base = own.tags.of(exporter.config(), &metric.resource);
                last.insert((&metric.resource, base)).1.clone()
            }
        };
        let tagged = base.with_labels(&metric.labels);
        let key = hash(&(&metric.name, &tagged, second, source.kind()));
        let print = print(metric);
        if let Some(group) = known.get(&key).map(|nth| &mut groups[*nth]) {
            group.source.join(source);
            group.print = hash(&(group.print, print));
            group.records.push(at);
        } else {
            known.insert(key, groups.len());
            let tagged = Arc::new(tagged);
            groups.push(Group { metric, tagged, second, source, print, records: vec![at] });
        }
    }
    groups
}

/// Refuses a point that Datadog would drop without a word.
fn timely(second: u64, now: u64) -> Result<(), String> {
    if second + PAST < now {
        return Err(format!("{} s old, and Datadog drops points that are older than an hour", now - second));
    }
    if second > now + FUTURE {
        return Err("more than 10 min in the future, and Datadog drops such points; set the clock".to_owned());
    }
    Ok(())
}

/// Writes points into requests.
#[derive(Debug)]
struct Writer<'a> {
    own: &'a Metrics,
    /// The last second that Datadog takes.
    until: u64,
    series: Bodies,
    distributions: Bodies,
}

type Fault = (ErrorKind, String);

impl<'a> Writer<'a> {
    fn new(own: &'a Metrics, until: u64) -> Self {
        let (series, distributions) =
            (Bodies::new(Place::Series, ENVELOPE), Bodies::new(Place::Distributions, ENVELOPE));
        Self { own, until, series, distributions }
    }

    fn refuse(&mut self, records: &[usize], kind: ErrorKind, reason: &str) {
        for at in records {
            self.series.refuse(Refused { at: *at, kind, status: None, reason: reason.into() });
        }
    }

    /// Writes the series of a group; all of them stand in one request.
    fn write(&mut self, group: Group<'_>) -> Result<(), Fault> {
        let Group { metric, tagged, second, source, print, records } = group;
        let fault = |reason| (ErrorKind::Encode, reason);
        let pieces = self.own.plan.pieces(&metric.name, metric.unit.as_deref(), source).map_err(fault)?;
        let (mut items, mut points, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for piece in &pieces {
            match &piece.value {
                Value::Number(kind, value, interval) => {
                    if !value.is_finite() {
                        return Err(fault(
                            "the values of one second add up to more than a number holds".into(),
                        ));
                    }
                    let point = (hash(&(&piece.name, &tagged)), print);
                    let at = self.second(point, second).map_err(fault)?;
                    points.push(point);
                    items
                        .push(series::series(piece, &tagged, at, (*kind, *value, *interval)).map_err(fault)?);
                }
                Value::Distribution(times) => values.push((piece.name.as_str(), times.as_slice())),
            }
        }
        if items.iter().map(|item| item.len() + 1).sum::<usize>() > self.series.most() {
            return Err((ErrorKind::TooLarge, "its tags are larger than a request may be".into()));
        }
        if values.is_empty() {
            self.series.add(&items, &records);
            self.series.note(points);
            return Ok(());
        }
        self.write_values(&values, &tagged, second, &records)
    }

    /// Writes distributions, whose points add up within a second; where the values are more than a request holds, into
    /// several that are sent as one.
    fn write_values(
        &mut self,
        all: &[(&str, &[Times])],
        tagged: &Tagged,
        second: u64,
        records: &[usize],
    ) -> Result<(), Fault> {
        let fault = |reason| (ErrorKind::Encode, reason);
        let mut items = Vec::new();
        for (name, times) in all {
            let count = times.iter().fold(0u64, |sum, (_, times)| sum.saturating_add(*times));
            if count > MOST_VALUES {
                let reason = format!(
                    "{count} samples, where a distribution takes {MOST_VALUES}; set metrics_config.histograms to aggregates"
                );
                return Err((ErrorKind::TooLarge, reason));
            }
            let cut = series::cut(name, tagged, times, self.distributions.most()).map_err(fault)?;
            for values in &cut {
                items.push(series::distribution(name, tagged, second, values).map_err(fault)?);
            }
        }
        self.distributions.add_parts(&items, records);
        Ok(())
    }

    /// A second that no other point of the series has.
    fn second(&self, point: Point, wanted: u64) -> Result<u64, String> {
        let mut slots = self.own.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.place(point, wanted, self.until).ok_or_else(|| {
            "its series has had a point for every second of the next 10 min, and Datadog keeps one a second; \
             export less often"
                .to_owned()
        })
    }

    fn finish(self) -> Mapped<Request> {
        let mut mapped = self.series.finish();
        mapped.calls.extend(self.distributions.finish().calls);
        mapped
    }
}

/// What tells a point from others of its series: when it was and what it says.
fn print(metric: &Metric) -> u64 {
    let (start, time) = (metric.start, metric.time);
    match &metric.value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => hash(&(start, time, value.to_bits())),
        MetricValue::Histogram(histogram) => {
            hash(&(start, time, histogram.count, histogram.sum.to_bits(), &histogram.counts))
        }
        MetricValue::ExpHistogram(histogram) => {
            let (positive, negative) = (&histogram.positive.counts, &histogram.negative.counts);
            hash(&(start, time, histogram.count, histogram.sum.to_bits(), positive, negative))
        }
    }
}

/// The same for the same values in every run, so that requests are.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
