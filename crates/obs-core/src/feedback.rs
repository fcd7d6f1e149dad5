//! What people said of a result.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Attributes, Resource, ScoreValue, Str, Target, Timestamp, TraceContext};

/// What a person said of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Made by the client, so that a retry overwrites itself.
    pub id: Uuid,
    /// When it was given.
    pub time: Timestamp,
    /// What it is about.
    pub target: Target,
    /// What kind it is: `thumbs`, `rating`, `comment`, `correction`.
    pub kind: Str,
    /// What was given.
    pub value: ScoreValue,
    /// Their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Str>,
    /// Where it was given: `app`, `slack`, `api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Str>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Str>,
    /// The experiment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Str>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub metadata: Attributes,
    /// What is known of the trace.
    #[serde(default)]
    pub context: Arc<TraceContext>,
    /// What produced it.
    #[serde(default)]
    pub resource: Arc<Resource>,
}

impl Feedback {
    /// Feedback with everything optional left out.
    pub fn new(
        id: Uuid,
        time: Timestamp,
        target: Target,
        kind: impl Into<Str>,
        value: impl Into<ScoreValue>,
    ) -> Self {
        Self {
            id,
            time,
            target,
            kind: kind.into(),
            value: value.into(),
            comment: None,
            source: None,
            user_id: None,
            experiment_id: None,
            metadata: Attributes::new(),
            context: TraceContext::none(),
            resource: Resource::none(),
        }
    }
}
