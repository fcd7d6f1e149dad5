//! What the exporter sends, against a server on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod config;
mod conformance;
mod documents;
mod ids;
mod judged;
mod limits;
mod logs;
mod mastra;
mod metrics;
#[cfg(feature = "official-client")]
mod official;
mod oracle;
mod otlp;
mod points;
mod policies;
mod seed_table;
mod server;
mod snapshots;
mod watch;
