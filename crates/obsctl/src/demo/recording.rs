//! How the demo's own values become typed fields of spans.

use obs_core::{Chunk, LlmGeneration, MemoryHit, ModelParameters, Payload, ResultType, Usage};
use serde_json::json;

use super::chunks::Passage;
use super::index::Hit;
use super::memory::Recalled;
use super::model::{Generation, Model, Prompt, Task, Tokens};

/// What is known of a generation before it is made.
pub(crate) fn asked(model: &dyn Model, prompt: &Prompt) -> LlmGeneration {
    LlmGeneration {
        model: Some(model.name().to_owned().into()),
        provider: Some(model.provider().to_owned().into()),
        parameters: ModelParameters {
            max_tokens: Some(u64::from(prompt.max_tokens)),
            ..ModelParameters::default()
        },
        result_type: Some(match prompt.task {
            Task::Rewrite => ResultType::Planning,
            Task::Answer => ResultType::ResponseGeneration,
        }),
        streaming: Some(true),
        ..LlmGeneration::default()
    }
}

/// The messages of a prompt, as chat models take them.
pub(crate) fn messages(prompt: &Prompt) -> Payload {
    let messages = json!([
        { "role": "system", "content": prompt.instructions() },
        { "role": "user", "content": prompt.message() },
    ]);
    messages.into()
}

/// Adds what is known once the model has answered.
pub(crate) fn answered(fields: &mut LlmGeneration, written: &Generation) {
    fields.usage = written.tokens.map(usage).unwrap_or_default();
    fields.finish_reason = written.finish.clone().map(Into::into);
    fields.time_to_first_token = written.first_token;
    fields.response_id = written.response_id.clone().map(Into::into);
    fields.response_model = written.response_model.clone().map(Into::into);
}

fn usage(tokens: Tokens) -> Usage {
    let mut usage = Usage::new(tokens.input, tokens.output);
    usage.input_details.cache_read = tokens.cached;
    usage.output_details.reasoning = tokens.reasoning;
    usage
}

/// Retrieved passages with their relevance.
pub(crate) fn chunks(hits: &[Hit], passages: &[Passage]) -> Vec<Chunk> {
    let chunk = |hit: &Hit| {
        let passage = &passages[hit.passage];
        Chunk {
            id: Some(passage.label().into()),
            source: Some(passage.path.to_string_lossy().into_owned().into()),
            content: Some(Payload::text(passage.text.clone())),
            relevance: Some(hit.relevance),
        }
    };
    hits.iter().map(chunk).collect()
}

/// Remembered facts with their similarity.
pub(crate) fn memories(recalled: &[Recalled]) -> Vec<MemoryHit> {
    let hit = |recalled: &Recalled| MemoryHit {
        id: Some(recalled.fact.question.clone().into()),
        content: Some(Payload::text(recalled.fact.answer.clone())),
        similarity: Some(recalled.similarity),
    };
    recalled.iter().map(hit).collect()
}
