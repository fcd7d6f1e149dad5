//! Remote write as a server reads it: messages of prost's own making.

use std::collections::BTreeMap;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(double, tag = "2")]
    pub(crate) value: f64,
    #[prost(int64, tag = "3")]
    pub(crate) timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) count_int: Option<u64>,
    #[prost(double, tag = "3")]
    pub(crate) sum: f64,
    #[prost(sint32, tag = "4")]
    pub(crate) schema: i32,
    #[prost(double, tag = "5")]
    pub(crate) zero_threshold: f64,
    #[prost(uint64, optional, tag = "6")]
    pub(crate) zero_count_int: Option<u64>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) negative_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "9")]
    pub(crate) negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "12")]
    pub(crate) positive_deltas: Vec<i64>,
    #[prost(int64, tag = "15")]
    pub(crate) timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct BucketSpan {
    #[prost(sint32, tag = "1")]
    pub(crate) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) length: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricMetadata {
    #[prost(int32, tag = "1")]
    pub(crate) kind: i32,
    #[prost(string, tag = "2")]
    pub(crate) metric_family_name: String,
    #[prost(string, tag = "4")]
    pub(crate) help: String,
    #[prost(string, tag = "5")]
    pub(crate) unit: String,
}

pub(crate) const COUNTER: i32 = 1;
pub(crate) const GAUGE: i32 = 2;
pub(crate) const HISTOGRAM: i32 = 3;

/// The request of a body as it arrives: one block of Snappy.
pub(crate) fn decoded(body: &[u8]) -> WriteRequest {
    let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    WriteRequest::decode(&*plain).unwrap()
}

impl TimeSeries {
    pub(crate) fn labels(&self) -> BTreeMap<&str, &str> {
        self.labels.iter().map(|label| (&*label.name, &*label.value)).collect()
    }

    pub(crate) fn name(&self) -> &str {
        self.labels()["__name__"]
    }

    /// The series in Prometheus's notation.
    pub(crate) fn key(&self) -> String {
        let others = self.labels.iter().filter(|label| label.name != "__name__");
        let labels: Vec<_> = others.map(|label| format!("{}={:?}", label.name, label.value)).collect();
        format!("{}{{{}}}", self.name(), labels.join(","))
    }
}

impl WriteRequest {
    /// How many points it holds: a classic histogram counts as one, and what tells of targets as none.
    pub(crate) fn points(&self) -> usize {
        let kind =
            |name: &str| self.metadata.iter().find(|one| one.metric_family_name == name).map(|one| one.kind);
        let count = |series: &TimeSeries| {
            let name = series.name();
            if let Some(family) = name.strip_suffix("_count").filter(|family| kind(family) == Some(HISTOGRAM))
            {
                assert!(!family.is_empty());
                return series.samples.len();
            }
            let of_histogram =
                |suffix| name.strip_suffix(suffix).is_some_and(|family| kind(family) == Some(HISTOGRAM));
            if name == "target_info" || of_histogram("_bucket") || of_histogram("_sum") {
                return 0;
            }
            series.samples.len() + series.histograms.len()
        };
        self.timeseries.iter().map(count).sum()
    }

    /// What every server demands of a request.
    pub(crate) fn assert_valid(&self) {
        let mut seen = std::collections::HashSet::new();
        for series in &self.timeseries {
            let key = series.key();
            assert!(seen.insert(key.clone()), "{key} stands twice");
            assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "{key}: its labels are not sorted");
            assert!(series.labels.iter().all(|label| !label.value.is_empty()), "{key} has an empty label");
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for label in &series.labels {
                assert!(label.name.chars().all(inner), "{key}: {}", label.name);
                assert!(label.value.len() <= 2_048, "{key}: a value of {} bytes", label.value.len());
            }
            assert!(series.name().chars().all(|c| inner(c) || c == ':'), "{key}");
            assert!(
                series.samples.is_sorted_by(|a, b| a.timestamp < b.timestamp),
                "{key}: {:?}",
                series.samples
            );
            assert!(!series.samples.is_empty() || !series.histograms.is_empty(), "{key} is empty");
        }
    }

    /// A line for each sample, exemplar and description.
    pub(crate) fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        for one in &self.metadata {
            let _ = writeln!(out, "# {} {} {:?} {:?}", one.metric_family_name, one.kind, one.unit, one.help);
        }
        for series in &self.timeseries {
            for Sample { value, timestamp } in &series.samples {
                let _ = writeln!(out, "{} {value:?} @{timestamp}", series.key());
            }
            for histogram in &series.histograms {
                let _ = writeln!(out, "{} {histogram:?}", series.key());
            }
            for Exemplar { labels, value, timestamp } in &series.exemplars {
                let labels: Vec<_> =
                    labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
                let _ = writeln!(out, "  exemplar {} {value:?} @{timestamp}", labels.join(","));
            }
        }
        out
    }
}
