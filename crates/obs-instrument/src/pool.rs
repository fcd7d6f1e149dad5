//! Recycled memory for open spans.

use std::cell::RefCell;

use crate::open::Open;

/// The most boxes a thread keeps; a box is under a kilobyte.
const CAPACITY: usize = 64;

thread_local! {
    static FREE: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// A box for one open span: handles stay small, and starting a span allocates nothing in steady state.
pub(crate) type Slot = Box<Option<Open>>;

/// A box with this span in it.
#[inline]
pub(crate) fn fill(open: Open) -> Slot {
    let mut slot = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten().unwrap_or_default();
    *slot = Some(open);
    slot
}

/// Takes an empty box back; it goes to the thread that ended the span.
#[inline]
pub(crate) fn give_back(slot: Slot) {
    // While the thread's locals are being destroyed the box is simply freed.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < CAPACITY {
            free.push(slot);
        }
    });
}
