//! The demo: a real agent that answers a question about the files of a directory.

pub(crate) mod chunks;
pub(crate) mod evaluate;
pub(crate) mod extractive;
pub(crate) mod files;
pub(crate) mod index;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod openai;
pub(crate) mod plan;
mod sse;
pub(crate) mod tools;
pub(crate) mod words;
