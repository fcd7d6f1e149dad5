//! The envelope that events for old servers go in.

use std::collections::HashSet;

use obs_core::{Call, Mapped, Refused, Timestamp, VisitText, encode_within, write_json};
use serde::Serialize;
use uuid::Uuid;

use crate::wire::{EventHead, Place, Request};
use crate::{text, traces};

/// The most bytes of a batch.
const BYTES: usize = 3_500_000;

const HEAD: &[u8] = b"{\"batch\":[";
const TAIL: &[u8] = b"]}";

/// The most bytes of one record's events.
const ROOM: usize = BYTES - HEAD.len() - TAIL.len();

/// The namespace of ids that are made of an event's content.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6c66_5f65_8f10_3c7e_2a55_91d4);

/// The events of one record, each with its id.
#[derive(Default)]
pub(crate) struct Events(Vec<(Uuid, Vec<u8>)>);

impl Events {
    pub(crate) fn push<T: Serialize>(
        &mut self,
        kind: &'static str,
        time: Timestamp,
        body: &T,
    ) -> Result<(), String> {
        let mut json = Vec::with_capacity(1_024);
        write_json(&mut json, body).map_err(|cause| cause.to_string())?;
        self.push_json(kind, time, &json)
    }

    /// Adds an event of this body.
    ///
    /// Its id is made of its content: the server drops an id that it has seen, so that a batch sent again changes nothing,
    /// and what differs has another.
    pub(crate) fn push_json(
        &mut self,
        kind: &'static str,
        time: Timestamp,
        body: &[u8],
    ) -> Result<(), String> {
        let id = Uuid::new_v5(&NAMESPACE, &[kind.as_bytes(), body].concat());
        let mut json = Vec::with_capacity(body.len() + 128);
        write_json(&mut json, &EventHead { id, timestamp: text::time(time), kind })
            .map_err(|cause| cause.to_string())?;
        // The body comes before the brace that ends the head.
        json.pop();
        json.extend_from_slice(b",\"body\":");
        json.extend_from_slice(body);
        json.push(b'}');
        self.0.push((id, json));
        Ok(())
    }
}

/// Batches under way.
#[derive(Default)]
pub(crate) struct Batches {
    done: Vec<Call<Request>>,
    pub(crate) refused: Vec<Refused>,
    body: Vec<u8>,
    records: Vec<usize>,
    events: Vec<(Uuid, usize)>,
    /// What was told already: the same of a trace need not be told with each of its records.
    told: HashSet<Uuid>,
}

impl Batches {
    /// Adds a record's events, made smaller where they are too large.
    pub(crate) fn add<T: VisitText + Clone>(
        &mut self,
        at: usize,
        record: &T,
        encode: impl Fn(&T, &mut Events) -> Result<(), String>,
    ) {
        let mut events = Events::default();
        let encoded = encode_within(at, record, ROOM, |record| {
            let mut of_record = Events::default();
            encode(record, &mut of_record)?;
            events = of_record;
            Ok(joined(&events.0))
        });
        match encoded {
            Ok(_) => self.take(at, events),
            Err(cause) => self.refused.push(cause),
        }
    }

    /// Adds these events; the last is the record's own, those before it tell of its trace.
    pub(crate) fn take(&mut self, at: usize, Events(mut events): Events) {
        let own = events.last().map(|(id, _)| *id);
        events.retain(|(id, _)| self.told.insert(*id) || Some(*id) == own);
        let json = joined(&events);
        let full = self.body.len() + 1 + json.len() + TAIL.len() > BYTES;
        if !self.records.is_empty() && (full || self.records.len() == traces::ITEMS) {
            self.cut();
        }
        self.body.extend_from_slice(if self.records.is_empty() { HEAD } else { b"," });
        self.body.extend_from_slice(&json);
        let position = self.records.len();
        self.events.extend(events.into_iter().map(|(id, _)| (id, position)));
        self.records.push(at);
    }

    fn cut(&mut self) {
        let (mut body, records) = (std::mem::take(&mut self.body), std::mem::take(&mut self.records));
        body.extend_from_slice(TAIL);
        let events = std::mem::take(&mut self.events);
        let request = Request { place: Place::Ingestion, body, len: records.len(), events };
        self.done.push(Call { request, records });
    }

    pub(crate) fn end(mut self) -> Mapped<Request> {
        if !self.records.is_empty() {
            self.cut();
        }
        Mapped { calls: self.done, refused: self.refused }
    }
}

fn joined(events: &[(Uuid, Vec<u8>)]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(events.iter().map(|(_, json)| json.len() + 1).sum());
    for (_, json) in events {
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(json);
    }
    joined
}
