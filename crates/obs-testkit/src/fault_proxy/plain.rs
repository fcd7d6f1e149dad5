//! Stands in for the module of the feature `tls` where that is off.

use std::future::{Future, ready};
use std::io;

use tokio::net::TcpStream;

use super::Fault;
use super::connection::Client;

/// No TLS.
#[derive(Debug)]
pub(super) struct Tls;

impl Tls {
    #[expect(clippy::unnecessary_wraps, reason = "with the feature, certificates are made here")]
    pub(super) fn where_asked() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "with the feature, it is a matter of the instance")]
    pub(super) fn scheme(&self) -> &'static str {
        "http"
    }

    #[expect(clippy::unused_self, reason = "with the feature, certificates are kept here")]
    pub(super) fn greet(
        &self,
        tcp: TcpStream,
        _: Fault,
    ) -> impl Future<Output = Option<Box<dyn Client>>> + Send {
        ready(Some(Box::new(tcp) as Box<dyn Client>))
    }
}
