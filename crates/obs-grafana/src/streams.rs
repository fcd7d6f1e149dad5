//! Requests of Loki's push API.

use std::borrow::Cow;

use obs_core::{Call, Log, Mapped, Refused, Resource, encode_within, write_json};
use serde::Serialize;

use crate::labels::{self, Labels};
use crate::metadata;
use crate::naming;
use crate::wire::{Place, Request, Stream};
use crate::{GrafanaConfig, LokiLine};

/// The most bytes of a line, as Loki's default has it.
const LINE: usize = 256 << 10;
/// The most bytes of a request before compression: what Loki hands on within itself has to stay below 4 MiB.
const BYTES: usize = 2 << 20;

const HEAD: &[u8] = b"{\"streams\":[";
const TAIL: &[u8] = b"]}";

/// Requests under way.
pub(crate) struct Push<'a> {
    config: &'a GrafanaConfig,
    done: Vec<Call<Request>>,
    refused: Vec<Refused>,
    streams: Vec<Entries>,
    records: Vec<usize>,
    bytes: usize,
}

/// The entries of one stream.
struct Entries {
    /// The labels as JSON.
    labels: Vec<u8>,
    /// Each with its time and as JSON.
    entries: Vec<(u64, Vec<u8>)>,
}

impl<'a> Push<'a> {
    pub(crate) fn new(config: &'a GrafanaConfig) -> Self {
        let (done, refused) = (Vec::new(), Vec::new());
        Self { config, done, refused, streams: Vec::new(), records: Vec::new(), bytes: 0 }
    }

    /// Adds the entry of a record of this resource.
    pub(crate) fn add(&mut self, at: usize, log: &Log, resource: &Resource) {
        match entry(self.config, at, log, resource) {
            Ok((labels, entry)) => self.take(at, log.time.as_nanos(), labels, entry),
            Err(refused) => self.refused.push(refused),
        }
    }

    fn take(&mut self, at: usize, time: u64, labels: Vec<u8>, entry: Vec<u8>) {
        // As if each entry were a stream of its own: no less than what it takes.
        let bytes = labels.len() + entry.len() + 32;
        if self.bytes + bytes > BYTES {
            self.cut();
        }
        self.bytes += bytes;
        self.records.push(at);
        let entry = (time, entry);
        match self.streams.iter_mut().find(|stream| stream.labels == labels) {
            Some(stream) => stream.entries.push(entry),
            None => self.streams.push(Entries { labels, entries: vec![entry] }),
        }
    }

    fn cut(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        let records = std::mem::take(&mut self.records);
        if records.is_empty() {
            return;
        }
        let mut body = Vec::with_capacity(self.bytes + HEAD.len() + TAIL.len());
        body.extend_from_slice(HEAD);
        for (nth, Entries { labels, mut entries }) in streams.into_iter().enumerate() {
            // Entries of one time keep their order.
            entries.sort_by_key(|(time, _)| *time);
            body.extend_from_slice(if nth == 0 { b"{\"stream\":" } else { b",{\"stream\":" });
            body.extend_from_slice(&labels);
            body.extend_from_slice(b",\"values\":[");
            for (nth, (_, entry)) in entries.into_iter().enumerate() {
                body.extend_from_slice(if nth == 0 { b"" } else { b"," });
                body.extend_from_slice(&entry);
            }
            body.extend_from_slice(b"]}");
        }
        body.extend_from_slice(TAIL);
        self.bytes = 0;
        self.done.push(Call { request: Request { place: Place::Logs, body }, records });
    }

    pub(crate) fn end(mut self) -> Mapped<Request> {
        self.cut();
        Mapped { calls: self.done, refused: self.refused }
    }
}

/// The labels and the entry of a log, as JSON.
fn entry(
    config: &GrafanaConfig,
    at: usize,
    log: &Log,
    resource: &Resource,
) -> Result<(Vec<u8>, Vec<u8>), Refused> {
    let labels = stream(config, log, resource);
    let line = match config.loki_line {
        LokiLine::Message => {
            let mut line = log.message.to_string();
            metadata::cut(&mut line, LINE);
            line
        }
        LokiLine::Json => {
            let json = encode_within(at, log, LINE, json_line)?;
            String::from_utf8(json).map_err(|cause| Refused::encode(at, cause.to_string()))?
        }
    };
    let pairs = metadata::of(log, resource, &labels);
    let (mut stream, mut entry) = (Vec::new(), Vec::new());
    write_json(&mut stream, &Stream(&labels)).map_err(|cause| Refused::encode(at, cause.to_string()))?;
    write_json(&mut entry, &(log.time.as_nanos().to_string(), line, pairs))
        .map_err(|cause| Refused::encode(at, cause.to_string()))?;
    Ok((stream, entry))
}

/// The labels of the stream that a log is in: those that the config names, of the record and its resource.
fn stream(config: &GrafanaConfig, log: &Log, resource: &Resource) -> Labels {
    let mut found: Labels = config
        .loki_labels
        .iter()
        .filter_map(|name| {
            let mut value = value(name, log, resource)?.into_owned();
            labels::shorten(&mut value);
            Some((naming::label(name), value))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if found.is_empty() {
        // Loki refuses a stream without labels, and takes this one for what it gives itself.
        found.push(("service_name".to_owned(), "unknown_service".to_owned()));
    }
    found.sort();
    found.dedup_by(|(a, _), (b, _)| a == b);
    found
}

/// What a record says under the name of a label: dots and underscores are the same.
fn value<'a>(name: &str, log: &'a Log, resource: &'a Resource) -> Option<Cow<'a, str>> {
    let label = naming::label(name);
    let environment = ["deployment_environment", "deployment_environment_name"];
    if label == "level" {
        return Some(Cow::Borrowed(log.level.as_str()));
    }
    if environment.contains(&&*label) {
        let of_trace = log.context.environment.as_deref().map(Cow::Borrowed);
        return of_trace.or_else(|| {
            let known = ["deployment.environment.name", "deployment.environment"];
            known.iter().find_map(|name| resource.attributes.get(name)).map(labels::text)
        });
    }
    let mut all = resource.attributes.iter().chain(log.attributes.iter());
    all.find(|(known, _)| naming::label(known) == label).map(|(_, value)| labels::text(value))
}

/// A line that holds what a log says.
#[derive(Serialize)]
struct Line<'a> {
    message: &'a str,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Cow<'a, obs_core::Payload>>,
    #[serde(skip_serializing_if = "obs_core::Attributes::is_empty")]
    attributes: &'a obs_core::Attributes,
}

fn json_line(log: &Log) -> Result<Vec<u8>, String> {
    let line = Line {
        message: &log.message,
        level: log.level.as_str(),
        event_name: log.event_name.as_deref(),
        data: log.data.as_ref().map(obs_core::Payload::settled),
        attributes: &log.attributes,
    };
    let mut json = Vec::new();
    write_json(&mut json, &line).map_err(|cause| cause.to_string())?;
    Ok(json)
}
