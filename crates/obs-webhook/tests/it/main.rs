//! What the exporter sends, against a server on this machine.
