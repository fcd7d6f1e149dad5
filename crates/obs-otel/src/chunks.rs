//! From encoded chunks to calls.

use obs_core::{Call, Mapped, Refused};
use obs_otlp::encode::{Chunk, Encoding};

use crate::wire::{Items, Request, Service};

/// How requests of a service are written, and how large they may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) encoding: Encoding,
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// The calls of these chunks; a record that alone is too large is made smaller by `shorten`.
pub(crate) fn calls(
    service: Service,
    max: usize,
    chunks: Vec<Chunk>,
    refused: Vec<Refused>,
    shorten: impl Fn(usize) -> Result<Vec<u8>, Refused>,
) -> Mapped<Request> {
    let chunks = chunks.into_iter().map(|chunk| (chunk, Items::Records)).collect();
    calls_of(service, max, chunks, refused, shorten)
}

/// The same of chunks in whose items several records may be.
pub(crate) fn calls_of(
    service: Service,
    max: usize,
    chunks: Vec<(Chunk, Items)>,
    refused: Vec<Refused>,
    shorten: impl Fn(usize) -> Result<Vec<u8>, Refused>,
) -> Mapped<Request> {
    let mut mapped = Mapped { calls: Vec::with_capacity(chunks.len()), refused };
    for (Chunk { body, records }, items) in chunks {
        let body = match records[..] {
            [at] if body.len() > max => shorten(at),
            _ => Ok(body),
        };
        match body {
            Ok(body) => mapped.calls.push(Call { request: Request { service, body, items }, records }),
            Err(cause) => mapped.refused.push(cause),
        }
    }
    mapped
}
