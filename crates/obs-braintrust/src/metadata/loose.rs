//! What the application adds by names of its own.

use obs_core::{Attributes, TraceContext};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Names that the application's own fields cannot take; what is called so stands in an object of its own.
pub(crate) const RESERVED: &[&str] = &[
    "agent_run",
    "attributes",
    "cost",
    "data",
    "embedding",
    "entity",
    "environment",
    "eval_execution",
    "event_name",
    "events",
    "experiment_id",
    "feedback_id",
    "finish_reason",
    "judgements",
    "kind",
    "level",
    "links",
    "max_tokens",
    "mcp_tool_call",
    "memory_lookup",
    "memory_update",
    "model",
    "name",
    "organization_id",
    "parameters",
    "parent_entity",
    "prompt",
    "provider",
    "rag_query",
    "range",
    "raw_scores",
    "release",
    "request_id",
    "resource",
    "response_id",
    "response_model",
    "result_type",
    "score_id",
    "scorer",
    "service",
    "session_id",
    "source",
    "span_kind",
    "span_type",
    "status",
    "streaming",
    "tags",
    "temperature",
    "thread_id",
    "time",
    "tool_call",
    "tools",
    "top_p",
    "trace_flags",
    "trace_metadata",
    "trace_name",
    "trace_state",
    "user_id",
    "value",
    "version",
    "workflow_run",
    "workflow_step",
];

/// Fields of the application's own, each where it can be filtered by its name: the first of the sources that has a name
/// counts; what is covered stands in the object that the source is named by.
#[derive(Debug)]
pub(crate) struct Loose<'a> {
    pub(crate) sources: [(&'static str, &'a Attributes); 3],
}

static NONE: Attributes = Attributes::new();

impl<'a> Loose<'a> {
    /// A record's attributes before the trace's.
    pub(crate) fn of(attributes: &'a Attributes, context: &'a TraceContext) -> Self {
        Self::with_parameters(&NONE, attributes, context)
    }

    pub(crate) fn with_parameters(
        parameters: &'a Attributes,
        attributes: &'a Attributes,
        context: &'a TraceContext,
    ) -> Self {
        let trace = ("trace_metadata", &context.metadata);
        Self { sources: [("parameters", parameters), ("attributes", attributes), trace] }
    }

    fn is_covered(&self, source: usize, name: &str) -> bool {
        RESERVED.contains(&name)
            || self.sources[..source].iter().any(|(_, before)| before.get(name).is_some())
    }
}

impl Serialize for Loose<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (nth, (object, attributes)) in self.sources.iter().enumerate() {
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
        let (_, attributes) = loose.sources[*nth];
        serializer.collect_map(attributes.iter().filter(|(name, _)| loose.is_covered(*nth, name)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use obs_core::{Batch, Signal};
    use obs_testkit::fixtures;
    use serde_json::Value as Json;

    use super::*;
    use crate::metadata::{OfLog, OfSpan, Shared};

    fn names(written: &impl Serialize) -> BTreeSet<String> {
        let written = serde_json::to_value(written).unwrap();
        let Json::Object(fields) = written else { panic!("no object: {written}") };
        fields.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_name_of_ours_is_reserved() {
        let (Batch::Traces(spans), Batch::Logs(logs)) =
            (fixtures::batch(Signal::Traces), fixtures::batch(Signal::Logs))
        else {
            panic!("other signals")
        };
        let spans = spans.iter().map(|record| names(&OfSpan::new(record.span())));
        let logs = logs.iter().map(|log| names(&OfLog::new(log)));
        let shared = names(&Shared::of(&fixtures::context(), &fixtures::resource()));
        let all: BTreeSet<String> = spans.chain(logs).flatten().chain(shared).collect();
        assert!(all.len() > 40, "{all:?}");
        for name in &all {
            assert!(RESERVED.contains(&name.as_str()), "{name} is not reserved");
        }
    }

    #[test]
    fn a_name_that_is_taken_stands_in_its_source_s_object_and_none_stands_twice() {
        let of = |value: i64| RESERVED.iter().copied().chain(["own", "page"]).map(move |name| (name, value));
        let (parameters, attributes): (Attributes, Attributes) = (of(1).collect(), of(2).collect());
        let context = TraceContext { metadata: of(3).collect(), ..TraceContext::default() };
        let loose = Loose::with_parameters(&parameters, &attributes, &context);
        let written = serde_json::to_string(&loose).unwrap();
        assert_eq!(written.matches("\"own\":").count(), 3);
        let read: Json = serde_json::from_str(&written).unwrap();
        assert_eq!((&read["own"], &read["page"]), (&Json::from(1), &Json::from(1)));
        for (object, value, taken) in [("parameters", 1, 0), ("attributes", 2, 2), ("trace_metadata", 3, 2)] {
            let covered = read[object].as_object().unwrap();
            assert_eq!(covered.len(), RESERVED.len() + taken);
            assert!(covered.values().all(|found| *found == value));
        }
        assert_eq!(names(&loose).len(), 2 + 3);
    }
}
