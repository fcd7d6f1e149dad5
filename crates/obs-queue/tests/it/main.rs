//! The laws of waiting on disk.

mod dead_letters;
mod lane;
mod recovery;
mod support;
mod trouble;
