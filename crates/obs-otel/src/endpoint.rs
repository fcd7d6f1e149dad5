//! Addresses: what a signal's is, and those that cannot be meant.

use obs_core::Error;
use url::Url;

use crate::{Address, Protocol};

/// Where OTLP over HTTP is by default.
pub(crate) const HTTP: &str = "http://localhost:4318";

/// Where OTLP over gRPC is by default.
pub(crate) const GRPC: &str = "http://localhost:4317";

/// The paths of the signals below a base address.
pub(crate) const PATHS: [&str; 3] = ["/v1/traces", "/v1/metrics", "/v1/logs"];

/// Refuses the address of Jaeger's own protocol, and tells of a port that the other transport has by default.
pub(crate) fn look_at(field: &str, address: &Address, protocol: Protocol) -> Result<(), Error> {
    let Some(url) = parsed(address.as_str()) else { return Ok(()) };
    if url.port() == Some(14_268) || url.path().trim_end_matches('/').ends_with("/api/traces") {
        let host = url.host_str().unwrap_or("HOST");
        let cause = format!(
            "\"{}\" is where Jaeger takes Thrift, which is not OTLP; write \"http://{host}:4318\", whose spans go to \
             \"http://{host}:4318/v1/traces\"",
            address.shown()
        );
        return Err(Error::config(field, cause));
    }
    let other = match (url.port(), protocol) {
        (Some(4317), Protocol::HttpProtobuf | Protocol::HttpJson) => Some(("gRPC", 4318)),
        (Some(4318), Protocol::Grpc) => Some(("HTTP", 4317)),
        _ => None,
    };
    if let Some((transport, port)) = other {
        tracing::warn!(
            target: "obs::otel",
            endpoint = %address.shown(),
            "{field}: receivers mostly speak {transport} on this port and {} on {port}; check `protocol`",
            protocol.as_str()
        );
    }
    Ok(())
}

/// A base address without a signal's path, which is added to it: some give the address of spans.
pub(crate) fn base(address: &str) -> &str {
    let trimmed = address.trim_end_matches('/');
    PATHS.iter().find_map(|path| trimmed.strip_suffix(path)).unwrap_or(address)
}

/// An address for gRPC: without a scheme it is one with TLS, as OTLP has it, unless it is said to be insecure.
///
/// A path in it is left out, since gRPC has its own.
pub(crate) fn grpc(address: &str, insecure: bool) -> String {
    let address = base(address.trim());
    if let Some((scheme, rest)) = address.split_once("://") {
        return format!("{}://{rest}", scheme.to_ascii_lowercase());
    }
    if address.is_empty() {
        return String::new();
    }
    let scheme = if insecure { "http" } else { "https" };
    format!("{scheme}://{address}")
}

/// An address, also one without a scheme; `None` where a password may go on behind what reads as the host.
fn parsed(address: &str) -> Option<Url> {
    let address = address.trim();
    let url = match Url::parse(address) {
        Ok(url) if url.has_host() => url,
        _ if address.contains("://") => return None,
        _ => Url::parse(&format!("http://{address}")).ok()?,
    };
    let goes_on =
        [Some(url.path()), url.query(), url.fragment()].into_iter().flatten().any(|part| part.contains('@'));
    (!goes_on).then_some(url)
}

/// The port that an address names.
pub(crate) fn port(address: &str) -> Option<u16> {
    parsed(address)?.port()
}

/// The host of an address.
pub(crate) fn host(address: &str) -> Option<String> {
    parsed(address)?.host_str().map(str::to_ascii_lowercase)
}

/// Where the pages are of an address without its user, password, query and fragment: on its own port and path, or on
/// another port, at the root.
pub(crate) fn pages(address: &str, port: Option<u16>) -> Option<String> {
    let mut url = parsed(address)?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    if port.is_some() {
        url.set_port(port).ok()?;
        url.set_path("");
    }
    Some(base(url.as_str()).trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaegers_thrift_is_refused_with_the_address_that_is_meant() {
        for address in [
            "http://jaeger:14268/api/traces",
            "http://jaeger:14268",
            "jaeger:14268",
            "http://jaeger/api/traces/",
        ] {
            let error =
                look_at("otlp_endpoint", &Address::from(address), Protocol::HttpProtobuf).unwrap_err();
            assert!(error.message().starts_with("otlp_endpoint: "), "{}", error.message());
            assert!(error.message().contains("\"http://jaeger:4318/v1/traces\""), "{}", error.message());
        }
        for address in ["http://jaeger:4318", "https://h/api/traces/otlp", "localhost:4317", ""] {
            assert!(
                look_at("endpoint", &Address::from(address), Protocol::HttpProtobuf).is_ok(),
                "{address}"
            );
        }
    }

    #[test]
    fn law_6_what_a_password_hides_in_is_no_address_to_speak_of() {
        for address in [
            "https://hunter2:p/w@jaeger:14268/api/traces",
            "https://hunter2:12/w@jaeger:14268/api/traces",
            "hunter2:12/w@jaeger:14268/api/traces",
            "https://hunter2?p@jaeger:14268/api/traces",
            "https://u:hunter2@jaeger:14268/api/traces",
        ] {
            let said = look_at("endpoint", &Address::from(address), Protocol::HttpProtobuf);
            let said = said.map_err(|error| error.message().to_owned());
            assert!(!format!("{said:?}").contains("hunter2"), "{address}: {said:?}");
            assert!(said.is_ok() || said.unwrap_err().contains("http://jaeger:4318"), "{address}");
        }
    }

    #[test]
    fn the_address_of_spans_is_taken_for_its_base() {
        assert_eq!(base("http://h:4318/v1/traces"), "http://h:4318");
        assert_eq!(base("http://h/otlp/v1/logs/"), "http://h/otlp");
        assert_eq!(base("http://h/otlp/"), "http://h/otlp/");
    }

    #[test]
    fn an_address_for_grpc_without_a_scheme_has_tls_unless_it_is_insecure() {
        assert_eq!(grpc("h:4317", false), "https://h:4317");
        assert_eq!(grpc("h:4317", true), "http://h:4317");
        assert_eq!(grpc("http://h:4317", false), "http://h:4317");
        assert_eq!(grpc("https://h:4317", true), "https://h:4317");
        assert_eq!(grpc("HTTPS://h:4317", true), "https://h:4317", "it is compared as it is written");
    }
}
