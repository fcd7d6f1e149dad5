#![doc = include_str!("../README.md")]

mod address;
mod body;
mod check;
mod config;
mod env;
mod exporter;
mod feedback;
mod filters;
mod group;
mod logs;
mod metrics;
mod options;
mod plan;
mod policy;
mod record;
mod scan;
mod scores;
mod signing;
mod template;
mod traces;
mod transformer;
mod validate;
mod values;
mod verify;
mod wire;

pub use config::WebhookConfig;
pub use exporter::{DESCRIPTOR, WebhookExporter};
pub use options::{CheckMethod, Format, Method, MetricsAs, RetryConfig, Shape};
pub use signing::{SignatureForm, Signing};
pub use transformer::{PayloadTransformer, Per, Template, TransformError, TransformFunction, WebhookPayload};
pub use verify::{SignatureError, verify};
