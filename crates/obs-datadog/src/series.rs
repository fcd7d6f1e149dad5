//! Points of series and of distributions as JSON.

use obs_core::write_json;
use serde::Serialize;

use crate::MetricType;
use crate::plan::Piece;
use crate::spread::Times;

/// What tells a series from others, beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Tagged {
    /// Sorted, each once.
    pub(crate) tags: Vec<String>,
    pub(crate) host: Option<String>,
}

/// A series of version 2 with one point.
#[derive(Debug, Serialize)]
struct Series<'a> {
    metric: &'a str,
    #[serde(rename = "type")]
    kind: u8,
    points: [Point; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<[Resource<'a>; 1]>,
}

#[derive(Debug, Serialize)]
struct Point {
    timestamp: u64,
    value: f64,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

/// A distribution of version 1, but for its points.
#[derive(Debug, Serialize)]
struct Distribution<'a> {
    metric: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The number of a type in series.
const fn number(kind: MetricType) -> u8 {
    match kind {
        MetricType::Count => 1,
        MetricType::Rate => 2,
        // Distributions are sent elsewhere.
        MetricType::Gauge | MetricType::Distribution => 3,
    }
}

/// A series with one point.
pub(crate) fn series(
    piece: &Piece,
    tagged: &Tagged,
    second: u64,
    (kind, value, interval): (MetricType, f64, Option<u64>),
) -> Result<Vec<u8>, String> {
    let series = Series {
        metric: &piece.name,
        kind: number(kind),
        points: [Point { timestamp: second, value }],
        interval,
        unit: piece.unit,
        tags: &tagged.tags,
        resources: tagged.host.as_deref().map(|name| [Resource { kind: "host", name }]),
    };
    let mut out = Vec::new();
    write_json(&mut out, &series).map_err(|cause| cause.to_string())?;
    Ok(out)
}

/// Values of a distribution, as JSON, in as many pieces as it takes for an item of each to have at most `most` bytes.
///
/// # Errors
/// The name and tags alone have more.
pub(crate) fn cut(
    name: &str,
    tagged: &Tagged,
    values: &[Times],
    most: usize,
) -> Result<Vec<Vec<u8>>, String> {
    let frame = distribution(name, tagged, u64::MAX, b"")?.len();
    let room = most.saturating_sub(frame);
    let (mut pieces, mut last) = (Vec::new(), Vec::new());
    for (value, times) in values {
        let mut text = Vec::new();
        write_json(&mut text, value).map_err(|cause| cause.to_string())?;
        if text.len() > room {
            return Err(format!("{frame} bytes of name and tags, where {most} are the most of all"));
        }
        for _ in 0..*times {
            if !last.is_empty() && last.len() + 1 + text.len() > room {
                pieces.push(std::mem::take(&mut last));
            }
            if !last.is_empty() {
                last.push(b',');
            }
            last.extend_from_slice(&text);
        }
    }
    pieces.push(last);
    Ok(pieces)
}

/// A distribution with one point, of values that are JSON.
pub(crate) fn distribution(
    name: &str,
    tagged: &Tagged,
    second: u64,
    values: &[u8],
) -> Result<Vec<u8>, String> {
    let Tagged { tags, host } = tagged;
    let rest = Distribution { metric: name, tags, host: host.as_deref(), kind: "distribution" };
    let mut out = Vec::new();
    write_json(&mut out, &rest).map_err(|cause| cause.to_string())?;
    // The object is open again, for the points are written by hand: a value stands there as often as it was measured.
    out.pop();
    out.extend_from_slice(format!(",\"points\":[[{second},[").as_bytes());
    out.extend_from_slice(values);
    out.extend_from_slice(b"]]]}");
    Ok(out)
}
