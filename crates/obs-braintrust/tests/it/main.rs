//! What the exporter sends, against a server on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance;
mod documents;
mod ids;
mod judged;
mod limits;
mod lookups;
mod mastra;
mod openapi;
mod oracle;
mod policies;
mod seed_table;
mod server;
mod snapshots;
mod times;
