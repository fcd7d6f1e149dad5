//! What was found, as the conventions have documents: a list in JSON.

use obs_core::{Chunk, MemoryHit, Payload, Value};
use serde::Serialize;

/// One document.
#[derive(Serialize)]
pub(in crate::encode) struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::encode) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::encode) source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::encode) content: Option<&'a Payload>,
    /// A value, which knows the form of numbers that are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::encode) score: Option<Value>,
}

impl<'a> From<&'a Chunk> for Document<'a> {
    fn from(chunk: &'a Chunk) -> Self {
        Self {
            id: chunk.id.as_deref(),
            source: chunk.source.as_deref(),
            content: chunk.content.as_ref(),
            score: chunk.relevance.map(Value::F64),
        }
    }
}

impl<'a> From<&'a MemoryHit> for Document<'a> {
    fn from(hit: &'a MemoryHit) -> Self {
        Self {
            id: hit.id.as_deref(),
            source: None,
            content: hit.content.as_ref(),
            score: hit.similarity.map(Value::F64),
        }
    }
}
