//! What makes two records belong to the same series.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use obs_core::{Attributes, HistogramForm, Labels, Metric, MetricValue, Resource, Str, Value};

/// What kind of series a record goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Counter,
    UpDown,
    Gauge,
    Histogram,
    Exponential,
}

impl Kind {
    /// The kind of a value; `of_samples` says what those become.
    pub(crate) fn of(value: &MetricValue, of_samples: impl FnOnce() -> HistogramForm) -> Self {
        match value {
            MetricValue::Add(_) | MetricValue::Sum { monotonic: true, .. } => Self::Counter,
            MetricValue::UpDown(_) | MetricValue::Sum { monotonic: false, .. } => Self::UpDown,
            MetricValue::Gauge(_) => Self::Gauge,
            MetricValue::Histogram(_) => Self::Histogram,
            MetricValue::ExpHistogram(_) => Self::Exponential,
            MetricValue::Sample(_) => match of_samples() {
                HistogramForm::Explicit => Self::Histogram,
                HistogramForm::Exponential => Self::Exponential,
            },
        }
    }
}

/// A metric: all of a series' identity but its labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MetricKey {
    pub(crate) resource: ResourceKey,
    pub(crate) name: Str,
    pub(crate) unit: Option<Str>,
    pub(crate) kind: Kind,
}

impl MetricKey {
    pub(crate) fn of(metric: &Metric, kind: Kind, resource: ResourceKey) -> Self {
        Self { resource, name: metric.name.clone(), unit: metric.unit.clone(), kind }
    }
}

/// A resource and scope by value, whatever the order of the attributes.
///
/// Its hash is made once, because a resource is larger than all else that names a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceKey {
    bytes: Arc<[u8]>,
    hash: u64,
}

impl Hash for ResourceKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl ResourceKey {
    pub(crate) fn of(resource: &Resource) -> Self {
        let mut out = Vec::new();
        put_attributes(&mut out, &resource.attributes);
        if let Some(scope) = &resource.scope {
            put_text(&mut out, &scope.name);
            put_text(&mut out, scope.version.as_deref().unwrap_or_default());
            put_attributes(&mut out, &scope.attributes);
        }
        let mut hasher = DefaultHasher::new();
        out.hash(&mut hasher);
        Self { bytes: out.into(), hash: hasher.finish() }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    let mut pairs: Vec<_> = attributes.iter().collect();
    pairs.sort_by_key(|(key, _)| *key);
    out.extend_from_slice(&(pairs.len() as u64).to_le_bytes());
    for (key, value) in pairs {
        put_text(out, key);
        put_value(out, value);
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(value) => out.extend_from_slice(&[1, u8::from(*value)]),
        Value::I64(value) => {
            out.push(2);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::F64(value) => {
            out.push(3);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::Str(text) => {
            out.push(4);
            put_text(out, text);
        }
        Value::List(values) => {
            out.push(5);
            out.extend_from_slice(&(values.len() as u64).to_le_bytes());
            for value in values {
                put_value(out, value);
            }
        }
        Value::Map(values) => {
            out.push(6);
            put_attributes(out, values);
        }
    }
}

/// The labels in order, each key once, the last value of a key winning; no copy where they are so already.
pub(crate) fn sorted(labels: &Labels) -> Cow<'_, Labels> {
    if labels.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return Cow::Borrowed(labels);
    }
    let mut pairs: Vec<(Str, Str)> = labels.iter().rev().cloned().collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.dedup_by(|later, kept| later.0 == kept.0);
    Cow::Owned(pairs.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_the_last_of_a_key_wins() {
        let ordered = Labels::from([("a", "1"), ("b", "2")]);
        assert!(sorted(&ordered).ptr_eq(&ordered));
        assert_eq!(*sorted(&Labels::from([("b", "0"), ("a", "1"), ("b", "2")])), ordered);
    }

    #[test]
    fn a_resource_is_known_by_value_whatever_the_order() {
        let resource = |pairs: &[(&'static str, Value)]| Resource {
            attributes: pairs.iter().cloned().collect(),
            scope: None,
        };
        let nested = || Value::Map([("x", Value::F64(f64::NAN))].into_iter().collect());
        let a = resource(&[("service.name", "s".into()), ("extra", nested())]);
        let b = resource(&[("extra", nested()), ("service.name", "s".into())]);
        assert_eq!(ResourceKey::of(&a), ResourceKey::of(&b));
        let c = resource(&[("extra", Value::List(vec![nested()])), ("service.name", "s".into())]);
        assert_ne!(ResourceKey::of(&a), ResourceKey::of(&c));
    }
}
