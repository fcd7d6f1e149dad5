//! The names of OpenTelemetry's conventions for MCP that no record has a field for.
//!
//! A span has them as attributes of its own, which go out and come back as they are.
//! The method, the server, its version and the tool have fields, see [`ATTRIBUTES`](super::ATTRIBUTES).

/// The id of the session that client and server have.
pub const SESSION_ID: &str = "mcp.session.id";

/// The version of the protocol, a date: `2025-06-18`.
pub const PROTOCOL_VERSION: &str = "mcp.protocol.version";

/// The resource that a request is for; it is no part of the span's name, because there are too many.
pub const RESOURCE_URI: &str = "mcp.resource.uri";

/// The id of the JSON-RPC request, as text.
pub const REQUEST_ID: &str = "jsonrpc.request.id";

/// The code of a JSON-RPC error, as text.
pub const STATUS_CODE: &str = "rpc.response.status_code";

/// How client and server are connected: `pipe` for standard input and output, `tcp` for HTTP.
pub const TRANSPORT: &str = "network.transport";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conventions::lookup;

    #[test]
    fn none_of_them_stands_for_a_field() {
        for name in [SESSION_ID, PROTOCOL_VERSION, RESOURCE_URI, REQUEST_ID, STATUS_CODE, TRANSPORT] {
            assert_eq!(lookup(name), None, "{name}");
        }
    }
}
