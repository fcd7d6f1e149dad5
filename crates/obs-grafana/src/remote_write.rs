//! Requests of Prometheus's remote write, version 1.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use obs_core::{Call, ErrorKind, Mapped, Metric, Records, Refused, Resource};

use crate::labels::Labels;
use crate::naming::SeriesKind as Kind;
use crate::native::{Buckets, Native};
use crate::owners::{Owners, Source, identity};
use crate::proto;
use crate::series::{self, ExemplarPoint, Family, Point, PointValue, Told};
use crate::wire::{Place, Request};

/// The most bytes of a request before compression.
const BYTES: usize = 4 << 20;
/// The most bytes of a description: Mimir refuses more than 1,024.
const HELP: usize = 1_000;

/// Requests of all metrics that remote write has a form for.
///
/// `complete` adds to a resource what it lacks, `native` says whether the server takes native histograms, and `owners`
/// knows whose the series are that were sent before.
pub(crate) fn map(
    metrics: &Records<Metric>,
    complete: impl Fn(&Arc<Resource>) -> Arc<Resource>,
    native: bool,
    owners: &mut Owners,
) -> Mapped<Request> {
    let targets = Targets::of(metrics, complete);
    let mut requests = Requests { done: Vec::new(), refused: Vec::new(), now: Write::default() };
    let told = metrics.iter().map(|metric| {
        let target = targets.of_metric(metric);
        let told = series::of(metric, &target.resource, native)?;
        owners.claim(Source::of(metric, told.family.kind, &target.identity), &told.points)?;
        Ok(told)
    });
    let told = latest(told.collect(), owners);
    if let Some(millis) = metrics.iter().map(|metric| series::millis(metric.time)).max() {
        owners.forget_before(millis);
    }
    for (at, (metric, told)) in metrics.iter().zip(told).enumerate() {
        match told {
            Ok(Told { family, points }) => requests.add(at, family, points, targets.of_metric(metric)),
            Err(cause) => requests.refused.push(Refused::encode(at, cause)),
        }
    }
    requests.end()
}

/// What is told, with every record refused that a later one of the same series and millisecond takes the place of: a
/// server would refuse the whole request for it.
fn latest(mut all: Vec<Result<Told, String>>, owners: &Owners) -> Vec<Result<Told, String>> {
    let mut seen: HashSet<(u64, i64)> = HashSet::with_capacity(all.len());
    for told in all.iter_mut().rev() {
        let Ok(Told { points, .. }) = told else { continue };
        let keys: Vec<_> = points.iter().map(|point| (owners.key(&point.labels), point.millis)).collect();
        if keys.iter().any(|key| seen.contains(key)) {
            let reason =
                "a later point of the same series has the same millisecond, the finest time of remote write";
            *told = Err(reason.to_owned());
        } else {
            seen.extend(keys);
        }
    }
    all
}

/// The resources of a batch, each once.
struct Targets(Vec<Target>);

/// A resource and the series that tells of it.
struct Target {
    own: Arc<Resource>,
    resource: Arc<Resource>,
    identity: Arc<str>,
    /// At the time of the latest point of the whole batch, so that no request tells an older time than one before.
    info: Option<Point>,
}

impl Targets {
    fn of(metrics: &Records<Metric>, complete: impl Fn(&Arc<Resource>) -> Arc<Resource>) -> Self {
        let mut targets: Vec<Target> = Vec::new();
        for metric in metrics.iter() {
            let millis = series::millis(metric.time);
            let known = targets.iter_mut().find(|target| Arc::ptr_eq(&target.own, &metric.resource));
            if let Some(target) = known {
                target.info.iter_mut().for_each(|info| info.millis = info.millis.max(millis));
                continue;
            }
            let resource = complete(&metric.resource);
            let (value, exemplars) = (PointValue::Number(1.0), Vec::new());
            let info =
                series::target_info(&resource).map(|labels| Point { labels, millis, value, exemplars });
            let (own, identity) = (Arc::clone(&metric.resource), identity(&metric.resource));
            targets.push(Target { own, resource, identity, info });
        }
        // Several resources may say the same.
        let mut latest: HashMap<Labels, i64> = HashMap::new();
        for info in targets.iter().filter_map(|target| target.info.as_ref()) {
            let known = latest.entry(info.labels.clone()).or_insert(info.millis);
            *known = info.millis.max(*known);
        }
        for info in targets.iter_mut().filter_map(|target| target.info.as_mut()) {
            info.millis = latest.get(&info.labels).copied().unwrap_or(info.millis);
        }
        Self(targets)
    }

    fn of_metric(&self, metric: &Metric) -> &Target {
        let known = self.0.iter().find(|target| Arc::ptr_eq(&target.own, &metric.resource));
        known.unwrap_or(&self.0[0])
    }
}

/// Requests under way.
struct Requests {
    done: Vec<Call<Request>>,
    refused: Vec<Refused>,
    now: Write,
}

/// A request under way.
#[derive(Default)]
struct Write {
    series: Vec<Series>,
    /// Where the series of these labels stands.
    at: HashMap<Labels, usize>,
    families: Vec<Family>,
    records: Vec<usize>,
    /// How many bytes it has at most.
    bytes: usize,
}

/// A series and its samples.
struct Series {
    labels: Labels,
    points: Vec<(i64, PointValue)>,
    exemplars: Vec<ExemplarPoint>,
}

