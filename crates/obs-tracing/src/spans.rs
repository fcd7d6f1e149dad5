//! What a span of the registry holds for the layers that record it.

use crate::open::Open;

/// What layers keep with a span of the registry: usually there is one of them, and no list is needed.
#[derive(Debug)]
pub(crate) struct Spans {
    first: Option<(u64, Open)>,
    more: Vec<(u64, Open)>,
}

impl Spans {
    pub(crate) fn of(layer: u64, open: Open) -> Self {
        Self { first: Some((layer, open)), more: Vec::new() }
    }

    pub(crate) fn put(&mut self, layer: u64, open: Open) {
        match &mut self.first {
            Some(_) => self.more.push((layer, open)),
            first => *first = Some((layer, open)),
        }
    }

    /// Of all layers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Open> {
        self.first.iter().chain(&self.more).map(|(_, open)| open)
    }

    pub(crate) fn get(&self, layer: u64) -> Option<&Open> {
        let mut all = self.first.iter().chain(&self.more);
        all.find(|(own, _)| *own == layer).map(|(_, open)| open)
    }

    pub(crate) fn get_mut(&mut self, layer: u64) -> Option<&mut Open> {
        let mut all = self.first.iter_mut().chain(&mut self.more);
        all.find(|(own, _)| *own == layer).map(|(_, open)| open)
    }

    pub(crate) fn take(&mut self, layer: u64) -> Option<Open> {
        if let Some((_, open)) = self.first.take_if(|(own, _)| *own == layer) {
            return Some(open);
        }
        let at = self.more.iter().position(|(own, _)| *own == layer)?;
        Some(self.more.swap_remove(at).1)
    }
}
