//! OTLP's JSON, read leniently.
//!
//! `opentelemetry-proto` can read JSON too, but refuses what real exporters write: enums by name, 64-bit integers as the other kind, `"NaN"`, ids in base64.
//! So bodies are read here, value by value, into its messages.

mod fields;
mod logs;
mod metrics;
mod traces;

use obs_core::Record;
use serde_json::Value;

use super::Ingested;
use super::collect::{Collect, Source};
use crate::levels::{LOGS, Levels, METRICS, SPANS};
use fields::Fields;

/// Reads a request; `None` if it is none.
pub(super) fn request(body: &Value) -> Option<Ingested> {
    let fields = Fields::of(body).ok()?;
    let mut out = Ingested::default();
    let mut found = false;
    for (levels, read) in [(&SPANS, traces::read as Read), (&LOGS, logs::read), (&METRICS, metrics::read)] {
        if let Some(groups) = fields.get(levels.groups) {
            found = true;
            out.append(walk(levels, groups, read));
        }
    }
    found.then_some(out)
}

/// Reads one record, and says what parts of it were refused.
type Read = fn(&Value, &mut Source, &mut Vec<Record>, &mut Vec<(String, String)>);

fn walk(levels: &'static Levels, groups: &Value, read: Read) -> Ingested {
    let mut out = Collect::new(levels);
    for (at, group) in elements(&mut out, levels.groups.into(), groups).iter().enumerate() {
        let place = format!("{}[{at}]", levels.groups);
        let head = Fields::of(group).and_then(|group| Ok((group, group.resource("resource")?)));
        let (group, resource) = match head {
            Ok(head) => head,
            Err(reason) => {
                out.refuse(place, reason);
                continue;
            }
        };
        out.group(at, resource.as_ref(), group.text("schemaUrl").unwrap_or_default());
        let scopes = group.get(levels.scopes).unwrap_or(&Value::Null);
        for (at, scoped) in
            elements(&mut out, format!("{place}.{}", levels.scopes), scopes).iter().enumerate()
        {
            let place = format!("{place}.{}[{at}]", levels.scopes);
            let head = Fields::of(scoped).and_then(|scoped| Ok((scoped, scoped.scope("scope")?)));
            let (scoped, scope) = match head {
                Ok(head) => head,
                Err(reason) => {
                    out.refuse(place, reason);
                    continue;
                }
            };
            out.scope(at, scope.as_ref(), scoped.text("schemaUrl").unwrap_or_default());
            let records = scoped.get(levels.records).unwrap_or(&Value::Null);
            let place = format!("{place}.{}", levels.records);
            for (at, record) in elements(&mut out, place, records).iter().enumerate() {
                out.parts(at, |source, records, refused| read(record, source, records, refused));
            }
        }
    }
    out.finish()
}

/// The elements of a list; anything else but nothing is refused.
fn elements<'a>(out: &mut Collect, place: String, list: &'a Value) -> &'a [Value] {
    match list {
        Value::Array(elements) => elements,
        Value::Null => &[],
        _ => {
            out.refuse(place, "it must be a list".into());
            &[]
        }
    }
}
