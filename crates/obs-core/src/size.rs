//! How much memory records take.

use crate::{
    Attributes, ErrorInfo, Feedback, Log, Metric, MetricValue, Payload, Score, ScoreValue, Span, SpanRecord,
    SpanType, Str, Value,
};

/// About how many bytes of memory a value takes: itself and its heap.
///
/// Text counts in full for every handle, contexts and resources, which many records share, not at all.
/// It is cheap enough for the recording thread: fields that are usually short are not looked at.
pub trait ByteSize {
    /// The estimate.
    fn byte_size(&self) -> usize;
}

#[inline]
fn text(text: &Str) -> usize {
    text.heap_bytes()
}

#[inline]
fn payload(payload: Option<&Payload>) -> usize {
    payload.map_or(0, |payload| payload.shared().heap_bytes())
}

impl ByteSize for Value {
    fn byte_size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Str(value) => text(value),
                Self::List(values) => values.iter().map(ByteSize::byte_size).sum(),
                Self::Map(values) => values.byte_size(),
                Self::Null | Self::Bool(_) | Self::I64(_) | Self::F64(_) => 0,
            }
    }
}

impl ByteSize for Attributes {
    fn byte_size(&self) -> usize {
        self.iter().map(|(key, value)| size_of::<Str>() + text(key) + value.byte_size()).sum()
    }
}

impl ByteSize for ErrorInfo {
    fn byte_size(&self) -> usize {
        size_of::<Self>()
            + text(&self.message)
            + self.stack.as_ref().map_or(0, text)
            + self.sources.iter().map(text).sum::<usize>()
            + self.details.byte_size()
    }
}

impl ByteSize for SpanType {
    fn byte_size(&self) -> usize {
        match self {
            Self::AgentRun(run) => {
                let decisions = run.decisions.iter().map(|decision| {
                    size_of_val(decision)
                        + text(&decision.action)
                        + decision.reasoning.as_ref().map_or(0, text)
                        + decision
                            .alternatives
                            .iter()
                            .map(|other| size_of::<Str>() + text(other))
                            .sum::<usize>()
                });
                payload(run.instructions.as_ref())
                    + decisions.sum::<usize>()
                    + run.tools.len() * size_of::<Str>()
            }
            Self::LlmGeneration(generation) => {
                payload(generation.tools.as_ref()) + generation.parameters.other.byte_size()
            }
            Self::MemoryLookup(lookup) => {
                let hits = lookup.results.iter().map(|hit| size_of_val(hit) + payload(hit.content.as_ref()));
                lookup.query.as_ref().map_or(0, text) + hits.sum::<usize>()
            }
            Self::RagQuery(query) => {
                let chunks =
                    query.chunks.iter().map(|chunk| size_of_val(chunk) + payload(chunk.content.as_ref()));
                query.query.as_ref().map_or(0, text) + chunks.sum::<usize>()
            }
            Self::WorkflowRun(_)
            | Self::WorkflowStep(_)
            | Self::ToolCall(_)
            | Self::McpToolCall(_)
            | Self::MemoryUpdate(_)
            | Self::Embedding(_)
            | Self::EvalExecution(_)
            | Self::Generic => 0,
        }
    }
}

impl ByteSize for Span {
    #[inline]
    fn byte_size(&self) -> usize {
        let Self { name, span_type, input, output, error, events, links, attributes, .. } = self;
        let common = text(name) + span_type.byte_size() + payload(input.as_ref()) + payload(output.as_ref());
        let plain = error.is_none() && events.is_empty() && links.is_empty() && attributes.is_empty();
        size_of::<Self>() + common + if plain { 0 } else { rare(self) }
    }
}

/// What most spans do not have.
fn rare(span: &Span) -> usize {
    let events = span.events.iter().map(|event| size_of_val(event) + event.attributes.byte_size());
    let links = span.links.iter().map(|link| size_of_val(link) + link.attributes.byte_size());
    span.error.as_ref().map_or(0, |error| error.byte_size())
        + events.sum::<usize>()
        + links.sum::<usize>()
        + span.attributes.byte_size()
}

impl ByteSize for SpanRecord {
    fn byte_size(&self) -> usize {
        self.span().byte_size()
    }
}

impl ByteSize for Log {
    fn byte_size(&self) -> usize {
        size_of::<Self>() + text(&self.message) + self.attributes.byte_size() + payload(self.data.as_ref())
    }
}

impl ByteSize for Metric {
    fn byte_size(&self) -> usize {
        let value = match &self.value {
            MetricValue::Histogram(histogram) => {
                size_of_val(&**histogram) + histogram.counts.len() * 8 + size_of_val(&*histogram.exemplars)
            }
            MetricValue::ExpHistogram(histogram) => {
                size_of_val(&**histogram)
                    + (histogram.positive.counts.len() + histogram.negative.counts.len()) * 8
                    + size_of_val(&*histogram.exemplars)
            }
            _ => 0,
        };
        size_of::<Self>() + value + self.labels.len() * size_of::<(Str, Str)>()
    }
}

fn score_value(value: &ScoreValue) -> usize {
    match value {
        ScoreValue::Categorical(value) | ScoreValue::Text(value) => text(value),
        ScoreValue::Numeric { .. } | ScoreValue::Boolean(_) => 0,
    }
}

impl ByteSize for Score {
    fn byte_size(&self) -> usize {
        size_of::<Self>()
            + score_value(&self.value)
            + self.comment.as_ref().map_or(0, text)
            + self.metadata.byte_size()
    }
}

impl ByteSize for Feedback {
    fn byte_size(&self) -> usize {
        size_of::<Self>()
            + score_value(&self.value)
            + self.comment.as_ref().map_or(0, text)
            + self.metadata.byte_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SpanId, Timestamp, TraceId};

    #[test]
    fn what_a_caller_can_make_large_is_counted() {
        let big = || Str::copied(&"x".repeat(1 << 20));
        let mut span =
            Span::new(TraceId::new(1).unwrap(), SpanId::new(1).unwrap(), big(), Timestamp::default());
        span.input = Some(Payload::text(big()));
        span.output = Some(Payload::text(big()));
        span.error = Some(Box::new(ErrorInfo::message(big())));
        span.attributes.push("list", vec![Value::Str(big())]);
        assert!((5 << 20..(5 << 20) + 4096).contains(&span.byte_size()), "{}", span.byte_size());
    }
}
