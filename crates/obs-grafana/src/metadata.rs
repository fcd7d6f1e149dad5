//! What Loki keeps beside a line: structured metadata.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Attributes, Entity, Log, Resource, Str, TraceContext, write_json};
use obs_otlp::conventions::Convention::{GenAi, General, Langfuse, Mastra, OpenInference};
use obs_otlp::conventions::{Field, name};

use crate::labels;

/// The most bytes of names and values, as Loki's default has it.
const BYTES: usize = 64 << 10;
/// The most pairs, as Loki's default has it; one is kept for what is beyond.
const PAIRS: usize = 128;
/// What a value is not cut below.
const LEAST: usize = 256;
/// Where pairs stand that are too many.
const MORE: &str = "more";

/// The pairs of a log, but for those that stand in `labels` already.
///
/// The names are OpenTelemetry's with underscores, which is what Loki itself makes of them by OTLP.
pub(crate) fn of(log: &Log, resource: &Resource, labels: &[(String, String)]) -> BTreeMap<String, String> {
    // What the record says itself wins over what is said of its trace, and that over its resource.
    let mut all = of_resource(resource);
    let mut pairs: Vec<(&str, Cow<'_, str>)> = Vec::new();
    context(&log.context, &mut pairs);
    all.extend(labels::clean_whole(pairs, &[]));
    let mut pairs: Vec<(&str, Cow<'_, str>)> = Vec::new();
    attributes(&log.attributes, &mut pairs);
    all.extend(labels::clean_whole(pairs, &[]));
    if let Some(span) = &log.span {
        all.insert("trace_id".to_owned(), span.trace_id.to_string());
        if let Some(span_id) = span.span_id {
            all.insert("span_id".to_owned(), span_id.to_string());
        }
    }
    if let Some(event) = &log.event_name {
        all.insert("event_name".to_owned(), event.to_string());
    }
    if let Some(data) = &log.data {
        all.insert("obs_log_data".to_owned(), data.as_str().to_owned());
    }
    all.insert("severity_number".to_owned(), log.level.severity_number().to_string());
    all.retain(|name, value| {
        !value.is_empty() && !labels.iter().any(|(known, said)| known == name && said == value)
    });
    within(all)
}

/// What is said of the resource and its scope.
fn of_resource(resource: &Resource) -> BTreeMap<String, String> {
    let mut pairs: Vec<(&str, Cow<'_, str>)> = Vec::new();
    attributes(&resource.attributes, &mut pairs);
    if let Some(scope) = &resource.scope {
        pairs.push(("scope_name", Cow::Borrowed(&scope.name)));
        some("scope_version", scope.version.as_ref(), &mut pairs);
        attributes(&scope.attributes, &mut pairs);
    }
    labels::clean_whole(pairs, &[])
}

fn context<'a>(context: &'a TraceContext, pairs: &mut Vec<(&'a str, Cow<'a, str>)>) {
    for (name, value) in [
        (const { name(Langfuse, Field::TraceName) }, &context.name),
        (const { name(General, Field::UserId) }, &context.user_id),
        (const { name(General, Field::SessionId) }, &context.session_id),
        (const { name(GenAi, Field::ThreadId) }, &context.thread_id),
        (const { name(Mastra, Field::RequestId) }, &context.request_id),
        (const { name(Mastra, Field::OrganizationId) }, &context.organization_id),
        (const { name(General, Field::Environment) }, &context.environment),
        (const { name(General, Field::Release) }, &context.release),
        (const { name(Langfuse, Field::Version) }, &context.version),
        (const { name(Mastra, Field::Service) }, &context.service),
        (const { name(Mastra, Field::ExperimentId) }, &context.experiment_id),
    ] {
        some(name, value.as_ref(), pairs);
    }
    if !context.tags.is_empty() {
        pairs.push((const { name(OpenInference, Field::Tags) }, json(&context.tags)));
    }
    for (names, entity) in [(ENTITY, &context.entity), (PARENT_ENTITY, &context.parent_entity)] {
        if let Some(Entity { kind, id, name, version }) = entity {
            for (name, value) in names.iter().zip([kind, id, name, version]) {
                some(name, value.as_ref(), pairs);
            }
        }
    }
    if !context.metadata.is_empty() {
        pairs.push((const { name(OpenInference, Field::Metadata) }, json(&context.metadata)));
    }
}

const ENTITY: [&str; 4] = ["obs.entity.kind", "obs.entity.id", "obs.entity.name", "obs.entity.version"];
const PARENT_ENTITY: [&str; 4] =
    ["obs.parent_entity.kind", "obs.parent_entity.id", "obs.parent_entity.name", "obs.parent_entity.version"];

fn some<'a>(name: &'a str, value: Option<&'a Str>, pairs: &mut Vec<(&'a str, Cow<'a, str>)>) {
    pairs.extend(value.map(|value| (name, Cow::Borrowed(value.as_str()))));
}

fn attributes<'a>(attributes: &'a Attributes, pairs: &mut Vec<(&'a str, Cow<'a, str>)>) {
    pairs.extend(attributes.iter().map(|(name, value)| (name.as_str(), labels::text(value))));
}

