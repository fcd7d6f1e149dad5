//! Walking a request: where we are, what was made, what was refused.

use std::sync::Arc;

use obs_core::{Attributes, Record, Resource, Scope, Str, TraceContext, Value};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;

use super::{Ingested, Refused, pairs, value};
use crate::conventions::{self, Field};
use crate::levels::Levels;

/// What the records of one scope share.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    pub(super) resource: Arc<Resource>,
    base: TraceContext,
    last: Arc<TraceContext>,
}

impl Source {
    /// The context of a record: what the record says, else what its resource says; shared with the record before if equal.
    pub(super) fn context(&mut self, mut context: TraceContext) -> Arc<TraceContext> {
        context.environment = context.environment.or_else(|| self.base.environment.clone());
        context.release = context.release.or_else(|| self.base.release.clone());
        if *self.last != context {
            self.last = Arc::new(context);
        }
        Arc::clone(&self.last)
    }

    /// The name of the instrumentation that made the records.
    pub(super) fn scope_name(&self) -> &str {
        self.resource.scope.as_ref().map_or("", |scope| &scope.name)
    }
}

/// A walk through a request.
#[derive(Debug)]
pub(super) struct Collect {
    levels: &'static Levels,
    at: [usize; 2],
    attributes: Option<Attributes>,
    source: Option<Source>,
    out: Ingested,
}

impl Collect {
    pub(super) fn new(levels: &'static Levels) -> Self {
        Self { levels, at: [0; 2], attributes: None, source: None, out: Ingested::default() }
    }

    /// Enters a resource's group; a resource that cannot be read refuses the group.
    pub(super) fn group(&mut self, at: usize, resource: Option<&WireResource>, schema_url: &str) {
        self.at = [at, 0];
        let attributes = resource.map_or(Ok(Attributes::new()), |r| pairs::attributes(&r.attributes));
        self.attributes = match attributes {
            Ok(mut attributes) => {
                note(&mut attributes, "otel.schema_url", schema_url);
                Some(attributes)
            }
            Err(reason) => {
                self.refuse(format!("{}[{at}].resource", self.levels.groups), reason);
                None
            }
        };
    }

    /// Enters a scope; one that cannot be read refuses its records.
    pub(super) fn scope(&mut self, at: usize, scope: Option<&InstrumentationScope>, schema_url: &str) {
        self.at[1] = at;
        self.source = None;
        let Some(attributes) = self.attributes.clone() else { return };
        match read_scope(scope, schema_url) {
            Ok(scope) => {
                let base = base(&attributes);
                let resource = Arc::new(Resource { attributes, scope });
                self.source = Some(Source { resource, base, last: Arc::default() });
            }
            Err(reason) => {
                let place =
                    format!("{}[{}].{}[{at}].scope", self.levels.groups, self.at[0], self.levels.scopes);
                self.refuse(place, reason);
            }
        }
    }

    /// Reads a record that is whole or refused.
    pub(super) fn record(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Source, &mut Vec<Record>) -> Result<(), String>,
    ) {
        self.parts(at, |source, records, refused| {
            let before = records.len();
            if let Err(reason) = read(source, records) {
                records.truncate(before);
                refused.push((String::new(), reason));
            }
        });
    }

    /// Reads a record whose parts may be refused each by its place within.
    pub(super) fn parts(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Source, &mut Vec<Record>, &mut Vec<(String, String)>),
    ) {
        let Some(source) = &mut self.source else { return };
        let mut refused = Vec::new();
        read(source, &mut self.out.records, &mut refused);
        for (within, reason) in refused {
            let place = format!("{}{within}", self.place(at));
            self.refuse(place, reason);
        }
    }

    pub(super) fn refuse(&mut self, place: String, reason: String) {
        self.out.refused.push(Refused { place, reason });
    }

    /// What the records of the scope share, or why that cannot be read.
    pub(super) fn into_source(mut self) -> Result<Source, Refused> {
        match (self.source, self.out.refused.pop()) {
            (_, Some(refused)) => Err(refused),
            (source, None) => Ok(source.unwrap_or_default()),
        }
    }

    pub(super) fn finish(self) -> Ingested {
        self.out
    }

    fn place(&self, at: usize) -> String {
        let Levels { groups, scopes, records } = self.levels;
        format!("{groups}[{}].{scopes}[{}].{records}[{at}]", self.at[0], self.at[1])
    }
}

fn read_scope(scope: Option<&InstrumentationScope>, schema_url: &str) -> Result<Option<Scope>, String> {
    let Some(scope) = scope else { return Ok(None) };
    let mut attributes = pairs::attributes(&scope.attributes)?;
    note(&mut attributes, "otel.schema_url", schema_url);
    let version = Some(Str::copied(&scope.version)).filter(|version| !version.is_empty());
    Ok(Some(Scope { name: Str::copied(&scope.name), version, attributes }))
}

fn note(attributes: &mut Attributes, key: &'static str, text: &str) {
    if !text.is_empty() {
        attributes.insert(key, Str::copied(text));
    }
}

/// What a resource says of all its traces; the resource keeps its attributes too.
fn base(attributes: &Attributes) -> TraceContext {
    let mut base = TraceContext::default();
    let mut set = |key: &Str, value: &Value| {
        let slot = match conventions::lookup(key)?.field {
            Field::Environment => &mut base.environment,
            Field::Release => &mut base.release,
            _ => return None,
        };
        *slot = slot.take().or_else(|| value::name(value));
        Some(())
    };
    for (key, value) in attributes.iter() {
        set(key, value);
    }
    base
}
