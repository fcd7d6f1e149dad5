//! What the exporter sends, against a server on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod addresses;
mod checks;
mod conformance;
mod docs;
mod ids;
mod limits;
mod oracle;
mod policies;
mod seed;
mod server;
mod signatures;
mod snapshots;
mod templates;
mod transformers;
