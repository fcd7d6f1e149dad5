//! Records of the crate `log`, which many libraries still write to.

/// Why there is no logger: another one is installed.
pub use tracing_log::log_tracer::SetLoggerError;

/// Sends the records of `log` to whichever subscriber of `tracing` is current, so that a layer finds them as events.
///
/// The logger of `log` is one for the whole process and cannot be taken back, so this is for `main`, not for libraries.
/// Layers take the target, module, file and line that a record names as the event's own.
///
/// # Errors
/// If another logger is installed.
pub fn install() -> Result<(), SetLoggerError> {
    tracing_log::LogTracer::init()
}
