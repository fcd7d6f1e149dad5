#![doc = include_str!("../README.md")]

mod assign;
mod config;
mod edit;
mod engine;
mod literal;
mod names;
mod redactor;
mod rules;
mod values;
mod walk;

pub use config::{ConfigError, RedactConfig};
pub use redactor::Redactor;
