//! Everything about redaction that can be seen from outside.

mod benign;
mod config;
mod formats;
mod json;
mod laws;
mod text;
