//! Requests and responses as attributes, under the names of OpenTelemetry's conventions for HTTP.

use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use http::{Method, Version};
use obs_core::{Attributes, Str};

/// What conventions call a method that they do not know, so that no stranger makes up names.
const OTHER: &str = "_OTHER";

/// The method, if it is one of those that the conventions know.
fn known(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 10] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY"];
    KNOWN.into_iter().find(|known| *known == method.as_str())
}

/// The span's name: the method, and the route if it is known; never the path, which has no end of values.
pub(super) fn name(method: &Method, route: Option<&str>) -> Str {
    let method = known(method).unwrap_or("HTTP");
    route.map_or(Str::from_static(method), |route| format!("{method} {route}").into())
}

/// What only a server's layer knows of a request.
pub(super) struct Incoming<'a> {
    pub(super) route: Option<Str>,
    pub(super) client: Option<Str>,
    /// Where the request names none.
    pub(super) scheme: &'a Str,
}

/// What both sides say of a request.
fn describe(parts: &Parts, scheme: Option<&str>, attributes: &mut Attributes) {
    attributes.insert("http.request.method", known(&parts.method).unwrap_or(OTHER));
    if known(&parts.method).is_none() {
        let original: String = parts.method.as_str().chars().take(32).collect();
        attributes.insert("http.request.method_original", original);
    }
    if let Some(agent) = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        attributes.insert("user_agent.original", Str::copied(agent));
    }
    if let Some(version) = version(parts.version) {
        attributes.insert("network.protocol.version", version);
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    if let Some(authority) = parts.uri.authority().cloned().or(host) {
        attributes.insert("server.address", Str::copied(authority.host()));
        if let Some(port) = authority.port_u16().or_else(|| usual_port(scheme?)) {
            attributes.insert("server.port", i64::from(port));
        }
    }
}

/// What a server says besides; the query is left out, since it is where strangers put their secrets.
pub(super) fn describe_incoming(parts: &Parts, said: Incoming<'_>, attributes: &mut Attributes) {
    let scheme = parts.uri.scheme_str().map_or_else(|| said.scheme.clone(), Str::copied);
    describe(parts, Some(&scheme), attributes);
    attributes.insert("url.path", Str::copied(parts.uri.path()));
    attributes.insert("url.scheme", scheme);
    for (name, value) in [("http.route", said.route), ("client.address", said.client)] {
        if let Some(value) = value {
            attributes.insert(name, value);
        }
    }
}

/// What a client says besides: where it goes to, without credentials and query.
pub(super) fn describe_outgoing(parts: &Parts, attributes: &mut Attributes) {
    describe(parts, parts.uri.scheme_str(), attributes);
    if let (Some(scheme), Some(authority)) = (parts.uri.scheme_str(), parts.uri.authority()) {
        let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
        let url = format!("{scheme}://{}{port}{}", authority.host(), parts.uri.path());
        attributes.insert("url.full", url);
    }
}

/// The port that a scheme stands for.
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}
