//! Panics of others.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use obs_redact::Redactor;

/// Runs something that is not ours; a panic comes back as its message.
///
/// What the closure borrowed may be half changed then: whoever calls this discards it.
pub(crate) fn guarded<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

/// What a panic said, without the secrets that a message about a record can quote.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Redactor::default().redact_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| panic!("at {}", 7)), Err::<(), _>("at 7".to_owned()));
        assert_eq!(guarded(|| std::panic::panic_any(3)), Err::<(), _>("no message".to_owned()));
    }

    #[test]
    fn law_6_a_panic_that_quotes_a_record_tells_no_secret() {
        let said = guarded(|| panic!("bad record: {}", r#"{"password":"hunter2"}"#));
        assert_eq!(said, Err::<(), _>(r#"bad record: {"password":"[REDACTED]"}"#.to_owned()));
    }
}
