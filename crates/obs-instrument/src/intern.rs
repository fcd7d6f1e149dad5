//! Names that come again and again.

use std::cell::RefCell;

use obs_core::Str;
use rustc_hash::FxHashSet;

/// The most names a thread keeps; beyond, names are copied each time.
const CAPACITY: usize = 1024;

/// The longest name that is kept, in bytes; model and provider names are far shorter.
const MAX_LEN: usize = 128;

thread_local! {
    static NAMES: RefCell<FxHashSet<Str>> = RefCell::default();
}

/// A shared string for a name that comes again and again, such as a model's.
///
/// The first time on a thread it copies the name; after that it allocates nothing.
/// At most 1,024 names of at most 128 bytes are kept a thread, so that unbounded names do no harm.
///
/// ```
/// let model = format!("gpt-{}", 4);
/// assert!(obs_instrument::intern(&model).ptr_eq(&obs_instrument::intern("gpt-4")));
/// ```
pub fn intern(name: &str) -> Str {
    if name.len() > MAX_LEN {
        return Str::copied(name);
    }
    let known = NAMES.try_with(|names| {
        let mut names = names.borrow_mut();
        if let Some(known) = names.get(name) {
            return known.clone();
        }
        let new = Str::copied(name);
        if names.len() < CAPACITY {
            names.insert(new.clone());
        }
        new
    });
    known.unwrap_or_else(|_| Str::copied(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_bounded() {
        let long = "x".repeat(MAX_LEN + 1);
        assert!(!intern(&long).ptr_eq(&intern(&long)));
        for at in 0..CAPACITY * 2 {
            intern(&format!("name-{at}"));
        }
        assert!(NAMES.with(|names| names.borrow().len()) <= CAPACITY);
        assert_eq!(intern("name-5000"), "name-5000");
    }
}
