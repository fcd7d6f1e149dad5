//! What records share: text, numbers, documents, attributes, contexts; and logs, which are little more.

use std::collections::HashSet;
use std::sync::Arc;

use obs_core::{
    Attributes, Entity, Level, Log, Payload, Resource, Scope, SpanId, SpanRef, Str, Timestamp, TraceContext,
    TraceId, Value,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixtures::NASTY_TEXTS;

/// Any text: empty, nasty, plain words, any characters.
pub fn text() -> BoxedStrategy<Str> {
    prop_oneof![
        2 => select(NASTY_TEXTS.to_vec()).prop_map(Str::from),
        2 => "[a-z_.]{1,12}".prop_map(Str::from),
        1 => any::<String>().prop_map(Str::from),
        1 => "(?s).{0,40}".prop_map(Str::from),
    ]
    .boxed()
}

/// Any number, the non-finite ones often.
pub fn number() -> BoxedStrategy<f64> {
    prop_oneof![
        3 => any::<f64>(),
        2 => (-1_000i32..1_000).prop_map(f64::from),
        1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN_POSITIVE]),
    ]
    .boxed()
}

/// Any time: mostly near now, sometimes the first or the last there is.
pub fn timestamp() -> BoxedStrategy<Timestamp> {
    prop_oneof![
        4 => (1_700_000_000_000_000_000u64..1_800_000_000_000_000_000).boxed(),
        1 => select(vec![0, 1, u64::MAX]).boxed(),
        1 => any::<u64>().boxed(),
    ]
    .prop_map(Timestamp::from_nanos)
    .boxed()
}

pub(super) fn trace_id() -> impl Strategy<Value = TraceId> {
    (1u128..).prop_filter_map("zero", TraceId::new)
}

pub(super) fn span_id() -> impl Strategy<Value = SpanId> {
    (1u64..).prop_filter_map("zero", SpanId::new)
}

pub(super) fn span_ref() -> impl Strategy<Value = SpanRef> {
    (trace_id(), of(span_id())).prop_map(|(trace_id, span_id)| SpanRef { trace_id, span_id })
}

/// Any JSON text, with spaces and newlines between its tokens.
fn json() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| value.to_string()),
        text().prop_map(|text| serde_json::Value::from(text.as_str()).to_string()),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        let key = text().prop_map(|text| serde_json::Value::from(text.as_str()).to_string());
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec((key, inner), 0..4).prop_map(|pairs| {
                let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}:\n {value}")).collect();
                format!("{{{}}}", pairs.join(" ,\r\n"))
            }),
        ]
    });
    (select(vec!["", " ", "\n\t"]), tree, select(vec!["", "  "]))
        .prop_map(|(before, json, after)| format!("{before}{json}{after}"))
        .boxed()
}

/// Any document: text, JSON of every kind, not yet looked at.
pub fn payload() -> BoxedStrategy<Payload> {
    prop_oneof![
        text().prop_map(Payload::text),
        text().prop_map(Payload::unchecked),
        json().prop_map(Payload::unchecked),
        json().prop_filter_map("not JSON", |json| Payload::from_json(&json)),
    ]
    .boxed()
}

/// Any value of an attribute, nested a few levels.
pub fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        number().prop_map(Value::F64),
        text().prop_map(Value::Str),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            vec((text(), inner), 0..3).prop_map(|pairs| Value::Map(distinct(pairs).into_iter().collect())),
        ]
    })
    .boxed()
}

/// Any attributes; the keys are distinct.
pub fn attributes() -> BoxedStrategy<Attributes> {
    prop_oneof![
        2 => Just(Attributes::new()),
        1 => vec((text(), value()), 0..4).prop_map(|pairs| distinct(pairs).into_iter().collect()),
    ]
    .boxed()
}

/// The first pair of each key.
pub(super) fn distinct<V>(pairs: Vec<(Str, V)>) -> Vec<(Str, V)> {
    let mut seen = HashSet::new();
    pairs.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect()
}

fn entity() -> BoxedStrategy<Entity> {
    (of(text()), of(text()), of(text()), of(text()))
        .prop_map(|(kind, id, name, version)| Entity { kind, id, name, version })
        .boxed()
}

prop_compose! {
    fn any_context()(
        [name, user_id, session_id, thread_id, request_id, organization_id] in optional_texts::<6>(),
        [environment, release, version, service, experiment_id] in optional_texts::<5>(),
        tags in vec(text(), 0..3),
        entity in of(entity()),
        parent_entity in of(entity()),
        metadata in attributes(),
    ) -> TraceContext {
        TraceContext {
            name, user_id, session_id, thread_id, request_id, organization_id, tags, environment, release, version,
            service, experiment_id, entity, parent_entity, metadata,
        }
    }
}

/// Any context, often the empty one.
pub fn context() -> BoxedStrategy<Arc<TraceContext>> {
    prop_oneof![Just(Arc::default()), any_context().prop_map(Arc::new)].boxed()
}

prop_compose! {
    fn any_resource()(
        attributes in attributes(),
        scope in of((text(), of(text()), attributes())),
    ) -> Resource {
        let scope = scope.map(|(name, version, attributes)| Scope { name, version, attributes });
        Resource { attributes, scope }
    }
}

/// Any resource, often the empty one.
pub fn resource() -> BoxedStrategy<Arc<Resource>> {
    prop_oneof![Just(Arc::default()), any_resource().prop_map(Arc::new)].boxed()
}

prop_compose! {
    /// Any log.
    pub fn log()(
        time in timestamp(),
        level in select(Level::ALL.to_vec()),
        message in text(),
        event_name in of(text()),
        attributes in attributes(),
        data in of(payload()),
        span in of(span_ref()),
        context in context(),
        resource in resource(),
    ) -> Log {
        Log { time, level, message, event_name, attributes, data, span, context, resource }
    }
}

/// So many texts that may be absent.
pub(super) fn optional_texts<const N: usize>() -> impl Strategy<Value = [Option<Str>; N]> {
    vec(of(text()), N).prop_map(|texts| {
        let mut texts = texts.into_iter();
        std::array::from_fn(|_| texts.next().flatten())
    })
}
