//! Spans into runs.

use std::collections::HashMap;

use obs_core::{Call, ErrorKind, Mapped, Records, Refused, Span, SpanId, SpanRecord, TraceId, encode_within};

use crate::LangsmithExporter;
use crate::config::Settings;
use crate::ids::Place;
use crate::multipart::run_size;
use crate::run::{Encoded, Phase, Run, Verb};
use crate::sending::Request;
use crate::server::Limits;

/// A run to be, and the records that it is made of.
struct Draft<'a> {
    span: &'a Span,
    phase: Phase,
    records: Vec<usize>,
}

/// One run for each span, and as few requests as the server's limits allow.
pub(crate) fn map(exporter: &LangsmithExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let (settings, limits) = (&exporter.settings, exporter.server.limits());
    let mut mapped = Mapped::default();
    let (first, again) = drafts(records);
    for drafts in [first, again] {
        let mut open = Open::default();
        for draft in drafts {
            if draft.phase == Phase::Started && !settings.post_on_start {
                mapped.refused.extend(draft.records.into_iter().map(unwanted));
                continue;
            }
            match encode(exporter, settings, &draft, limits) {
                Ok(run) => open.add(&mut mapped, run, draft.records, limits),
                Err(refused) => {
                    let others = draft.records.iter().filter(|at| **at != refused.at);
                    let others: Vec<_> = others.map(|at| Refused { at: *at, ..refused.clone() }).collect();
                    mapped.refused.push(refused);
                    mapped.refused.extend(others);
                }
            }
        }
        open.close(&mut mapped);
    }
    mapped
}

/// The runs of a batch, and those of spans that come once more.
///
/// A start and an end become one run, since then the server counts one event and nothing depends on their order.
/// A second end waits for a request of its own: a request names each run once.
fn drafts(records: &Records<SpanRecord>) -> (Vec<Draft<'_>>, Vec<Draft<'_>>) {
    let (mut first, mut again) = (Vec::<Draft<'_>>::with_capacity(records.len()), Vec::new());
    let mut known: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        let span = record.span();
        let phase = if record.ended().is_some() { Phase::Whole } else { Phase::Started };
        let draft = |phase| Draft { span, phase, records: vec![at] };
        match known.get(&(span.trace_id, span.span_id)).map(|nth| &mut first[*nth]) {
            None => {
                known.insert((span.trace_id, span.span_id), first.len());
                first.push(draft(phase));
            }
            Some(before) if before.phase == Phase::Whole && phase == Phase::Whole => again.push(draft(phase)),
            Some(before) => {
                before.records.push(at);
                if phase == Phase::Whole {
                    (before.span, before.phase) = (span, phase);
                }
            }
        }
    }
    (first, again)
}

fn unwanted(at: usize) -> Refused {
    let reason = "a span goes to LangSmith once it ended; set post_on_start = true to send its start, too";
    Refused { at, kind: ErrorKind::Unsupported, status: None, reason: reason.into() }
}

fn encode(
    exporter: &LangsmithExporter,
    settings: &Settings,
    draft: &Draft<'_>,
    limits: Limits,
) -> Result<Run, Refused> {
    let Draft { span, phase, records } = draft;
    let place = Place::of(settings.run_ids, span);
    let mut encoded = Encoded::default();
    let room = limits.bytes.saturating_sub(run_size(0));
    let at = records.first().copied().unwrap_or_default();
    encode_within(at, *span, room, |span| {
        encoded = Encoded::of(settings, span, &place, *phase)?;
        Ok(encoded.take_bytes())
    })
    .map(|bytes| encoded.put_bytes(bytes))?;
    let ids = (span.trace_id, span.span_id);
    // An update of a run that the server does not have would be lost, and creating one that it has would leave it as it
    // is: only a start that the server took in this process makes the end an update.
    let verb =
        if *phase == Phase::Whole && exporter.posted.get(ids).is_some() { Verb::Patch } else { Verb::Post };
    let tree_apart = Some(place.trace_id).filter(|_| !place.is_whole);
    Ok(Run { id: place.id, verb, phase: *phase, span: ids, is_root: span.is_root(), tree_apart, encoded })
}

/// The request that is being filled.
#[derive(Default)]
struct Open {
    runs: Vec<Run>,
    records: Vec<usize>,
    bytes: usize,
}

impl Open {
    fn add(&mut self, mapped: &mut Mapped<Request>, run: Run, records: Vec<usize>, limits: Limits) {
        let bytes = run_size(run.encoded.bytes().len());
        if self.runs.len() >= limits.items || self.bytes + bytes > limits.bytes {
            self.close(mapped);
        }
        self.bytes += bytes;
        self.runs.push(run);
        self.records.extend(records);
    }

    fn close(&mut self, mapped: &mut Mapped<Request>) {
        let Self { runs, mut records, .. } = std::mem::take(self);
        if !runs.is_empty() {
            records.sort_unstable();
            mapped.calls.push(Call { request: Request::Runs(runs), records });
        }
    }
}
