#![doc = include_str!("../README.md")]

mod answer;
mod auth;
mod client;
mod compress;
mod config;
mod connector;
mod endpoint;
mod flat;
mod given;
mod handed;
mod pace;
mod place;
mod policy;
mod proxy;
mod quote;
mod request;
mod resolver;
mod retry_after;
mod send;
mod transport;

pub use answer::{Answer, Head};
pub use auth::Auth;
pub use client::Client;
pub use compress::{Body, Compression};
pub use config::HttpConfig;
pub use flat::KnownFields;
pub use pace::Pace;
pub use place::shown;
pub use policy::{Action, HOLD, Policy};
pub use request::Request;
pub use retry_after::{MAX_WAIT, retry_after};
pub use transport::Trouble;
