//! Each of the nine laws has a test that carries its name, and the page of the laws names them.

use crate::laws::check;
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "laws", check };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[test]
    fn every_law_has_its_tests() {
        holds_here(RULE);
    }

    #[test]
    fn a_page_that_is_not_there_is_found() {
        assert_eq!(places(RULE, &files(&[])), ["docs/architecture.md:1 missing"]);
    }
}
