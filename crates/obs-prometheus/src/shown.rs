//! What readers are shown: the table, and the user's own registry beside it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::registry::Registry;

use crate::foreign::{self, Foreign};
use crate::naming::Naming;
use crate::page::Page;
use crate::table::{Change, Table};
use crate::wire::{Format, write};

/// The most different things that are told once each.
const MOST_TOLD: usize = 1_000;

/// The table and all that its text depends on; shared with whoever serves it.
pub(crate) struct Shown {
    naming: Naming,
    target_info: bool,
    table: Mutex<Table>,
    registry: Mutex<Option<Arc<Registry>>>,
    /// What was told already.
    told: Mutex<BTreeSet<String>>,
}

/// A page in the format that its reader asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The text.
    pub body: String,
}

impl Shown {
    pub(crate) fn new(naming: Naming, target_info: bool) -> Self {
        let table = Mutex::new(Table::new(target_info));
        Self { naming, target_info, table, registry: Mutex::default(), told: Mutex::default() }
    }

    pub(crate) fn table(&self) -> Table {
        lock(&self.table).clone()
    }

    pub(crate) fn set_table(&self, table: Table) {
        *lock(&self.table) = table;
    }

    pub(crate) fn set_registry(&self, registry: Arc<Registry>) {
        *lock(&self.registry) = Some(registry);
    }

    /// Puts changes into the table that is shown; those that do not go in come back with their place and the reason.
    pub(crate) fn apply(&self, changes: Vec<Change>) -> Vec<(usize, Box<str>)> {
        let refused = self.apply_to(&mut lock(&self.table), changes);
        self.tell(&refused);
        refused
    }

    /// The same for another table, and nothing is told.
    pub(crate) fn apply_to(&self, table: &mut Table, changes: Vec<Change>) -> Vec<(usize, Box<str>)> {
        let apply = |(at, change)| table.apply(&self.naming, change).err().map(|reason| (at, reason));
        changes.into_iter().enumerate().filter_map(apply).collect()
    }

    /// Tells what does not go in, once each; never while the table is held, since whoever listens may want it.
    pub(crate) fn tell(&self, refused: &[(usize, Box<str>)]) {
        for (_, reason) in refused {
            if self.is_news(reason) {
                tracing::warn!(target: "obs::prometheus", "a metric is not shown: {reason}");
            }
        }
    }

    /// The page as it stands.
    pub(crate) fn text(&self, format: Format) -> String {
        // The user's metrics are read before the table is held, since they may be slow.
        let registry = self.registry_text();
        let table = lock(&self.table);
        let (page, foreign) = (self.page(&table), foreign::families(&registry, &table));
        drop(table);
        self.write(&page, foreign, format)
    }

    /// The page of another table; `None` where there is nothing of ours on it.
    pub(crate) fn text_of(&self, table: &Table, format: Format) -> Option<String> {
        let page = self.page(table);
        let foreign = foreign::families(&self.registry_text(), table);
        (!page.families.is_empty()).then(|| self.write(&page, foreign, format))
    }

    fn page(&self, table: &Table) -> Page {
        Page::of(table, self.target_info)
    }

    fn registry_text(&self) -> String {
        let registry = lock(&self.registry).clone();
        registry.map(|registry| foreign::encoded(&registry)).unwrap_or_default()
    }

    fn write(&self, page: &Page, foreign: Foreign, format: Format) -> String {
        for what in &page.left_out {
            if self.is_news(what) {
                tracing::warn!(target: "obs::prometheus", "not shown with the others of its labels: {what}");
            }
        }
        for name in foreign.left_out {
            if self.is_news(&name) {
                tracing::warn!(target: "obs::prometheus", "the registry's {name} is not shown: its name is taken");
            }
        }
        write(page, &foreign.shown, format)
    }

    /// Whether this is to be told: once each.
    fn is_news(&self, what: &str) -> bool {
        let mut told = lock(&self.told);
        told.len() < MOST_TOLD && told.insert(what.to_owned())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("series", &lock(&self.table).series.len()).finish_non_exhaustive()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
