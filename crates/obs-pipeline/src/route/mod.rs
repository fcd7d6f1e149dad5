//! What a destination is given.

mod gate;
mod record;
mod window;

use std::fmt;
use std::sync::Arc;

use obs_core::{Error, Ratio, Signal, Signals, Span, SpanType, suggest};

use crate::guard::guarded;

pub use gate::{Gate, Matching, Selected};
pub use record::RecordRef;
pub use window::{Window, WindowStats};

type SpanFilter = Arc<dyn Fn(&Span) -> bool + Send + Sync>;
type When = Arc<dyn Fn(RecordRef<'_>) -> bool + Send + Sync>;
type WhenWindow = Arc<dyn Fn(&WindowStats) -> bool + Send + Sync>;

/// Which records a destination is given: those for which every condition holds, all of them by default.
///
/// A route is cheap to clone and keeps no state; what its windows have seen is kept by each destination for itself.
/// A predicate must depend on nothing but its argument, because several destinations may ask it about the same record.
///
/// ```
/// use std::time::Duration;
/// use obs_core::{Level, Signal, Signals};
/// use obs_pipeline::{RecordRef, Route, Window};
///
/// let slow = Route::new()
///     .with_description("High latency alerts")
///     .signals(Signals::NONE.with(Signal::Traces).with(Signal::Logs))
///     .when(|record| match record {
///         RecordRef::Log(log) => log.level >= Level::Warn,
///         _ => true,
///     })
///     .when_window(Window::over(Duration::from_mins(1)), |stats| stats.average > Duration::from_millis(100));
/// assert_eq!(slow.description(), Some("High latency alerts"));
/// ```
#[derive(Clone)]
pub struct Route {
    description: Option<Arc<str>>,
    signals: Signals,
    /// Bit `n` stands for the name at `n` of [`SpanType::NAMES`].
    span_types: u16,
    /// The types that are left out, in the same bits.
    excluded: u16,
    span_filters: Vec<SpanFilter>,
    sample: Option<Ratio>,
    when: Vec<When>,
    windows: Vec<(Window, WhenWindow)>,
}

const _: () = assert!(SpanType::NAMES.len() <= 16, "a bit for each span type");

impl Route {
    /// Everything.
    pub fn new() -> Self {
        Self {
            description: None,
            signals: Signals::ALL,
            span_types: u16::MAX,
            excluded: 0,
            span_filters: Vec::new(),
            sample: None,
            when: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// Says what it is for; reports count what it filters under this.
    #[must_use]
    pub fn with_description(self, description: impl Into<Arc<str>>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Only records of these signals.
    ///
    /// Given twice, a record must be in both sets.
    #[must_use]
    pub fn signals(self, signals: Signals) -> Self {
        Self { signals: Signals::from_bits(self.signals.bits() & signals.bits()), ..self }
    }

    /// Only spans of these types, by [`SpanType::name`]; records of other signals pass, since they have no type.
    ///
    /// This is a strict choice: a root of another type is not for this destination, either.
    /// To leave the noise out of traces that stay whole at their top, see [`Route::exclude_span_types`].
    /// Given twice, a span must be in both sets.
    ///
    /// # Errors
    /// If there is no type of that name; the nearest one is told.
    pub fn span_types<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let wanted = bits("route.span_types", names)?;
        Ok(Self { span_types: self.span_types & wanted, ..self })
    }

    /// No spans of these types, by [`SpanType::name`], but for those that a trace needs: its root, the first span of a trace from
    /// another process, and spans that were scored or given feedback while they were open always pass.
    ///
    /// The other spans keep their ids: children of one that is left out name a parent that this destination does not have.
    /// Where no destination is to have a type, exclude it where spans are made, so that its children take its place.
    /// Given twice, neither set is let through.
    ///
    /// ```
    /// # use obs_pipeline::Route;
    /// let without_noise = Route::new().exclude_span_types(["memory_lookup", "embedding"])?;
    /// let error = Route::new().exclude_span_types(["embeding"]).unwrap_err();
    /// assert!(error.to_string().contains("did you mean `embedding`"));
    /// # Ok::<(), obs_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no type of that name; the nearest one is told.
    pub fn exclude_span_types<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let excluded = bits("route.exclude_span_types", names)?;
        Ok(Self { excluded: self.excluded | excluded, ..self })
    }

    /// Only spans for which this holds, and those that a trace needs, as with [`Route::exclude_span_types`]: it is not asked
    /// about them.
    ///
    /// A filter that panics keeps the span: it leaves out what is too much, and what it cannot judge is not that.
    /// [`Route::when`] is the strict kind, for records of every signal.
    #[must_use]
    pub fn span_filter(mut self, keeps: impl Fn(&Span) -> bool + Send + Sync + 'static) -> Self {
        self.span_filters.push(Arc::new(keeps));
        self
    }

    /// Only records for which this holds.
    #[must_use]
    pub fn when(mut self, holds: impl Fn(RecordRef<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.when.push(Arc::new(holds));
        self
    }

    /// Only while this holds for the window.
    ///
    /// The window is over the spans that pass the pipeline, whether or not this destination takes them.
    /// The condition is asked once for a segment of records, after the window has seen it: so the segment that tips the
    /// condition over is already routed by its new state.
    #[must_use]
    pub fn when_window(
        mut self,
        window: Window,
        holds: impl Fn(&WindowStats) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.windows.push((window, Arc::new(holds)));
        self
    }

    /// Only a share of the traces, the same at every destination and of every signal.
    ///
    /// Scores and feedback follow the trace they speak of; records without a trace pass, and so do metrics, because a
    /// count over a part of the traces is wrong.
    #[must_use]
    pub fn sample(self, share: Ratio) -> Self {
        Self { sample: Some(share), ..self }
    }

    /// What it is for.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The signals that its conditions are about, besides those that the destination takes.
    pub fn needs(&self) -> Signals {
        if self.windows.is_empty() { Signals::NONE } else { [Signal::Traces].into_iter().collect() }
    }

    /// Whether records of a signal may pass at all.
    pub fn takes(&self, signal: Signal) -> bool {
        self.signals.contains(signal)
    }

    /// Whether nothing is held back.
    fn is_open(&self) -> bool {
        self.signals == Signals::ALL
            && self.span_types == u16::MAX
            && self.excluded == 0
            && self.span_filters.is_empty()
            && self.sample.is_none()
            && self.when.is_empty()
            && self.windows.is_empty()
    }

    /// Whether all holds that needs no foreign code.
    fn admits(&self, record: RecordRef<'_>) -> bool {
        let typed = match record {
            RecordRef::Span(record) => self.admits_type(record.span()),
            _ => true,
        };
        let sampled = || match (self.sample, record.trace_id()) {
            (Some(share), Some(trace_id)) => share.takes(trace_id),
            _ => true,
        };
        self.takes(record.signal()) && typed && sampled()
    }

    fn admits_type(&self, span: &Span) -> bool {
        if self.span_types == u16::MAX && self.excluded == 0 {
            return true;
        }
        let at = SpanType::NAMES.iter().position(|name| *name == span.span_type.name());
        let bit = at.map_or(0, |at| 1 << at);
        self.span_types & bit != 0 && (self.excluded & bit == 0 || is_needed(span))
    }

    /// Whether the filters on spans let the record through.
    fn keeps(&self, record: RecordRef<'_>) -> bool {
        let RecordRef::Span(record) = record else { return true };
        let span = record.span();
        self.span_filters.is_empty()
            || is_needed(span)
            || self.span_filters.iter().all(|keeps| guarded(|| keeps(span)).unwrap_or(true))
    }
}

/// Whether a trace is not whole without the span: its root, or what scores and feedback speak of.
fn is_needed(span: &Span) -> bool {
    span.is_root() || span.remote_parent || span.judged
}

/// The bits of span types.
fn bits<'a>(place: &str, names: impl IntoIterator<Item = &'a str>) -> Result<u16, Error> {
    let mut bits = 0;
    for name in names {
        let at = SpanType::NAMES.iter().position(|known| *known == name);
        bits |= 1 << at.ok_or_else(|| Error::config(place, unknown(name)))?;
    }
    Ok(bits)
}

fn unknown(name: &str) -> String {
    let hint = suggest::nearest(name, SpanType::NAMES);
    let hint = hint.map(|known| format!(", did you mean `{known}`")).unwrap_or_default();
    format!("there is no span type `{name}`{hint}; known are {}", SpanType::NAMES.join(", "))
}

impl Default for Route {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let windows: Vec<_> = self.windows.iter().map(|(window, _)| window).collect();
        let named = |bits: u16| -> Vec<_> {
            let in_bits = SpanType::NAMES.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0);
            in_bits.map(|(_, name)| *name).collect()
        };
        f.debug_struct("Route")
            .field("description", &self.description)
            .field("signals", &self.signals)
            .field("span_types", &named(self.span_types))
            .field("excluded", &named(self.excluded))
            .field("span_filters", &self.span_filters.len())
            .field("sample", &self.sample)
            .field("predicates", &self.when.len())
            .field("windows", &windows)
            .finish()
    }
}
