#![doc = include_str!("../README.md")]

mod assign;
mod config;
mod edit;
mod engine;
mod fit;
mod literal;
mod marks;
mod names;
mod pii;
mod redactor;
mod rules;
mod style;
mod values;
mod walk;

pub use config::{ConfigError, RedactConfig};
pub use pii::Pii;
pub use redactor::{Redactor, formats};
pub use style::{HashKey, Style};
