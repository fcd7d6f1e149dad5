//! How much an open span may gather.

use obs_core::{Attributes, Span};

/// The names of the attributes by which a span says how much was left out of it; absent where nothing was.
pub mod left_out {
    /// Attributes; of an event or a link, too.
    pub const ATTRIBUTES: &str = "otel.dropped_attributes_count";
    /// Events.
    pub const EVENTS: &str = "otel.dropped_events_count";
    /// Links.
    pub const LINKS: &str = "otel.dropped_links_count";
    /// Decisions of an agent, results of a memory, chunks of a retrieval.
    pub const ITEMS: &str = "obs.dropped_items_count";
}

/// How much a span may gather while it is open, so that one which is open for days does not grow without end.
///
/// The first ones are kept; how many more there were is told by the attributes that [`left_out`] names.
/// An attribute that the span has already can always be given another value.
/// Sizes of single texts are none of its concern.
///
/// ```
/// # use obs_instrument::Observability;
/// use obs_instrument::SpanLimits;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let exporter = obs_testkit::Scripted::new([]);
/// let limits = SpanLimits::default().with_events(10_000);
/// let obs = Observability::builder("crawler").span_limits(limits).to(exporter).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimits {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) nested: u32,
    pub(crate) items: u32,
}

impl Default for SpanLimits {
    /// 128 links, and 128 attributes an event or link, as OpenTelemetry has them; more of what runs of agents gather in
    /// their hours: 256 attributes, 1,024 events, and 1,024 decisions, results or chunks.
    fn default() -> Self {
        Self { attributes: 256, events: 1_024, links: 128, nested: 128, items: 1_024 }
    }
}

impl SpanLimits {
    /// No limits, for spans that are known to end soon.
    pub const NONE: Self =
        Self { attributes: u32::MAX, events: u32::MAX, links: u32::MAX, nested: u32::MAX, items: u32::MAX };

    /// The most attributes of a span; 256 unless set.
    #[must_use]
    pub const fn with_attributes(mut self, most: u32) -> Self {
        self.attributes = most;
        self
    }

    /// The most events of a span; 1,024 unless set.
    #[must_use]
    pub const fn with_events(mut self, most: u32) -> Self {
        self.events = most;
        self
    }

    /// The most links of a span; 128 unless set.
    #[must_use]
    pub const fn with_links(mut self, most: u32) -> Self {
        self.links = most;
        self
    }

    /// The most attributes of an event, and of a link; 128 unless set.
    #[must_use]
    pub const fn with_nested_attributes(mut self, most: u32) -> Self {
        self.nested = most;
        self
    }

    /// The most decisions of an agent's run, results of a memory lookup, chunks of a retrieval; 1,024 of each unless set.
    #[must_use]
    pub const fn with_items(mut self, most: u32) -> Self {
        self.items = most;
        self
    }

    /// Cuts the attributes of an event or a link, and says so among them, with what was left out of them before.
    pub(crate) fn cut_nested(&self, attributes: &mut Attributes) {
        if attributes.len() <= self.nested as usize {
            return;
        }
        let before = attributes.remove(left_out::ATTRIBUTES).and_then(|count| count.as_i64());
        let before = before.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let cut = cut(attributes, self.nested).saturating_add(before);
        if cut > 0 {
            attributes.push(left_out::ATTRIBUTES, cut);
        }
    }
}

/// Cuts attributes to the first so many; gives how many were cut.
pub(crate) fn cut(attributes: &mut Attributes, most: u32) -> u32 {
    let more = attributes.len().saturating_sub(most as usize);
    if more > 0 {
        attributes.truncate(most as usize);
    }
    u32::try_from(more).unwrap_or(u32::MAX)
}

/// Cuts items to the first so many; gives how many were cut.
pub(crate) fn cut_items<T>(items: &mut Vec<T>, most: u32) -> u32 {
    let more = items.len().saturating_sub(most as usize);
    items.truncate(most as usize);
    u32::try_from(more).unwrap_or(u32::MAX)
}

/// How much was left out of an open span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LeftOut {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) items: u32,
}

impl LeftOut {
    /// What somebody else has left out.
    pub(crate) fn add(&mut self, attributes: usize, events: usize, links: usize) {
        let sum = |count: &mut u32, more: usize| {
            *count = count.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        };
        sum(&mut self.attributes, attributes);
        sum(&mut self.events, events);
        sum(&mut self.links, links);
    }

    /// Says it as attributes of the span, if anything was.
    #[inline]
    pub(crate) fn tell(self, span: &mut Span) {
        if self != Self::default() {
            self.tell_some(span);
        }
    }

    #[cold]
    fn tell_some(self, span: &mut Span) {
        let counts = [
            (left_out::ATTRIBUTES, self.attributes),
            (left_out::EVENTS, self.events),
            (left_out::LINKS, self.links),
            (left_out::ITEMS, self.items),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            span.attributes.insert(name, count);
        }
    }
}
