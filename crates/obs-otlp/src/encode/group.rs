//! The records of one resource in a request.

use std::sync::Arc;

use obs_core::{Attributes, Resource};

use super::{Encoding, Fields, fields, json, wire};
use crate::levels::Levels;

/// Puts the attributes of a resource or a scope.
pub(super) type Put = fn(&Attributes, &mut Fields<'_>);

/// How requests are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) levels: &'static Levels,
    pub(super) put: Put,
}

impl Form {
    /// The attributes of resources and scopes as they are.
    pub(super) fn new(encoding: Encoding, levels: &'static Levels) -> Self {
        Self { encoding, levels, put: |attributes, to| to.attributes(attributes) }
    }

    /// One body of these groups, of which the first was made as the first; `bytes` is how many it will have.
    pub(super) fn body(self, groups: impl IntoIterator<Item = Group>, bytes: usize) -> Vec<u8> {
        let mut groups = groups.into_iter().filter(|group| group.records > 0);
        let mut body = groups.next().map(Group::finish).unwrap_or_default();
        body.reserve_exact(bytes.saturating_sub(body.len()));
        for group in groups {
            body.extend_from_slice(&group.finish());
        }
        if self.encoding == Encoding::Json {
            body.extend_from_slice(REQUEST_END);
        }
        debug_assert_eq!(body.len(), bytes, "the size by arithmetic is that of the body");
        body
    }

    /// The bytes of a request around its groups that no group has.
    pub(super) const fn envelope(self) -> usize {
        match self.encoding {
            Encoding::Protobuf => 0,
            Encoding::Json => REQUEST_END.len(),
        }
    }
}

/// The groups of resources in a request, those of scopes in a group, and the records in those.
const RESOURCES: u8 = wire::delimited(1);
const SCOPES: u8 = wire::delimited(2);
pub(super) const RECORDS: u8 = wire::delimited(2);

/// What ends the group of a resource, in JSON, and what ends a request.
const GROUP_END: &[u8] = b"]}]}";
const REQUEST_END: &[u8] = b"]}";

/// The records of one resource and scope, as they will stand in the request.
///
/// The bytes of a request are those of its groups one after the other: a repeated field of protobuf is that, and in JSON the first group brings what is before all of them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) resource: Arc<Resource>,
    pub(super) out: Vec<u8>,
    /// In protobuf, the lengths of the groups of the resource and of the scope.
    slots: Option<[wire::Slot; 2]>,
    pub(super) records: usize,
    /// How many bytes it will have when it is finished; none while it has no records.
    pub(super) bytes: usize,
}

impl Group {
    pub(super) fn new(form: Form, resource: &Arc<Resource>, scratch: &mut Vec<u8>, first: bool) -> Self {
        let Form { encoding, levels, put } = form;
        let mut out = Vec::new();
        let slots = match encoding {
            Encoding::Protobuf => Some(protobuf_head(&mut out, put, resource, scratch)),
            Encoding::Json => {
                if first {
                    out.push(b'{');
                    json::name(&mut out, levels.groups);
                }
                out.push(if first { b'[' } else { b',' });
                json_head(&mut out, levels, put, resource, scratch);
                None
            }
        };
        Self { resource: Arc::clone(resource), out, slots, records: 0, bytes: 0 }
    }

    /// How many bytes it would have if it were finished now.
    #[inline]
    pub(super) fn finished(&self) -> usize {
        self.finished_with(0)
    }

    /// How many bytes it would have if it were finished behind so many more.
    #[inline]
    pub(super) fn finished_with(&self, more: usize) -> usize {
        let end = self.out.len() + more;
        match self.slots {
            Some([outer, inner]) => {
                let records = inner.bytes(end);
                let width = wire::len(records as u64);
                let all = outer.bytes(end) - inner.width() + width;
                wire::field_len(all)
            }
            None => end + GROUP_END.len(),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = self.out;
        match self.slots {
            Some([outer, inner]) => {
                inner.close(&mut out);
                outer.close(&mut out);
            }
            None => out.extend_from_slice(GROUP_END),
        }
        out
    }
}

/// All before the first record; the lengths are thought to be those of a request of 16 KiB to 2 MiB.
fn protobuf_head(out: &mut Vec<u8>, put: Put, resource: &Resource, scratch: &mut Vec<u8>) -> [wire::Slot; 2] {
    let outer = wire::Slot::open(out, RESOURCES, 3);
    if !resource.attributes.is_empty() {
        let slot = wire::Slot::open(out, wire::delimited(1), 1);
        fields::write(out, scratch, Encoding::Protobuf, 1, |to| put(&resource.attributes, to));
        slot.close(out);
    }
    let inner = wire::Slot::open(out, SCOPES, 3);
    if let Some(scope) = &resource.scope {
        let slot = wire::Slot::open(out, wire::delimited(1), 1);
        wire::text(out, wire::delimited(1), &scope.name);
        wire::text(out, wire::delimited(2), scope.version.as_deref().unwrap_or_default());
        fields::write(out, scratch, Encoding::Protobuf, 3, |to| put(&scope.attributes, to));
        slot.close(out);
    }
    [outer, inner]
}

fn json_head(out: &mut Vec<u8>, levels: &Levels, put: Put, resource: &Resource, scratch: &mut Vec<u8>) {
    out.push(b'{');
    if !resource.attributes.is_empty() {
        json::name(out, "resource");
        out.push(b'{');
        fields::write(out, scratch, Encoding::Json, 1, |to| put(&resource.attributes, to));
        out.push(b'}');
    }
    json::name(out, levels.scopes);
    out.extend_from_slice(b"[{");
    if let Some(scope) = &resource.scope {
        json::name(out, "scope");
        out.push(b'{');
        for (name, text) in [("name", Some(&scope.name)), ("version", scope.version.as_ref())] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                json::name(out, name);
                json::text(out, text);
            }
        }
        fields::write(out, scratch, Encoding::Json, 3, |to| put(&scope.attributes, to));
        out.push(b'}');
    }
    json::name(out, levels.records);
    out.push(b'[');
}
