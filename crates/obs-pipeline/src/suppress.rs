//! Law 9: what runs inside obs records nothing.

use std::cell::Cell;

thread_local! {
    static SUPPRESSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's records are ignored: it is one of obs's own, or one that an exporter started.
#[inline]
pub fn is_suppressed() -> bool {
    SUPPRESSED.get()
}

/// From now on this thread records nothing: for the threads of obs itself, and those that an exporter starts.
///
/// Records made on such a thread are ignored and not counted.
pub fn suppress_this_thread() {
    SUPPRESSED.set(true);
    crate::intake::leave();
}
