//! Layers for `tower`: requests that come, and requests that go.

mod client;
mod failure;
mod future;
mod request;
mod server;
mod service;

pub use self::client::{ClientLayer, ClientService};
pub use self::future::ResponseFuture;
pub use self::server::{ServerLayer, ServerService};
pub use self::service::TracedService;
