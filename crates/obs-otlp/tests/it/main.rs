//! One binary of integration tests.
#![cfg(feature = "ingest")]

mod real;
mod request;
