//! The laws of waiting on disk.

mod lane;
mod pipeline;
mod recovery;
mod support;
mod trouble;
