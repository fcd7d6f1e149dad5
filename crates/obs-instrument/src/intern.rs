//! Names that come again and again.

use std::cell::RefCell;

use obs_core::Str;
use rustc_hash::FxHashSet;

/// The most names a thread keeps; beyond, names are copied each time.
const CAPACITY: usize = 1024;

/// The longest name that is kept, in bytes; model and provider names are far shorter.
const MAX_LEN: usize = 128;

/// How many names are found without hashing them: more than an application calls at a time.
const RECENT: usize = 64;

/// The names that a thread knows.
struct Names {
    all: FxHashSet<Str>,
    /// The latest names, each where its length and ends say.
    recent: [Str; RECENT],
}

thread_local! {
    static NAMES: RefCell<Names> =
        RefCell::new(Names { all: FxHashSet::default(), recent: [const { Str::EMPTY }; RECENT] });
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
#[inline]
pub fn intern(name: &str) -> Str {
    if name.len() > MAX_LEN {
        return Str::copied(name);
    }
    let place = place(name);
    let known = NAMES.try_with(|names| {
        let mut names = names.borrow_mut();
        if names.recent[place] != *name {
            names.recent[place] = look_up(&mut names.all, name);
        }
        names.recent[place].clone()
    });
    known.unwrap_or_else(|_| Str::copied(name))
}

/// Where a name stands among the recent ones.
#[inline]
fn place(name: &str) -> usize {
    let [first, .., last] = name.as_bytes() else { return name.len() };
    let middle = name.as_bytes()[name.len() / 2];
    let mixed = usize::from(*first) ^ usize::from(*last) << 1 ^ usize::from(middle) << 2 ^ name.len() << 3;
    mixed % RECENT
}

#[cold]
fn look_up(all: &mut FxHashSet<Str>, name: &str) -> Str {
    if let Some(known) = all.get(name) {
        return known.clone();
    }
    let new = Str::copied(name);
    if all.len() < CAPACITY {
        all.insert(new.clone());
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_bounded() {
        for at in 0..CAPACITY * 2 {
            intern(&format!("name-{at}"));
        }
        let known = NAMES.with(|names| names.borrow().all.len());
        assert!(known <= CAPACITY, "{known}");
        assert_eq!(intern("name-5000"), "name-5000");
        let long = "x".repeat(MAX_LEN + 1);
        assert!(!intern(&long).ptr_eq(&intern(&long)));
        assert_eq!(NAMES.with(|names| names.borrow().all.len()), known, "too long to keep");
    }

    #[test]
    fn names_that_share_a_place_are_told_apart() {
        let names = ["", "a", "ab", "gpt-4o", "gpt-5o", "gpt-4o-mini", "claude", "clause"];
        for name in names.iter().chain(names.iter().rev()) {
            assert_eq!(intern(name), **name);
            let elsewhere = String::from(*name);
            assert!(intern(name).ptr_eq(&intern(&elsewhere)));
        }
        for at in 0..10_000 {
            let name = format!("{at}");
            assert_eq!(intern(&name), *name);
        }
    }
}
