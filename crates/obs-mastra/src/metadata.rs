//! What Mastra has no field for: an object of each record that its storage keeps as it is.

use obs_core::{Attributes, Resource, Scope, TraceContext};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::entity::unknown_kind;
use crate::fields::Fields;

/// A record's own, what it shares with its trace, and what the application adds by names of its own.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata<'a, T> {
    #[serde(flatten)]
    pub(crate) own: T,
    #[serde(flatten)]
    pub(crate) shared: Shared<'a>,
    #[serde(flatten)]
    pub(crate) loose: Loose<'a>,
}

/// What every record says of its trace and its source, beside the correlation.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) context: &'a TraceContext,
    pub(crate) resource: &'a Resource,
}

impl Serialize for Shared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { context, resource } = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("entityKind", unknown_kind(context.entity.as_ref()))?;
        out.some("parentEntityKind", unknown_kind(context.parent_entity.as_ref()))?;
        out.some("traceName", context.name.as_ref())?;
        out.some("release", context.release.as_ref())?;
        out.some("version", context.version.as_ref())?;
        out.some("scope", resource.scope.as_ref().map(scope))?;
        let attributes = &resource.attributes;
        out.some("resource", (!attributes.is_empty()).then_some(attributes))?;
        out.end()
    }
}

/// The instrumentation, which Mastra keeps with a span as its `scope`.
const fn scope(scope: &Scope) -> &Scope {
    scope
}

/// Names that the application's own fields cannot take; what is called so stands in an object of its own.
///
/// `resourceId` is not among them: Mastra reads it, and obs has nothing to put there.
pub(crate) const RESERVED: &[&str] = &[
    "attributes",
    "description",
    "entityKind",
    "entityVersionId",
    "environment",
    "eventName",
    "exemplar",
    "experimentId",
    "histogram",
    "kind",
    "labels",
    "level",
    "links",
    "metricType",
    "name",
    "organizationId",
    "parentEntity",
    "parentEntityKind",
    "range",
    "release",
    "requestId",
    "resource",
    "runId",
    "scope",
    "scorer",
    "serviceName",
    "sessionId",
    "source",
    "startTime",
    "status",
    "target",
    "temporality",
    "threadId",
    "traceFlags",
    "traceMetadata",
    "traceName",
    "traceState",
    "unit",
    "userId",
    "value",
    "version",
];

/// Fields of the application's own, each where it can be found by its name: a record's before the trace's.
///
/// What is covered by a name of ours or by the record's stands in the object that its source is named by.
#[derive(Debug)]
pub(crate) struct Loose<'a>([(&'static str, &'a Attributes); 2]);

static NONE: Attributes = Attributes::new();

impl<'a> Loose<'a> {
    pub(crate) fn of(attributes: &'a Attributes, context: &'a TraceContext) -> Self {
        Self([("attributes", attributes), ("traceMetadata", &context.metadata)])
    }

    /// Of a record that has no fields of the application's own.
    pub(crate) fn of_trace(context: &'a TraceContext) -> Self {
        Self::of(&NONE, context)
    }

    fn is_covered(&self, source: usize, name: &str) -> bool {
        RESERVED.contains(&name) || self.0[..source].iter().any(|(_, before)| before.get(name).is_some())
    }
}

impl Serialize for Loose<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (nth, (object, attributes)) in self.0.iter().enumerate() {
            let mut covered = false;
            for (name, value) in attributes.iter() {
                if self.is_covered(nth, name) {
                    covered = true;
                } else {
                    map.serialize_entry(name, value)?;
                }
            }
            if covered {
                map.serialize_entry(object, &Covered(self, nth))?;
            }
        }
        map.end()
    }
}

/// What of a source is covered.
struct Covered<'a>(&'a Loose<'a>, usize);

impl Serialize for Covered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(loose, nth) = self;
        let (_, attributes) = loose.0[*nth];
        serializer.collect_map(attributes.iter().filter(|(name, _)| loose.is_covered(*nth, name)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    #[test]
    fn a_name_that_is_taken_stands_in_its_source_s_object_and_none_stands_twice() {
        let of = |value: i64| RESERVED.iter().copied().chain(["own"]).map(move |name| (name, value));
        let context = TraceContext { metadata: of(2).collect(), ..TraceContext::default() };
        let attributes: Attributes = of(1).collect();
        let written = serde_json::to_string(&Loose::of(&attributes, &context)).unwrap();
        let read: Json = serde_json::from_str(&written).unwrap();
        assert_eq!(read["own"], 1);
        assert_eq!(read["attributes"].as_object().unwrap().len(), RESERVED.len());
        assert_eq!(read["traceMetadata"].as_object().unwrap().len(), RESERVED.len() + 1);
        assert_eq!(read.as_object().unwrap().len(), 3);
        assert!(RESERVED.is_sorted());
    }
}
