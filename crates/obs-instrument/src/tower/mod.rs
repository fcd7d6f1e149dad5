//! Layers for `tower`: requests that come, and requests that go.

mod client;
mod future;
mod request;
mod server;

pub use self::client::{ClientLayer, ClientService};
pub use self::future::ResponseFuture;
pub use self::server::{ServerLayer, ServerService};
