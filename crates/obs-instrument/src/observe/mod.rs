//! What the code that `#[observe]` writes calls.

#[cfg(feature = "macros")]
mod probe;
#[cfg(feature = "macros")]
mod run;
#[cfg(feature = "macros")]
mod start;
#[cfg(feature = "macros")]
mod values;

use crate::{Observability, Registry};

#[cfg(feature = "macros")]
pub use self::{
    probe::*,
    run::{Within, awaited, call, enter, fail, output, scoped, settle, within},
    start::{Captured, Notes, start},
    values::{Count, Own, Real},
};

/// The instance that records what names none: the registry's of this name; or without one the current context's, else the
/// registry's default.
///
/// `None` means that nothing is recorded: a name that nobody registered is no other instance's.
pub fn resolve(registry: Option<&str>) -> Option<Observability> {
    let global = Registry::global();
    match registry {
        Some(name) => global.get(name),
        None => Observability::current().or_else(|| global.default_instance()),
    }
}
