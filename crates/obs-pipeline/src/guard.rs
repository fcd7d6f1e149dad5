//! Panics of others.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use obs_redact::Redactor;

/// What stands in place of a message that is not told.
const KEPT_BACK: &str = "[OMITTED]";

/// Runs something that is not ours; a panic comes back as its message.
///
/// What the closure borrowed may be half changed then: whoever calls this discards it.
pub(crate) fn guarded<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

thread_local! {
    /// The rules of the pipeline whose thread this is.
    static RULES: RefCell<Option<Redactor>> = const { RefCell::new(None) };
}

/// From now on what panics on this thread is told by these rules: for the threads of a pipeline that redacts.
pub(crate) fn tell_by(rules: Option<&Redactor>) {
    RULES.set(rules.cloned());
}

/// What a panic said, without the secrets that a message about a record can quote: by the rules of the pipeline on its
/// own threads, else by the built-in ones. Where the rules keep back what stands under some names, nothing is told, since
/// a message can quote it without the name.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    // The thread may be at its end, and its rules gone.
    let rules = RULES.try_with(|rules| rules.borrow().clone()).ok().flatten().unwrap_or_default();
    if rules.keeps_back() { KEPT_BACK.into() } else { rules.redact_text(text).into_owned() }
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
