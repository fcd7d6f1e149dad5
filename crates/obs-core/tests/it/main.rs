//! The laws of the canonical JSON and of visiting, over arbitrary records.

mod canonical;
mod visiting;
