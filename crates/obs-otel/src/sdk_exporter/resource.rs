//! Records by their resource, since an exporter of the SDK has one at a time.

use std::sync::Arc;

use obs_core::{Call, Mapped, Refused};
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1 as wire;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_sdk::Resource;

use super::value::pairs;

/// Records of one resource, as the SDK has them.
#[derive(Debug, Clone)]
pub(super) struct Request<T> {
    pub(super) resource: Resource,
    pub(super) records: Vec<T>,
}

/// One call for the records of each resource, in the order of the first of each; `make` makes the request of those at these positions.
pub(super) fn calls<'r, T>(
    resources: impl Iterator<Item = (usize, &'r Arc<obs_core::Resource>)>,
    refused: Vec<Refused>,
    make: impl Fn(&[usize]) -> Result<Request<T>, String>,
) -> Mapped<Request<T>> {
    let mut groups: Vec<(&Arc<obs_core::Resource>, Vec<usize>)> = Vec::new();
    for (at, resource) in resources {
        let same = |known: &Arc<obs_core::Resource>| {
            Arc::ptr_eq(known, resource) || known.attributes == resource.attributes
        };
        match groups.iter_mut().find(|(known, _)| same(known)) {
            Some((_, records)) => records.push(at),
            None => groups.push((resource, vec![at])),
        }
    }
    let mut mapped = Mapped { calls: Vec::with_capacity(groups.len()), refused };
    for (_, records) in groups {
        match make(&records) {
            Ok(request) => mapped.calls.push(Call { request, records }),
            Err(why) => {
                mapped.refused.extend(records.into_iter().map(|at| Refused::encode(at, why.as_str())));
            }
        }
    }
    mapped
}

/// The resource as the SDK has it.
pub(super) fn resource(wire: Option<&WireResource>) -> Resource {
    let attributes = wire.map_or(&[][..], |resource| &resource.attributes);
    Resource::builder_empty().with_attributes(pairs(attributes)).build()
}

/// The scope as the SDK has it.
pub(super) fn scope(wire: Option<&wire::InstrumentationScope>, schema_url: &str) -> InstrumentationScope {
    let default = wire::InstrumentationScope::default();
    let wire = wire.unwrap_or(&default);
    let mut scope = InstrumentationScope::builder(wire.name.clone()).with_attributes(pairs(&wire.attributes));
    if !wire.version.is_empty() {
        scope = scope.with_version(wire.version.clone());
    }
    if !schema_url.is_empty() {
        scope = scope.with_schema_url(schema_url.to_owned());
    }
    scope.build()
}