impl Requests {
    fn add(&mut self, at: usize, family: Family, points: Vec<Point>, target: &Target) {
        let target = target.info.as_ref();
        // Each sample as if its series were its own: no less than what it takes.
        let sum = points.iter().chain(target).map(size).sum::<usize>() + family_size(&family);
        if sum > BYTES {
            let reason =
                format!("{sum} bytes of series, where {BYTES} are the most; use fewer or shorter labels");
            let refused = Refused { at, kind: ErrorKind::TooLarge, status: None, reason: reason.into() };
            self.refused.push(refused);
            return;
        }
        if self.now.bytes + sum > BYTES {
            self.cut();
        }
        self.now.add(at, sum, family, points.into_iter().chain(target.cloned()));
    }

    fn cut(&mut self) {
        let write = std::mem::take(&mut self.now);
        if !write.records.is_empty() {
            let body = write.encode();
            self.done.push(Call { request: Request { place: Place::Metrics, body }, records: write.records });
        }
    }

    fn end(mut self) -> Mapped<Request> {
        self.cut();
        Mapped { calls: self.done, refused: self.refused }
    }
}

impl Write {
    fn add(&mut self, at: usize, bytes: usize, family: Family, points: impl Iterator<Item = Point>) {
        for Point { labels, millis, value, exemplars } in points {
            let known = self.at.get(&labels).copied();
            let place = known.unwrap_or_else(|| {
                let (points, exemplars) = (Vec::new(), Vec::new());
                self.at.insert(labels.clone(), self.series.len());
                self.series.push(Series { labels, points, exemplars });
                self.series.len() - 1
            });
            let series = &mut self.series[place];
            series.points.push((millis, value));
            series.exemplars.extend(exemplars);
        }
        if !self.families.iter().any(|known| known.name == family.name) {
            self.families.push(family);
        }
        self.records.push(at);
        self.bytes += bytes;
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes);
        for series in &self.series {
            proto::message(&mut out, 1, |out| series.encode(out));
        }
        for family in &self.families {
            proto::message(&mut out, 3, |out| encode_family(out, family));
        }
        out
    }
}

impl Series {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_labels(out, &self.labels);
        let mut points: Vec<_> = self.points.iter().collect();
        points.sort_by_key(|(millis, _)| *millis);
        for (nth, (millis, value)) in points.iter().enumerate() {
            // The series of a target is told with each of its records.
            let again = points.get(nth + 1).is_some_and(|(next, _)| next == millis);
            match value {
                _ if again => {}
                PointValue::Number(value) => proto::message(out, 2, |out| {
                    proto::double(out, 1, *value);
                    proto::int(out, 2, *millis);
                }),
                PointValue::Native(native) => {
                    proto::message(out, 4, |out| encode_native(out, native, *millis));
                }
            }
        }
        let mut exemplars: Vec<_> = self.exemplars.iter().collect();
        exemplars.sort_by_key(|one| one.millis);
        for ExemplarPoint { labels, value, millis } in exemplars {
            proto::message(out, 3, |out| {
                encode_labels(out, labels);
                proto::double(out, 2, *value);
                proto::int(out, 3, *millis);
            });
        }
    }
}

fn encode_labels(out: &mut Vec<u8>, labels: &Labels) {
    for (name, value) in labels {
        proto::message(out, 1, |out| {
            proto::string(out, 1, name);
            proto::string(out, 2, value);
        });
    }
}

fn encode_native(out: &mut Vec<u8>, native: &Native, millis: i64) {
    // Which field the count stands in says that counts are whole, also where it is zero.
    proto::always_uint(out, 1, native.count);
    proto::double(out, 3, native.sum);
    proto::sint(out, 4, i64::from(native.schema));
    proto::double(out, 5, native.zero_threshold);
    proto::always_uint(out, 6, native.zero_count);
    for (spans, deltas, buckets) in [(8, 9, &native.negative), (11, 12, &native.positive)] {
        let Buckets { spans: runs, deltas: counts } = buckets;
        for (offset, length) in runs {
            proto::message(out, spans, |out| {
                proto::sint(out, 1, i64::from(*offset));
                proto::uint(out, 2, u64::from(*length));
            });
        }
        proto::packed_sints(out, deltas, counts);
    }
    proto::int(out, 15, millis);
}

fn encode_family(out: &mut Vec<u8>, family: &Family) {
    let kind = match family.kind {
        Kind::Counter => 1,
        Kind::Gauge => 2,
        Kind::Histogram => 3,
    };
    proto::uint(out, 1, kind);
    proto::string(out, 2, &family.name);
    proto::string(out, 4, &family.help[..family.help.floor_char_boundary(HELP)]);
    proto::string(out, 5, &family.unit);
}

/// No fewer bytes than a sample takes with its labels.
fn size(point: &Point) -> usize {
    let labels =
        |labels: &Labels| labels.iter().map(|(name, value)| name.len() + value.len() + 12).sum::<usize>();
    let value = match &point.value {
        PointValue::Number(_) => 24,
        PointValue::Native(native) => {
            let buckets = |buckets: &Buckets| 16 * buckets.spans.len() + 10 * buckets.deltas.len();
            100 + buckets(&native.positive) + buckets(&native.negative)
        }
    };
    let exemplars: usize = point.exemplars.iter().map(|one| labels(&one.labels) + 32).sum();
    labels(&point.labels) + value + exemplars + 10
}

fn family_size(family: &Family) -> usize {
    family.name.len() + family.help.len().min(HELP) + family.unit.len() + 24
}
