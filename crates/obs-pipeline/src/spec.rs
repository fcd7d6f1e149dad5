//! A destination as the builder knows it.

use std::fmt;
use std::sync::Arc;

use obs_core::{DeadLetters, Exporter};

use crate::timeout::TimedLetters;
use crate::{Alert, Clock, LaneConfig, Route};

/// A destination: an exporter, and all that stands before it.
///
/// ```
/// use std::sync::Arc;
/// use obs_pipeline::{DestinationSpec, LaneConfig, Pipeline};
/// use obs_testkit::Scripted;
///
/// let exporter = Scripted::new([]);
/// let spec = DestinationSpec::new(exporter)
///     .with_config(LaneConfig { batch_size: Some(100), ..LaneConfig::DEFAULT })
///     .with_fallback("second", Scripted::new([]));
/// let pipeline = Pipeline::builder().to_named("first", spec).build()?;
/// # Ok::<(), obs_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DestinationSpec {
    pub(crate) name: Box<str>,
    pub(crate) exporter: Arc<dyn Exporter>,
    pub(crate) config: LaneConfig,
    pub(crate) route: Option<Route>,
    pub(crate) fallbacks: Vec<(Box<str>, Arc<dyn Exporter>)>,
    pub(crate) dead_letters: Option<Arc<dyn DeadLetters>>,
    pub(crate) on_alert: Option<OnAlert>,
}

/// Called with an alert.
#[derive(Clone)]
pub(crate) struct OnAlert(pub(crate) Arc<dyn Fn(&Alert) + Send + Sync>);

impl fmt::Debug for OnAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnAlert")
    }
}

impl<E: Exporter> From<E> for DestinationSpec {
    fn from(exporter: E) -> Self {
        Self::new(exporter)
    }
}

impl DestinationSpec {
    /// An exporter with the default lane, named after its kind.
    pub fn new(exporter: impl Exporter) -> Self {
        Self {
            name: exporter.descriptor().kind().into(),
            exporter: Arc::new(exporter),
            config: LaneConfig::DEFAULT,
            route: None,
            fallbacks: Vec::new(),
            dead_letters: None,
            on_alert: None,
        }
    }

    /// Gives it a name of its own, which ledgers, queues, health and messages use.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Has its lanes work like this.
    #[must_use]
    pub fn with_config(mut self, config: LaneConfig) -> Self {
        self.config = config;
        self
    }

    /// Gives it the records that the route lets through, and no others.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.route = Some(route);
        self
    }

    /// Has another exporter take the records while this one is out; those that come later are asked after those before.
    ///
    /// The name is unique in the pipeline, since a fallback has a ledger of its own.
    #[must_use]
    pub fn with_fallback(mut self, name: impl Into<Box<str>>, exporter: impl Exporter) -> Self {
        self.fallbacks.push((name.into(), Arc::new(exporter)));
        self
    }

    /// Keeps what the backend rejects for good, and what grows too old or finds no room.
    #[must_use]
    pub fn with_dead_letters(mut self, dead_letters: impl DeadLetters) -> Self {
        self.dead_letters = Some(Arc::new(dead_letters));
        self
    }

    /// The dead letters, which may take no longer than an export.
    pub(crate) fn timed_letters(&self, clock: &Clock) -> Option<Arc<dyn DeadLetters>> {
        let inner = Arc::clone(self.dead_letters.as_ref()?);
        let limit = self.config.export_timeout;
        Some(Arc::new(TimedLetters { inner, limit, clock: clock.clone() }))
    }

    /// Calls the function when a number passes its threshold; see [`crate::AlertThresholds`].
    ///
    /// It runs on the destination's thread; a panic in it is caught.
    #[must_use]
    pub fn on_alert(mut self, tell: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        self.on_alert = Some(OnAlert(Arc::new(tell)));
        self
    }
}
