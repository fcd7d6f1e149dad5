//! Spans into runs.

use std::collections::HashMap;

use obs_core::{Call, ErrorKind, Mapped, Records, Refused, Span, SpanId, SpanRecord, TraceId, encode_within};

use crate::LangsmithExporter;
use crate::capabilities::Limits;
use crate::ids::Place;
use crate::multipart::{run_room, run_size};
use crate::run::{Encoded, Phase, Run, Verb};
use crate::sending::{Request, Start};
use crate::settings::Settings;

/// A run to be, and the records that it is made of.
struct Draft<'a> {
    span: &'a Span,
    phase: Phase,
    /// Whether the batch has its start.
    has_start: bool,
    records: Vec<usize>,
}

/// One run for each span, and as few requests as the server's limits allow.
pub(crate) fn map(exporter: &LangsmithExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    let (settings, limits) = (&exporter.settings, exporter.server.limits());
    let mut mapped = Mapped::default();
    for drafts in rounds(records) {
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

/// The runs of a batch; those of spans that come once more are in a later round, since a request names each run once.
///
/// A start and an end become one run, since then the server counts one event and nothing depends on their order.
fn rounds(records: &Records<SpanRecord>) -> Vec<Vec<Draft<'_>>> {
    let mut rounds = vec![Vec::<Draft<'_>>::with_capacity(records.len())];
    // The round of a span's latest run, and its place there.
    let mut known: HashMap<(TraceId, SpanId), (usize, usize)> = HashMap::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        let span = record.span();
        let phase = if record.ended().is_some() { Phase::Whole } else { Phase::Started };
        let ids = (span.trace_id, span.span_id);
        let round = match known.get(&ids) {
            None => 0,
            Some((round, nth)) => {
                let before = &mut rounds[*round][*nth];
                if before.phase == Phase::Started || phase == Phase::Started {
                    before.records.push(at);
                    before.has_start = true;
                    if phase == Phase::Whole {
                        (before.span, before.phase) = (span, phase);
                    }
                    continue;
                }
                round + 1
            }
        };
        if round == rounds.len() {
            rounds.push(Vec::new());
        }
        known.insert(ids, (round, rounds[round].len()));
        rounds[round].push(Draft { span, phase, has_start: phase == Phase::Started, records: vec![at] });
    }
    rounds
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
    let Draft { span, phase, records, .. } = draft;
    let place = Place::of(settings.run_ids, span);
    let verb = verb(exporter, draft);
    let mut encoded = Encoded::default();
    let at = records.first().copied().unwrap_or_default();
    encode_within(at, *span, run_room(verb, limits.bytes), |span| {
        encoded = Encoded::of(settings, span, &place, *phase)?;
        Ok(encoded.take_bytes())
    })
    .map(|bytes| encoded.put_bytes(bytes))?;
    let (span, is_root) = ((span.trace_id, span.span_id), span.is_root());
    Ok(Run { id: place.id, verb, phase: *phase, span, is_root, trace_id: place.trace_id, encoded })
}

/// What is asked of the server.
///
/// An update of a run that it does not have may be lost, and so may the creation of one that it has: only a start that it
/// took from this process makes an end an update, and one that another process or an unanswered request may have brought
/// makes it both.
fn verb(exporter: &LangsmithExporter, draft: &Draft<'_>) -> Verb {
    if draft.phase == Phase::Started || !exporter.settings.post_on_start {
        return Verb::Post;
    }
    match exporter.starts.get((draft.span.trace_id, draft.span.span_id)) {
        Some(Start::Taken) => Verb::Patch,
        None if draft.has_start => Verb::Post,
        Some(Start::Doubtful) | None => Verb::Both,
    }
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
        let bytes = run_size(run.verb, run.encoded.bytes().len());
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
