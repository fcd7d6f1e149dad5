//! The testkit tested: what it provides is complete, and every law of its suites can fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capture;
mod coverage;
mod decorator;
mod fault_proxy;
mod leaf;
mod openapi;
mod scripted;

/// The message of the panic that `law` ends with, or `None` if it ends well.
fn broken(law: impl FnOnce() + std::panic::UnwindSafe) -> Option<String> {
    let payload = std::panic::catch_unwind(law).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
}
