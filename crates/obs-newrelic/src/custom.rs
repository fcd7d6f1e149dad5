//! Events of the user's own, which records become beside what else they become.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{Attributes, Log, Metric, Records, Resource, SpanRecord, Value};

use crate::event::Event;
use crate::pack::{Pack, Packed};
use crate::pairs::{Pairs, float, scalar};
use crate::points::{self, Told};
use crate::wire::Scalar;
use crate::{EventType, NewRelicExporter, judged};

/// Bodies of the events that the spans at these positions become: those that have one of the attributes.
pub(crate) fn spans(
    exporter: &NewRelicExporter,
    spans: &Records<SpanRecord>,
    positions: &[usize],
) -> Vec<Packed> {
    let mut pack = Pack::new(exporter.max_request_size());
    let ended = positions.iter().filter_map(|at| spans.get(*at)?.ended());
    for span in ended {
        for (kind, wanted) in wanted(exporter, &span.attributes) {
            let resource = exporter.complete(&span.resource);
            let mut event = Event::new(kind, span.start);
            let to = &mut event.pairs;
            judged::ids(span.trace_id.to_string(), Some(span.span_id.to_string()), to);
            listed(wanted, [&span.attributes, &span.context.metadata, &resource.attributes], to);
            to.shared("name", Scalar::Text(span.name.as_str().into()));
            if let Some(end) = span.end {
                to.shared("duration.ms", Scalar::Float(end.since(span.start).as_secs_f64() * 1e3));
            }
            common(exporter, &resource, to);
            pack.add(&[], &event.told(&span.resource).within(pack.room()));
        }
    }
    pack.finish()
}

/// Bodies of the events that the logs at these positions become: those that have one of the attributes.
pub(crate) fn logs(exporter: &NewRelicExporter, logs: &Records<Log>, positions: &[usize]) -> Vec<Packed> {
    let mut pack = Pack::new(exporter.max_request_size());
    for log in positions.iter().filter_map(|at| logs.get(*at)) {
        for (kind, wanted) in wanted(exporter, &log.attributes) {
            let resource = exporter.complete(&log.resource);
            let mut event = Event::new(kind, log.time);
            let to = &mut event.pairs;
            if let Some(span) = &log.span {
                judged::ids(span.trace_id.to_string(), span.span_id.map(|id| id.to_string()), to);
            }
            listed(wanted, [&log.attributes, &log.context.metadata, &resource.attributes], to);
            to.shared("message", Scalar::Text(log.message.as_str().into()));
            to.shared("level", Scalar::Text(log.level.to_string().into()));
            common(exporter, &resource, to);
            pack.add(&[], &event.told(&log.resource).within(pack.room()));
        }
    }
    pack.finish()
}

/// The events that something with these attributes becomes.
fn wanted<'a>(
    exporter: &'a NewRelicExporter,
    own: &Attributes,
) -> impl Iterator<Item = (&'a str, &'a EventType)> {
    let has = |name: &String| own.get(name).is_some_and(|value| *value != Value::Null);
    exporter
        .config()
        .event_types
        .iter()
        .filter(move |(_, event)| event.attributes.iter().any(has))
        .map(|(kind, event)| (kind.as_str(), event))
}

/// Puts each listed attribute that is there, from the first place that has it.
fn listed<'a>(event: &'a EventType, places: [&'a Attributes; 3], to: &mut Pairs<'a>) {
    for name in &event.attributes {
        let found = places.iter().find_map(|place| scalar(place.get(name)?));
        if let Some(value) = found {
            to.own("attribute.", name, value);
        }
    }
}

/// Puts whose record it is, and what the config says of all of them.
fn common<'a>(exporter: &'a NewRelicExporter, resource: &'a Resource, to: &mut Pairs<'a>) {
    if let Some(service) = resource.service_name() {
        to.shared("appName", Scalar::Text(service.into()));
    }
    for (name, _) in exporter.config().common_attributes.iter() {
        if let Some(value) = resource.attributes.get(name).and_then(scalar) {
            to.shared(name, value);
        }
    }
}

