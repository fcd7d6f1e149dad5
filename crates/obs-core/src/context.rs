//! What records share: the trace's context and the producing resource.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::{Attributes, Str};

/// What is known of the whole trace; shared by all records made under it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceContext {
    /// The trace's name for people; the root span's name where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Str>,
    /// The end user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Str>,
    /// The session that several traces form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Str>,
    /// The conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<Str>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Str>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Str>,
    /// Free labels, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Str>,
    /// The deployment environment: `production`, `staging`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Str>,
    /// The release of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Str>,
    /// The version of the traced thing, such as a prompt chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Str>,
    /// The service, where it differs from the resource's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Str>,
    /// The experiment it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<Str>,
    /// The agent, workflow or tool at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The entity that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_entity: Option<Entity>,
    /// Anything else.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub metadata: Attributes,
}

/// An agent, workflow, tool or other part of the application.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// What it is: `agent`, `workflow`, `tool`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Str>,
    /// Its stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Str>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Str>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Str>,
}

/// What produced a record: OpenTelemetry's resource and instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// Resource attributes under OpenTelemetry's names: `service.name`, `service.version`, `host.name`.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The instrumentation that made the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

impl Resource {
    /// A resource with this `service.name`.
    pub fn service(name: impl Into<Str>) -> Self {
        let mut attributes = Attributes::new();
        attributes.push("service.name", name.into());
        Self { attributes, scope: None }
    }

    /// The `service.name`.
    pub fn service_name(&self) -> Option<&str> {
        self.attributes.get("service.name")?.as_str()
    }
}

/// An instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The instrumentation's name.
    pub name: Str,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Str>,
    /// Its attributes.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl TraceContext {
    /// The context of which nothing is known: one for all records that have no other, so that none keeps its own alive.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<TraceContext>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }
}

impl Resource {
    /// The resource of which nothing is known: one for all records that have no other.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Resource>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }
}
