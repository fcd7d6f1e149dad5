//! The laws of waiting on disk.

mod lane;
mod recovery;
mod support;
