//! What a destination is given.

mod gate;
mod record;
mod window;

use std::fmt;
use std::sync::Arc;

use obs_core::{Error, Ratio, Signal, Signals, SpanType, suggest};

pub use gate::{Gate, Matching, Selected};
pub use record::RecordRef;
pub use window::{Window, WindowStats};

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
    /// Given twice, a span must be in both sets.
    ///
    /// # Errors
    /// If there is no type of that name; the nearest one is told.
    pub fn span_types<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut wanted = 0;
        for name in names {
            let Some(at) = SpanType::NAMES.iter().position(|known| *known == name) else {
                return Err(Error::config("route.span_types", unknown(name)));
            };
            wanted |= 1 << at;
        }
        Ok(Self { span_types: self.span_types & wanted, ..self })
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
            && self.sample.is_none()
            && self.when.is_empty()
            && self.windows.is_empty()
    }

    /// Whether all holds that needs no foreign code.
    fn admits(&self, record: RecordRef<'_>) -> bool {
        let typed = match record {
            RecordRef::Span(record) => self.admits_type(&record.span().span_type),
            _ => true,
        };
        let sampled = || match (self.sample, record.trace_id()) {
            (Some(share), Some(trace_id)) => share.takes(trace_id),
            _ => true,
        };
        self.takes(record.signal()) && typed && sampled()
    }

    fn admits_type(&self, span_type: &SpanType) -> bool {
        let at = || SpanType::NAMES.iter().position(|name| *name == span_type.name());
        self.span_types == u16::MAX || at().is_some_and(|at| self.span_types & 1 << at != 0)
    }
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
        let named = SpanType::NAMES.iter().enumerate().filter(|(at, _)| self.span_types & 1 << at != 0);
        let span_types: Vec<_> = named.map(|(_, name)| *name).collect();
        f.debug_struct("Route")
            .field("description", &self.description)
            .field("signals", &self.signals)
            .field("span_types", &span_types)
            .field("sample", &self.sample)
            .field("predicates", &self.when.len())
            .field("windows", &windows)
            .finish()
    }
}
