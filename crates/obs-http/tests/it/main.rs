//! Tests of the client against real connections.
