//! What was current before each span that this thread is in.

use std::cell::RefCell;

use obs_instrument::Context;
use tracing::span::Id;

/// A span entered through a layer, and the context before.
struct Entry {
    layer: u64,
    span: Id,
    before: Context,
}

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Makes a span's context that of the thread.
pub(crate) fn enter(layer: u64, span: &Id, context: Context) {
    let _ = ENTERED.try_with(|entered| {
        let before = context.replace_current();
        entered.borrow_mut().push(Entry { layer, span: span.clone(), before });
    });
}

/// Makes the context before a span that of the thread again; nothing if the span was not entered here.
///
/// Spans may be left in any order: one that is left below others gives what it covered to the one above it.
pub(crate) fn leave(layer: u64, span: &Id) {
    let before = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let at = entered.iter().rposition(|entry| entry.layer == layer && entry.span == *span)?;
        let left = entered.remove(at);
        match entered.get_mut(at) {
            Some(above) => {
                above.before = left.before;
                None
            }
            None => Some(left.before),
        }
    });
    if let Ok(Some(before)) = before {
        drop(before.replace_current());
    }
}

/// Puts what is known of a span now in the place of what was known when this thread entered it.
pub(crate) fn renew(context: &Context) {
    let of_span = |known: &Context| known.span_id() == context.span_id();
    if of_span(&Context::current()) {
        drop(context.clone().replace_current());
    }
    let _ = ENTERED.try_with(|entered| {
        for entry in entered.borrow_mut().iter_mut().filter(|entry| of_span(&entry.before)) {
            entry.before = context.clone();
        }
    });
}
