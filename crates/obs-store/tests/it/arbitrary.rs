//! Records with anything in them.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Ancestor, Attributes, Chunk, Cost, Decision, Entity, ErrorInfo, Event, Exemplar, ExpBuckets,
    ExpHistogram, Feedback, Histogram, Level, Link, LlmGeneration, Log, Metric, MetricValue, Payload,
    RagQuery, Range, Resource, Score, ScoreValue, Scorer, Span, SpanId, SpanKind, SpanRef, SpanType, Status,
    Str, Target, Temporality, Timestamp, ToolCall, TraceContext, TraceId, Usage, Value,
};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

pub(crate) fn text() -> impl Strategy<Value = Str> {
    let nasty = [
        "",
        "\0",
        "a\0b",
        "\n",
        "\"",
        "{\"a\":1}",
        "'; DROP TABLE spans; --",
        "\u{1f600}é\u{202e}",
        "NaN",
        "null",
    ];
    prop_oneof![select(nasty.to_vec()).prop_map(Str::from), "\\PC{0,12}".prop_map(Str::from)]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), select(vec![0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300])]
}

pub(crate) fn time() -> impl Strategy<Value = Timestamp> {
    let edges = [0, 1, i64::MAX as u64 - 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    prop_oneof![select(edges.to_vec()), any::<u64>(), 1_700_000_000_000_000_000u64..1_800_000_000_000_000_000]
        .prop_map(Timestamp::from_nanos)
}

fn payload() -> impl Strategy<Value = Payload> {
    let json = ["null", "{}", "[]", "1", "true", "{\"a\": [1, 2.50]}", "[\"\\u0000\"]", "1e400"];
    prop_oneof![
        text().prop_map(Payload::text),
        text().prop_map(Payload::unchecked),
        select(json.to_vec()).prop_map(|json| Payload::from_json(json).unwrap()),
        select(json.to_vec()).prop_map(Payload::from),
    ]
}

/// Finite numbers alone: others read back as text here.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        number().prop_filter("finite", |n| n.is_finite()).prop_map(Value::F64),
        text().prop_map(Value::Str),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((text(), inner), 0..3)
                .prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec((text(), value()), 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

prop_compose! {
    fn context()(
        name in of(text()), session_id in of(text()), user_id in of(text()), service in of(text()),
        tags in prop::collection::vec(text(), 0..2), metadata in attributes(), kind in of(text()), given in any::<bool>(),
    ) -> Arc<TraceContext> {
        let entity = kind.is_some().then_some(Entity { kind, ..Entity::default() });
        let context = TraceContext { name, session_id, user_id, service, tags, metadata, entity, ..TraceContext::default() };
        if given { context.into() } else { Arc::default() }
    }
}

fn resource() -> impl Strategy<Value = Arc<Resource>> {
    prop_oneof![Just(Arc::default()), text().prop_map(|name| Arc::new(Resource::service(name)))]
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    prop_oneof![(1u128..4), (1u128..)].prop_map(|id| TraceId::new(id).unwrap())
}

fn span_id() -> impl Strategy<Value = SpanId> {
    (1u64..).prop_map(|id| SpanId::new(id).unwrap())
}

fn span_ref() -> impl Strategy<Value = SpanRef> {
    (trace_id(), of(span_id())).prop_map(|(trace_id, span_id)| SpanRef { trace_id, span_id })
}

fn cost() -> impl Strategy<Value = Cost> {
    (number(), of(number()), any::<bool>()).prop_map(|(total, input, partial)| Cost {
        input,
        partial,
        ..Cost::usd(total)
    })
}

fn span_type() -> impl Strategy<Value = SpanType> {
    let generation =
        (of(text()), of(text()), of(any::<u64>()), any::<u64>(), of(cost()), of(payload()), of(any::<u64>()));
    prop_oneof![
        Just(SpanType::Generic),
        generation.prop_map(|(model, provider, input, cache_read, cost, tools, ttft)| {
            let mut usage = Usage { input, output: input, ..Usage::default() };
            usage.input_details.cache_read = cache_read;
            let (cost, time_to_first_token) = (cost.map(Box::new), ttft.map(Duration::from_nanos));
            let generation = LlmGeneration {
                model,
                provider,
                usage,
                cost,
                tools,
                time_to_first_token,
                ..LlmGeneration::default()
            };
            SpanType::LlmGeneration(generation)
        }),
        (of(text()), of(payload()), time(), text()).prop_map(|(agent_name, instructions, time, action)| {
            let decisions = vec![Decision { time, action, reasoning: None, alternatives: vec![] }];
            SpanType::AgentRun(AgentRun { agent_name, instructions, decisions, ..AgentRun::default() })
        }),
        (of(text()), of(any::<bool>())).prop_map(|(tool, success)| SpanType::ToolCall(ToolCall {
            tool,
            success,
            ..ToolCall::default()
        })),
        (of(payload()), of(number())).prop_map(|(content, relevance)| {
            let chunks = vec![Chunk { content, relevance, ..Chunk::default() }];
            SpanType::RagQuery(RagQuery { chunks, ..RagQuery::default() })
        }),
    ]
}

prop_compose! {
    fn error()(message in text(), stack in of(text()), error_id in of(any::<u128>()), details in attributes()) -> Box<ErrorInfo> {
        Box::new(ErrorInfo { stack, error_id: error_id.map(Uuid::from_u128), details, ..ErrorInfo::message(message) })
    }
}

prop_compose! {
    pub(crate) fn span()(
        (trace_id, span_id, name, start, end) in (trace_id(), span_id(), text(), time(), of(time())),
        parent in of((span_id(), time(), any::<bool>())),
        (kind, status) in (
            select(vec![SpanKind::Internal, SpanKind::Client, SpanKind::Consumer]),
            select(vec![Status::Unset, Status::Ok, Status::Error]),
        ),
        (span_type, input, output, error) in (span_type(), of(payload()), of(payload()), of(error())),
        events in prop::collection::vec((time(), text(), attributes()), 0..2),
        link in of(span_ref()),
        (trace_flags, trace_state, attributes) in (0u8..4, of(text()), attributes()),
        (context, resource) in (context(), resource()),
    ) -> Span {
        let mut span = Span::new(trace_id, span_id, name, start);
        span.end = end;
        span.parent_span_id = parent.map(|(id, ..)| id);
        span.path = parent.map(|(id, start, is_root)| Arc::new(Ancestor::new(id, start, is_root, None)));
        span.remote_parent = parent.is_some_and(|(.., is_root)| !is_root);
        (span.kind, span.status, span.span_type) = (kind, status, span_type);
        (span.input, span.output, span.error) = (input, output, error);
        span.events = events.into_iter().map(|(time, name, attributes)| Event { time, name, attributes }).collect();
        span.links = link.into_iter().filter_map(|link| {
            Some(Link { trace_id: link.trace_id, span_id: link.span_id?, trace_state: None, attributes: Attributes::new() })
        }).collect();
        (span.trace_flags, span.trace_state, span.attributes) = (trace_flags, trace_state, attributes);
        (span.context, span.resource) = (context, resource);
        span
    }
}

prop_compose! {
    pub(crate) fn log()(
        (time, level, message) in (time(), select(&Level::ALL[..]), text()),
        (event_name, attributes, data, span) in (of(text()), attributes(), of(payload()), of(span_ref())),
        (context, resource) in (context(), resource()),
    ) -> Log {
        let mut log = Log::new(time, level, message);
        (log.event_name, log.attributes, log.data, log.span) = (event_name, attributes, data, span);
        (log.context, log.resource) = (context, resource);
        log
    }
}

fn metric_value() -> impl Strategy<Value = MetricValue> {
    let histogram = (any::<u64>(), number(), of(number()), prop::collection::vec(number(), 0..3));
    prop_oneof![
        number().prop_map(MetricValue::Add),
        number().prop_map(MetricValue::UpDown),
        number().prop_map(MetricValue::Gauge),
        number().prop_map(MetricValue::Sample),
        (number(), any::<bool>()).prop_map(|(value, monotonic)| MetricValue::Sum { value, monotonic }),
        histogram.prop_map(|(count, sum, min, _)| {
            let (bounds, counts) = (Arc::from([0.5, 1.0]), vec![count, 0, 1]);
            MetricValue::Histogram(Box::new(Histogram { count, sum, min, max: min, bounds, counts }))
        }),
        (any::<u64>(), number(), any::<i32>()).prop_map(|(count, sum, scale)| {
            let positive = ExpBuckets { offset: -scale.saturating_abs(), counts: vec![count] };
            MetricValue::ExpHistogram(Box::new(ExpHistogram {
                count,
                sum,
                scale,
                positive,
                ..ExpHistogram::default()
            }))
        }),
    ]
}

prop_compose! {
    pub(crate) fn metric()(
        (time, start, name, value) in (time(), of(time()), text(), metric_value()),
        (unit, description) in (of(text()), of(text())),
        labels in prop::collection::vec((text(), text()), 0..3),
        temporality in of(select(vec![Temporality::Delta, Temporality::Cumulative])),
        exemplar in of((span_ref(), of(number()), of(time()))),
        (cost, context, resource) in (of(cost()), context(), resource()),
    ) -> Metric {
        let mut metric = Metric::new(time, name, value);
        (metric.start, metric.unit, metric.description) = (start, unit, description);
        (metric.labels, metric.temporality) = (labels.into_iter().collect(), temporality);
        metric.exemplar = exemplar.map(|(span, value, time)| Exemplar { span, value, time });
        (metric.cost, metric.context, metric.resource) = (cost.map(Box::new), context, resource);
        metric
    }
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (trace_id(), span_id(), of(span_id())).prop_map(|(trace_id, span_id, root_span_id)| Target::Span {
            trace_id,
            span_id,
            root_span_id
        }),
        (trace_id(), of(span_id()))
            .prop_map(|(trace_id, root_span_id)| Target::Trace { trace_id, root_span_id }),
        text().prop_map(|session_id| Target::Session { session_id }),
        text().prop_map(|run_id| Target::ExperimentRun { run_id }),
    ]
}

fn score_value() -> impl Strategy<Value = ScoreValue> {
    prop_oneof![
        (number(), of((number(), number()))).prop_map(|(value, range)| ScoreValue::Numeric {
            value,
            range: range.map(|(min, max)| Range { min, max })
        }),
        any::<bool>().prop_map(ScoreValue::Boolean),
        text().prop_map(ScoreValue::Categorical),
        text().prop_map(ScoreValue::Text),
    ]
}

prop_compose! {
    pub(crate) fn score()(
        (id, time, target, name, value) in (any::<u128>(), time(), target(), text(), score_value()),
        (comment, source, experiment_id, scorer) in (of(text()), of(text()), of(text()), of(text())),
        (metadata, context, resource) in (attributes(), context(), resource()),
    ) -> Score {
        let mut score = Score::new(Uuid::from_u128(id), time, target, name, value);
        (score.comment, score.source, score.experiment_id) = (comment, source, experiment_id);
        score.scorer = scorer.map(|name| Scorer { name: Some(name), ..Scorer::default() });
        (score.metadata, score.context, score.resource) = (metadata, context, resource);
        score
    }
}

prop_compose! {
    pub(crate) fn feedback()(
        (id, time, target, kind, value) in (any::<u128>(), time(), target(), text(), score_value()),
        (comment, source, experiment_id, user_id) in (of(text()), of(text()), of(text()), of(text())),
        (metadata, context, resource) in (attributes(), context(), resource()),
    ) -> Feedback {
        let mut feedback = Feedback::new(Uuid::from_u128(id), time, target, kind, value);
        (feedback.comment, feedback.source) = (comment, source);
        (feedback.experiment_id, feedback.user_id) = (experiment_id, user_id);
        (feedback.metadata, feedback.context, feedback.resource) = (metadata, context, resource);
        feedback
    }
}
