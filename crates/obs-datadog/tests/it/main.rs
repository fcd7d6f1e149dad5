//! The exporter against the contract, and every request it makes.
