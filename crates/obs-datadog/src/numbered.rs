//! Names for what may not keep its own.

use std::collections::HashMap;

/// Numbers names that are taken, and tries none twice: strangers may give one name as often as they like.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// From which number on a name is tried.
    next: HashMap<String, usize>,
}

impl Numbered {
    /// The name itself, or with the first number that is free: `a`, `a.2`, `a.3`.
    pub(crate) fn free(&mut self, name: &str, is_taken: impl Fn(&str) -> bool) -> String {
        let next = self.next.entry(name.to_owned()).or_insert(1);
        loop {
            let numbered = if *next == 1 { name.to_owned() } else { format!("{name}.{next}") };
            *next += 1;
            if !is_taken(&numbered) {
                return numbered;
            }
        }
    }
}
