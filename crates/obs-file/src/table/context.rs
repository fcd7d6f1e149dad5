//! What every record has: the context of its trace and what produced it.

use obs_core::{Feedback, Log, Metric, Resource, Score, SpanRecord, TraceContext};

use super::{Column, json, json_list, json_of, some};

/// A record with a context and a resource.
pub(crate) trait Common {
    /// What is known of its trace.
    fn context(&self) -> &TraceContext;

    /// What produced it.
    fn resource(&self) -> &Resource;
}

macro_rules! common {
    ($($record:ty => |$at:ident| $place:expr),* $(,)?) => {
        $(impl Common for $record {
            fn context(&self) -> &TraceContext {
                let $at = self;
                &$place.context
            }

            fn resource(&self) -> &Resource {
                let $at = self;
                &$place.resource
            }
        })*
    };
}

common! {
    SpanRecord => |record| record.span(),
    Metric => |metric| metric,
    Log => |log| log,
    Score => |score| score,
    Feedback => |feedback| feedback,
}

impl<T: Common + 'static> Column<T> {
    /// Of records that have no session, user and experiment of their own.
    pub(super) const WHO: &'static [Self] = &[
        Self::SESSION,
        Self::USER,
        Self::text("experiment_id", "The experiment it belongs to.", |at| {
            some(at.context().experiment_id.as_ref())
        }),
    ];

    /// The session, of records that have none of their own.
    const SESSION: Self = Self::text("session_id", "The session that several traces form.", |at| {
        some(at.context().session_id.as_ref())
    });

    /// The user, of records that have none of their own.
    pub(super) const USER: Self =
        Self::text("user_id", "The end user.", |at| some(at.context().user_id.as_ref()));

    /// The rest of the context.
    pub(super) const CONTEXT: &'static [Self] = &[
        Self::text("trace_name", "The trace's name for people.", |at| some(at.context().name.as_ref())),
        Self::text("thread_id", "The conversation.", |at| some(at.context().thread_id.as_ref())),
        Self::text("request_id", "The request that caused it.", |at| some(at.context().request_id.as_ref())),
        Self::text("organization_id", "The tenant.", |at| some(at.context().organization_id.as_ref())),
        Self::text("environment", "The deployment environment.", |at| {
            some(at.context().environment.as_ref())
        }),
        Self::text("release", "The release of the application.", |at| some(at.context().release.as_ref())),
        Self::text("version", "The version of the traced thing.", |at| some(at.context().version.as_ref())),
        Self::text("service", "The service: the context's, else the resource's `service.name`.", |at| {
            at.context().service.as_deref().or_else(|| at.resource().service_name()).map(Into::into)
        }),
        Self::json("tags", "Free labels, a list.", |at| json_list(&at.context().tags)),
        Self::json("entity", "The agent, workflow or tool at work: `kind`, `id`, `name`, `version`.", |at| {
            json_of(at.context().entity.as_ref())
        }),
        Self::json("parent_entity", "The entity that called it.", |at| {
            json_of(at.context().parent_entity.as_ref())
        }),
        Self::json("trace_metadata", "Anything else that is known of the trace.", |at| {
            let metadata = &at.context().metadata;
            if metadata.is_empty() { Ok(None) } else { json(metadata) }
        }),
        Self::json("resource", "What produced it: `attributes` and `scope`.", |at| {
            let resource = at.resource();
            if *resource == Resource::default() { Ok(None) } else { json(resource) }
        }),
    ];
}
