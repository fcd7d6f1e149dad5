//! What the mapping wants to know of a record of any signal.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{
    Batch, Records, Resource, SCHEMA_VERSION, Signal, TraceContext, Value, VisitText, write_json,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::address::Field;
use crate::signing::hex;

/// A record of one signal.
pub(crate) trait Entry: VisitText + Clone + Serialize + 'static {
    /// Its signal.
    const SIGNAL: Signal;

    /// What is known of its trace.
    fn context(&self) -> &TraceContext;

    /// What produced it.
    fn resource(&self) -> &Resource;

    /// Records of this signal as a batch.
    fn batch(records: Records<Self>) -> Batch;

    /// What it puts into its address and tells a template.
    fn field(&self, field: Field) -> Option<&str> {
        let (context, resource) = (self.context(), self.resource());
        let attribute = |name| resource.attributes.get(name).and_then(Value::as_str);
        let found = match field {
            Field::Service => context.service.as_deref().or_else(|| resource.service_name()),
            Field::Environment => context
                .environment
                .as_deref()
                .or_else(|| attribute("deployment.environment.name"))
                .or_else(|| attribute("deployment.environment")),
            Field::Host => attribute("host.name"),
        };
        found.filter(|text| !text.is_empty())
    }
}

/// A line of the canonical JSON.
#[derive(Serialize)]
struct Line<'a, T> {
    v: u32,
    signal: Signal,
    record: &'a T,
}

/// A record's canonical line, without a line break.
pub(crate) fn line<T: Entry>(record: &T) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    let whole = Line { v: SCHEMA_VERSION, signal: T::SIGNAL, record };
    write_json(&mut line, &whole).map_err(|cause| cause.to_string())?;
    Ok(line)
}

/// Of each record, how many before it are equal: in its segment, which all tries share, and in the segments before that.
pub(crate) fn twins<T: Entry>(records: &Records<T>) -> Vec<usize> {
    let mut ends: Vec<(&Arc<Vec<T>>, usize)> = Vec::new();
    for (segment, range) in records.segments() {
        match ends.iter_mut().find(|(known, _)| Arc::ptr_eq(known, segment)) {
            Some((_, end)) => *end = range.end.max(*end),
            None => ends.push((segment, range.end)),
        }
    }
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    let mut number = |record: &T| {
        // A record without JSON is in no request.
        let count = seen.entry(Sha256::digest(line(record).unwrap_or_default()).into()).or_default();
        *count += 1;
        *count - 1
    };
    let numbers: Vec<Vec<usize>> =
        ends.iter().map(|(segment, end)| segment[..*end].iter().map(&mut number).collect()).collect();
    let of = |segment| ends.iter().position(|(known, _)| Arc::ptr_eq(known, segment));
    records
        .segments()
        .flat_map(|(segment, range)| of(segment).map_or(&[][..], |nth| &numbers[nth][range]))
        .copied()
        .collect()
}

/// The id of a request: the same for the same records, at every try and in every process.
///
/// Each record comes with how many before it are equal; the first of them counts as if it was alone.
pub(crate) fn id<'a, T: Entry>(records: impl Iterator<Item = (&'a T, usize)>) -> String {
    let mut hash = Sha256::new();
    for (record, twin) in records {
        hash.update(line(record).unwrap_or_default());
        if twin > 0 {
            hash.update(format!(" {twin}"));
        }
        hash.update(b"\n");
    }
    format!("msg_{}", hex(&hash.finalize()[..16]))
}
