//! Addresses of Braintrust's application.

use std::fmt::Write as _;

use obs_core::{SpanId, TraceId};

use crate::BraintrustExporter;

impl BraintrustExporter {
    /// The address of a trace in Braintrust's application, as the application writes it itself.
    ///
    /// `None` where the organisation's name is not known (`org_name`), where the project is not known by its name or its
    /// id is not known yet, which the first request finds out, and where rows go to an experiment.
    pub fn trace_url(&self, trace_id: TraceId) -> Option<String> {
        let (org, project) = (self.plane().org_name()?, self.plane().project_name()?);
        let (kind, id) = self.plane().object()?;
        let (app, org, project) = (self.app_url(), escaped(org), escaped(project));
        Some(format!("{app}/app/{org}/p/{project}/trace?object_type={kind}&object_id={id}&r={trace_id}"))
    }

    /// The address of a span's row in Braintrust's application: the permanent one that Braintrust documents.
    ///
    /// `None` where the organisation's name is not known (`org_name`), or the project's id is not known yet.
    pub fn span_url(&self, span_id: SpanId) -> Option<String> {
        let org = self.plane().org_name()?;
        let (kind, id) = self.plane().object()?;
        let (app, org) = (self.app_url(), escaped(org));
        Some(format!("{app}/app/{org}/object?object_type={kind}&object_id={id}&id={span_id}"))
    }
}

/// A name as a part of an address's path.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("Acme-1.0_~"), "Acme-1.0_~");
        assert_eq!(escaped("Dong wyt/ä?"), "Dong%20wyt%2F%C3%A4%3F");
    }
}
