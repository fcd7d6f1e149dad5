//! The names of OpenInference, from the one table.

use crate::conventions::Convention::OpenInference;
pub(super) use crate::conventions::openinference::{KIND, NODE_PARENT_ID};
use crate::conventions::{Field, name, name_within};

/// The part of a name before its `*`, for which the path of an element stands.
const fn before_star(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [before @ .., b'*'] => match str::from_utf8(before) {
            Ok(before) => before,
            Err(_) => panic!("a name is text"),
        },
        _ => panic!("the name has no star"),
    }
}

pub(super) const INPUT_MESSAGES: &str = before_star(name(OpenInference, Field::InputMessages));
pub(super) const OUTPUT_MESSAGES: &str = before_star(name(OpenInference, Field::OutputMessages));
pub(super) const TOOLS: &str = before_star(name(OpenInference, Field::Tools));
pub(super) const DOCUMENTS: &str = before_star(name(OpenInference, Field::Documents));
pub(super) const EMBEDDINGS: &str = before_star(name(OpenInference, Field::EmbeddedTexts));

pub(super) const MODEL: &str = name(OpenInference, Field::Model);
pub(super) const EMBEDDING_MODEL: &str = name_within("embedding.", Field::Model);
pub(super) const PROVIDER: &str = name(OpenInference, Field::Provider);
pub(super) const SYSTEM: &str = name_within("llm.system", Field::Provider);
pub(super) const RESPONSE_MODEL: &str = name(OpenInference, Field::ResponseModel);
pub(super) const FINISH_REASON: &str = name(OpenInference, Field::FinishReason);
pub(super) const PARAMETERS: &str = name(OpenInference, Field::Parameters);

pub(super) const INPUT_TOKENS: &str = name(OpenInference, Field::InputTokens);
pub(super) const OUTPUT_TOKENS: &str = name(OpenInference, Field::OutputTokens);
pub(super) const TOTAL_TOKENS: &str = name(OpenInference, Field::TotalTokens);
pub(super) const CACHE_READ: &str = name(OpenInference, Field::CacheReadTokens);
pub(super) const CACHE_WRITE: &str = name(OpenInference, Field::CacheWriteTokens);
pub(super) const INPUT_AUDIO: &str = name(OpenInference, Field::InputAudioTokens);
pub(super) const REASONING: &str = name(OpenInference, Field::ReasoningTokens);
pub(super) const OUTPUT_AUDIO: &str = name(OpenInference, Field::OutputAudioTokens);
pub(super) const COST: &str = name(OpenInference, Field::Cost);

pub(super) const AGENT_NAME: &str = name(OpenInference, Field::AgentName);
pub(super) const NODE_ID: &str = name(OpenInference, Field::NodeId);
pub(super) const TOOL_NAME: &str = name(OpenInference, Field::ToolName);
pub(super) const TOOL_CALL_ID: &str = name(OpenInference, Field::ToolCallId);
pub(super) const TOOL_DESCRIPTION: &str = name(OpenInference, Field::ToolDescription);
