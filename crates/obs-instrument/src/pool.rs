//! Recycled memory for open spans.

use std::cell::RefCell;

use crate::open::Slot;

/// The most boxes a thread keeps; a box is under a kilobyte.
const CAPACITY: usize = 64;

thread_local! {
    // A box is what a handle holds, and it moves here and back as it is.
    #[expect(clippy::vec_box, reason = "the boxes are recycled, not the vector's elements")]
    static FREE: RefCell<Vec<Box<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// An empty place for a span: handles stay small, and starting a span allocates nothing in steady state.
#[inline]
pub(crate) fn take() -> Box<Slot> {
    FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// Takes an empty place back; it goes to the thread that ended the span.
#[inline]
pub(crate) fn give_back(slot: Box<Slot>) {
    // While the thread's locals are being destroyed the box is simply freed.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < CAPACITY {
            free.push(slot);
        }
    });
}
