//! The built-in rules, as data.

pub(crate) mod names;
pub(crate) mod values;