fn json<T: serde::Serialize>(value: &T) -> Cow<'static, str> {
    let mut json = Vec::new();
    // Neither texts nor attributes fail to be written; what did would be empty, and empty values are left out.
    let _ = write_json(&mut json, value);
    Cow::Owned(String::from_utf8_lossy(&json).into_owned())
}

/// The pairs within Loki's limits: those that are too many as JSON in one, and the longest values cut, with a mark.
fn within(mut pairs: BTreeMap<String, String>) -> BTreeMap<String, String> {
    if pairs.len() > PAIRS {
        // What joins logs with traces stays, whatever else there is.
        let kept = |name: &str| ["trace_id", "span_id", "event_name", "severity_number"].contains(&name);
        let beyond: Vec<String> =
            pairs.keys().filter(|name| !kept(name)).skip(PAIRS - 1 - 4).cloned().collect();
        // A pair that is called so itself goes along, since its place is taken.
        let more: BTreeMap<String, String> = beyond
            .iter()
            .map(String::as_str)
            .chain([MORE])
            .filter_map(|name| pairs.remove_entry(name))
            .collect();
        pairs.insert(MORE.to_owned(), json(&more).into_owned());
    }
    let mut sum: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    while sum > BYTES {
        let Some(longest) = pairs.values_mut().max_by_key(|value| value.len()) else { break };
        let before = longest.len();
        let kept = before.saturating_sub(sum - BYTES).max(LEAST);
        if !cut(longest, kept) {
            break;
        }
        sum -= before - longest.len();
    }
    pairs
}

/// Cuts a text that is longer to so many bytes, its mark included; false where that would not make it shorter.
pub(crate) fn cut(text: &mut String, to: usize) -> bool {
    let mark = format!("… [truncated by obs: {} bytes were too large]", text.len());
    if text.len() <= to || to < mark.len() {
        return false;
    }
    text.truncate(text.floor_char_boundary(to - mark.len()));
    text.push_str(&mark);
    true
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Payload, Timestamp};

    use super::*;

    fn log() -> Log {
        Log::new(Timestamp::from_nanos(1), Level::Warn, "m")
    }

    #[test]
    fn pairs_beyond_the_limit_stand_as_json_in_one_and_ids_stay() {
        let mut log = log();
        log.attributes = (0..300).map(|nth| (format!("a{nth:03}"), nth)).collect();
        log.span = Some(obs_core::SpanRef { trace_id: obs_core::TraceId::new(7).unwrap(), span_id: None });
        let pairs = of(&log, &log.resource, &[]);
        assert!(pairs.len() <= PAIRS, "{}", pairs.len());
        assert!(pairs.contains_key("trace_id") && pairs["a000"] == "0");
        let more: BTreeMap<String, String> = serde_json::from_str(&pairs[MORE]).unwrap();
        assert_eq!(more["a299"], "299");
        assert_eq!(pairs.len() + more.len(), 300 + 3);
    }

    #[test]
    fn a_pair_called_as_that_for_the_rest_stands_in_it() {
        let mut log = log();
        log.attributes = (0..300).map(|nth| (format!("z{nth:03}"), nth)).collect();
        log.attributes.push(MORE, "mine");
        let pairs = of(&log, &log.resource, &[]);
        let more: BTreeMap<String, String> = serde_json::from_str(&pairs[MORE]).unwrap();
        assert!(pairs.len() <= PAIRS, "{}", pairs.len());
        assert_eq!((&*more[MORE], pairs.len() + more.len()), ("mine", 301 + 2));
        log.attributes = [(MORE, "mine")].into_iter().collect();
        assert_eq!(of(&log, &log.resource, &[])[MORE], "mine");
    }

    #[test]
    fn values_beyond_the_limit_are_cut_with_a_mark_the_longest_first() {
        let mut log = log();
        log.data = Some(Payload::text("é".repeat(50_000)));
        log.attributes = [("short", "kept"), ("long", &*"x".repeat(30_000).leak())].into_iter().collect();
        let pairs = of(&log, &log.resource, &[]);
        let sum: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(sum <= BYTES && sum > BYTES - 200, "{sum}");
        assert!(pairs["obs_log_data"].ends_with("[truncated by obs: 100000 bytes were too large]"));
        assert_eq!((&*pairs["short"], pairs["long"].len()), ("kept", 30_000));
    }

    #[test]
    fn what_the_record_says_itself_wins() {
        let mut log = log();
        log.context =
            std::sync::Arc::new(TraceContext { user_id: Some("ann".into()), ..TraceContext::default() });
        log.attributes.push("user.id", "bob");
        let pairs = of(&log, &log.resource, &[]);
        assert_eq!((&*pairs["user_id"], &*pairs["severity_number"]), ("bob", "13"));
        assert!(!of(&log, &log.resource, &[("user_id".into(), "bob".into())]).contains_key("user_id"));
    }
}
