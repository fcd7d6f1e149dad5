//! The client against real connections.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bodies;
mod config;
mod credentials;
mod deadlines;
mod echoes;
mod guards;
mod policies;
mod proxies;
mod raw;
mod runtimes;
mod sending;
mod tls;
mod watch;
