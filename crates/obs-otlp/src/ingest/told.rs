//! Messages of model calls that only logs tell, as several instrumentations do.

use std::collections::HashMap;

use obs_core::{Payload, Record, Span, SpanId, SpanType, Timestamp, TraceId};

use super::messages::Said;

type Key = (TraceId, SpanId);

/// What logs tell of the input and output of spans.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<Key, (Option<Payload>, Option<Payload>)>);

impl Told {
    /// Hears the logs of each span in the order of their time.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut logs: HashMap<Key, Vec<(Timestamp, usize)>> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            let Record::Log(log) = record else { continue };
            let event = log.event_name.as_deref().is_some_and(|name| name.starts_with("gen_ai."));
            if let (true, Some(span)) = (event, log.span)
                && let Some(span_id) = span.span_id
            {
                logs.entry((span.trace_id, span_id)).or_default().push((log.time, at));
            }
        }
        let hear = |(key, mut logs): (Key, Vec<(Timestamp, usize)>)| {
            logs.sort_unstable();
            let mut said = Said::default();
            for (_, at) in logs {
                if let Record::Log(log) = &records[at] {
                    said.hear(log);
                }
            }
            (key, said.finish())
        };
        Self(logs.into_iter().map(hear).collect())
    }

    /// Fills the input and output of a model call that says none itself.
    pub(super) fn fill(&self, span: &mut Span) {
        let Some((input, output)) = self.0.get(&(span.trace_id, span.span_id)) else { return };
        if matches!(span.span_type, SpanType::LlmGeneration(_)) {
            span.input = span.input.take().or_else(|| input.clone());
            span.output = span.output.take().or_else(|| output.clone());
        }
    }
}
