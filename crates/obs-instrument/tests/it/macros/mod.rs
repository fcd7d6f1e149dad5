//! `#[observe]`, seen from what arrives.

mod blocks;
mod failures;
mod fields;
mod hygiene;
mod instances;
mod options;
mod shapes;