/// What the points of one event have in common: labels, in order of their names, and where their resource lies.
type Series<'a> = (Vec<(&'a str, &'a str)>, usize);

/// Bodies of the events that the points at these positions become: those that are called as one of the attributes, and all
/// that have the same labels and resource in one.
pub(crate) fn points(
    exporter: &NewRelicExporter,
    metrics: &Records<Metric>,
    positions: &[usize],
) -> Vec<Packed> {
    let mut pack = Pack::new(exporter.max_request_size());
    for (kind, event) in &exporter.config().event_types {
        let named = |metric: &&Metric| event.attributes.iter().any(|name| *name == *metric.name);
        let points = positions.iter().filter_map(|at| metrics.get(*at)).filter(named);
        for group in groups(points) {
            let Some(first) = group.first() else { continue };
            let resource = exporter.complete(&first.resource);
            let made = of_points(exporter, kind, event, &group, &resource).told(&first.resource);
            pack.add(&[], &made.within(pack.room()));
        }
    }
    pack.finish()
}

/// Points of the same labels and resource, in the order of their first ones; a second point of a name begins another group.
fn groups<'a>(points: impl Iterator<Item = &'a Metric>) -> Vec<Vec<&'a Metric>> {
    let mut groups: Vec<Vec<&Metric>> = Vec::new();
    let mut open: HashMap<Series<'_>, usize> = HashMap::new();
    for point in points {
        let mut labels: Vec<_> =
            point.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        labels.sort_unstable();
        let series = (labels, Arc::as_ptr(&point.resource).addr());
        let nth = open.get(&series).copied();
        if let Some(nth) = nth.filter(|nth| groups[*nth].iter().all(|known| known.name != point.name)) {
            groups[nth].push(point);
        } else {
            open.insert(series, groups.len());
            groups.push(vec![point]);
        }
    }
    groups
}

fn of_points<'a>(
    exporter: &'a NewRelicExporter,
    kind: &'a str,
    event: &'a EventType,
    group: &[&'a Metric],
    resource: &'a Resource,
) -> Event<'a> {
    let latest = group.iter().map(|point| point.time).max().unwrap_or_default();
    let mut made = Event::new(kind, latest);
    let to = &mut made.pairs;
    let start = group.iter().filter_map(|point| point.start).min();
    if let Some(start) = start {
        to.put("interval.ms", Scalar::Count(latest.as_millis().saturating_sub(start.as_millis())));
    }
    for point in group {
        put_value(point, to);
    }
    // What a distribution is made of yields to a metric that is called so.
    for point in group {
        put_parts(point, to);
    }
    for (name, value) in group.iter().take(1).flat_map(|point| point.labels.iter()) {
        to.own("label.", name, Scalar::Text(value.as_str().into()));
    }
    for name in &event.attributes {
        if let Some(value) = resource.attributes.get(name).and_then(scalar) {
            to.shared(name, value);
        }
    }
    common(exporter, resource, to);
    made
}

/// A number under its name; of a distribution the mean.
fn put_value<'a>(point: &'a Metric, to: &mut Pairs<'a>) {
    match points::told(&point.value) {
        Told::Number(value) => to.own("metric.", &point.name, float(value)),
        Told::Distribution { count: 0, .. } => {}
        #[expect(clippy::cast_precision_loss, reason = "a mean is no exact number anyway")]
        Told::Distribution { count, sum, .. } => {
            to.own("metric.", &point.name, float(sum / count as f64));
        }
    }
}

/// What a distribution is made of, behind its name.
fn put_parts<'a>(point: &'a Metric, to: &mut Pairs<'a>) {
    if let Told::Distribution { count, sum, min, max } = points::told(&point.value) {
        to.part(&point.name, "count", Scalar::Count(count));
        for (part, value) in [("sum", Some(sum)), ("min", min), ("max", max)] {
            if let Some(value) = value {
                to.part(&point.name, part, float(value));
            }
        }
    }
}
