//! Everything about redaction that can be seen from outside.

mod benign;
mod config;
mod formats;
mod hostile;
mod json;
mod laws;
mod limits;
mod mastra;
mod pii;
mod styles;
mod text;
