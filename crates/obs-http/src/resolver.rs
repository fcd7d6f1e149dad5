//! Names into addresses, without those of the link.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::endpoint::is_link_local;
use crate::transport::LinkLocalOnly;

/// Asks the system, and leaves link-local addresses out, so that no name leads to a cloud's metadata service.
#[derive(Debug)]
pub(crate) struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(allowed(found)?)
        })
    }
}

fn allowed(found: Vec<SocketAddr>) -> Result<Addrs, LinkLocalOnly> {
    let any = !found.is_empty();
    let left: Vec<SocketAddr> = found.into_iter().filter(|address| !is_link_local(address.ip())).collect();
    if any && left.is_empty() { Err(LinkLocalOnly) } else { Ok(Box::new(left.into_iter())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn link_local_addresses_are_left_out_and_nothing_else_is() {
        let mixed = addresses(&["169.254.169.254:0", "10.0.0.1:0", "[fd00:ec2::254]:0", "[::1]:0"]);
        let left: Vec<_> = allowed(mixed).map(Iterator::collect).unwrap_or_default();
        assert_eq!(left, addresses(&["10.0.0.1:0", "[::1]:0"]));
        assert!(allowed(addresses(&["169.254.169.254:0"])).is_err());
        assert!(allowed(Vec::new()).is_ok_and(|mut none| none.next().is_none()));
    }
}
