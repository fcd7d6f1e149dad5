//! What the exporter sends, against a server on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance;
mod events;
mod ids;
mod limits;
mod mastra;
mod metrics;
mod names;
mod oracle;
mod policies;
mod scores;
mod server;
mod snapshots;
