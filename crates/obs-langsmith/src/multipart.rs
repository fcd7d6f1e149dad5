//! Bodies of `POST /runs/multipart` and `POST /runs/batch`.

use std::io::Write;

use memchr::memmem::Finder;
use uuid::Uuid;

use crate::run::{Phase, Run, Verb};

/// What a part's headers and delimiter take at most.
const PART: usize = 256;

/// How many parts a run can be.
const PARTS: usize = 1 + crate::run::FIELDS.len();

/// The most that a run of this many bytes takes in a body of either kind.
pub(crate) const fn run_size(verb: Verb, encoded: usize) -> usize {
    (encoded + PARTS * PART) * verb.names().len()
}

/// The most bytes of a run that fit into a body of this many.
pub(crate) const fn run_room(verb: Verb, bytes: usize) -> usize {
    (bytes / verb.names().len()).saturating_sub(PARTS * PART)
}

/// The most that a feedback of this many bytes takes in a body.
pub(crate) const fn feedback_size(encoded: usize) -> usize {
    encoded + PART
}

/// A part of a multipart body: its name, and its content in pieces.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    /// `post`, `patch` or `feedback`.
    event: &'static str,
    id: Uuid,
    /// The field, behind a dot.
    field: Option<&'static str>,
    content: [&'a [u8]; 2],
}

impl Part<'_> {
    fn len(&self) -> usize {
        self.content.iter().map(|piece| piece.len()).sum()
    }
}

/// A multipart body, and the boundary that its `Content-Type` names.
#[derive(Debug, Clone)]
pub(crate) struct Multipart {
    pub(crate) boundary: String,
    pub(crate) body: Vec<u8>,
}

impl Multipart {
    /// Runs, each as one part for itself and one for each large field.
    pub(crate) fn of_runs(runs: &[Run]) -> Self {
        let asked = runs.iter().flat_map(|run| run.verb.names().iter().map(move |event| (*event, run)));
        let parts = asked.flat_map(|(event, run)| {
            let id = run.id;
            let own = Part { event, id, field: None, content: [run.encoded.run(), b"}"] };
            let beside = run.encoded.fields();
            let beside =
                beside.map(move |(field, json)| Part { event, id, field: Some(field), content: [json, b""] });
            std::iter::once(own).chain(beside)
        });
        Self::of(&parts.collect::<Vec<_>>(), signature(runs))
    }

    /// Feedback, each as one part.
    pub(crate) fn of_feedback<'a>(feedback: impl Iterator<Item = (Uuid, &'a [u8])>) -> Self {
        let part = |(id, json)| Part { event: "feedback", id, field: None, content: [json, b""] };
        let parts: Vec<_> = feedback.map(part).collect();
        let seed = signature_of_feedback(parts.iter().map(|part| part.id));
        Self::of(&parts, seed)
    }

    fn of(parts: &[Part<'_>], seed: u128) -> Self {
        let boundary = boundary(parts, seed);
        let mut body = Vec::with_capacity(parts.iter().map(|part| part.len() + PART).sum());
        for part in parts {
            let Part { event, id, field, content } = part;
            let (dot, field) = field.map_or(("", ""), |field| (".", field));
            let id = id.hyphenated();
            // Writing to memory cannot fail.
            let _ = write!(
                body,
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{event}.{id}{dot}{field}\"\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                part.len()
            );
            for piece in content {
                body.extend_from_slice(piece);
            }
            body.extend_from_slice(b"\r\n");
        }
        let _ = write!(body, "--{boundary}--\r\n");
        Self { boundary, body }
    }

    /// What the request says it is.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

/// Where the boundary begins to be looked for: the ids of the runs, what is to be done with them, and how much of them
/// there is.
fn signature(runs: &[Run]) -> u128 {
    let kind = |run: &Run| match (run.verb, run.phase) {
        (Verb::Post, Phase::Whole) => 0,
        (Verb::Post, Phase::Started) => 1,
        (Verb::Patch, _) => 2,
        (Verb::Both, _) => 4,
    };
    runs.iter().fold(0, |seed, run| mixed(seed, run.id, kind(run)))
}

/// The same of feedback.
fn signature_of_feedback(ids: impl Iterator<Item = Uuid>) -> u128 {
    ids.fold(0, |seed, id| mixed(seed, id, 3))
}

/// Spreads an id over the bits of what came before.
fn mixed(seed: u128, id: Uuid, kind: u128) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let bits = (seed.rotate_left(23) ^ id.as_u128().wrapping_add(kind)).wrapping_mul(ODD);
    bits ^ bits >> 67
}

/// A boundary that stands in no part: the same for the same parts, so that a request is the same at every try.
fn boundary(parts: &[Part<'_>], seed: u128) -> String {
    let mut nth = 0u128;
    loop {
        let boundary = format!("obs-{:032x}", seed.wrapping_add(nth));
        let finder = Finder::new(&boundary);
        if parts.iter().flat_map(|part| part.content).all(|piece| finder.find(piece).is_none()) {
            return boundary;
        }
        nth += 1;
    }
}

/// The body of `POST /runs/batch`, where the fields stand in their runs.
pub(crate) fn batch(runs: &[Run]) -> Vec<u8> {
    let mut body =
        Vec::with_capacity(runs.iter().map(|run| run_size(run.verb, run.encoded.bytes().len())).sum());
    let mut open = b'{';
    for event in Verb::Both.names() {
        let mut runs = runs.iter().filter(|run| run.verb.names().contains(event)).peekable();
        if runs.peek().is_none() {
            continue;
        }
        body.push(std::mem::replace(&mut open, b','));
        let _ = write!(body, "\"{event}\":[");
        for (nth, run) in runs.enumerate() {
            if nth > 0 {
                body.push(b',');
            }
            body.extend_from_slice(run.encoded.run());
            for (field, json) in run.encoded.fields() {
                let _ = write!(body, ",\"{field}\":");
                body.extend_from_slice(json);
            }
            body.push(b'}');
        }
        body.push(b']');
    }
    body.push(b'}');
    body
}
