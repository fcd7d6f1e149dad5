//! The files of the skeleton, which lie in `xtask/templates/exporter`.

/// Where each goes in the new crate, and what is in it.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../templates/exporter/Cargo.toml.txt")),
    ("README.md", include_str!("../../templates/exporter/README.md.txt")),
    ("src/lib.rs", include_str!("../../templates/exporter/lib.rs.txt")),
    ("src/config.rs", include_str!("../../templates/exporter/config.rs.txt")),
    ("src/exporter.rs", include_str!("../../templates/exporter/exporter.rs.txt")),
    ("src/wire.rs", include_str!("../../templates/exporter/wire.rs.txt")),
    ("src/traces.rs", include_str!("../../templates/exporter/traces.rs.txt")),
    ("tests/it/main.rs", include_str!("../../templates/exporter/main.rs.txt")),
    ("tests/it/conformance.rs", include_str!("../../templates/exporter/conformance.rs.txt")),
    ("tests/it/wire.rs", include_str!("../../templates/exporter/wire_test.rs.txt")),
    ("examples/send.rs", include_str!("../../templates/exporter/send.rs.txt")),
];
