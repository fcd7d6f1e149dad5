//! Records by their resource, since an exporter of the SDK has one at a time.

use std::sync::Arc;

use obs_core::{Call, Mapped, Refused};
use obs_otlp::encode::Chunk;
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1 as wire;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_sdk::Resource;

use super::held::LIMITS;
use super::value::pairs;

/// Records of one resource, as the SDK has them.
#[derive(Debug, Clone)]
pub(super) struct Request<T> {
    pub(super) resource: Resource,
    pub(super) records: Vec<T>,
}

/// How records become requests.
pub(super) trait Requests {
    /// A record as the SDK has it.
    type Record;

    /// OTLP's requests of the records at these positions, cut at [`LIMITS`].
    fn encode(&self, positions: &[usize]) -> Vec<Chunk>;

    /// The request of this record alone, with its texts cut until it is within [`LIMITS`].
    fn shorten(&self, at: usize) -> Result<Vec<u8>, Refused>;

    /// What was encoded, as the SDK has it.
    fn decode(&self, body: &[u8]) -> Result<Request<Self::Record>, String>;
}

/// The calls for the records of each resource, in the order of the first of each.
///
/// What is too large is cut or refused here: what the SDK's exporter said of it could not be told from an outage.
pub(super) fn calls<'r, R: Requests>(
    resources: impl Iterator<Item = (usize, &'r Arc<obs_core::Resource>)>,
    refused: Vec<Refused>,
    make: &R,
) -> Mapped<Request<R::Record>> {
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
    for Chunk { body, records } in groups.iter().flat_map(|(_, positions)| make.encode(positions)) {
        let body = match records[..] {
            [at] if body.len() > LIMITS.bytes => make.shorten(at).map_err(|refused| vec![refused]),
            _ => Ok(body),
        };
        let request = body.and_then(|body| {
            let all = |why: String| records.iter().map(|at| Refused::encode(*at, why.as_str())).collect();
            make.decode(&body).map_err(all)
        });
        match request {
            Ok(request) => mapped.calls.push(Call { request, records }),
            Err(refused) => mapped.refused.extend(refused),
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
