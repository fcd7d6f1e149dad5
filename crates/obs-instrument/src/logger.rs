//! Log records.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use obs_core::{Attributes, ErrorInfo, Level, Log, Payload, Resource, Scope, Str, Value};
use obs_pipeline::Intake;

use crate::instance::Instance;
use crate::{Context, Observability};

/// The least level that is recorded, changed while it runs.
#[derive(Debug)]
pub(crate) struct Threshold(AtomicU8);

impl Threshold {
    /// In a logger: the instance's stands.
    const INHERITED: u8 = u8::MAX;

    pub(crate) const fn new(least: Level) -> Self {
        Self(AtomicU8::new(least as u8))
    }

    pub(crate) fn set(&self, least: Level) {
        self.0.store(least as u8, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn lets(&self, level: Level) -> bool {
        level as u8 >= self.0.load(Ordering::Relaxed)
    }

    /// As [`Self::lets`], where nothing was set by what the other one says.
    #[inline]
    fn lets_or(&self, level: Level, otherwise: &Self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            Self::INHERITED => otherwise.lets(level),
            least => level as u8 >= least,
        }
    }
}

/// A log record under way; it is recorded when it is dropped.
///
/// Below the minimum level, under a trace that is not recorded, and where no destination takes logs, every method does
/// nothing, and closures are not called.
#[derive(Debug)]
pub struct LogBuilder<'a> {
    intake: Option<Cow<'a, Intake>>,
    log: Option<Log>,
}

impl<'a> LogBuilder<'a> {
    pub(crate) const fn noop() -> Self {
        Self { intake: None, log: None }
    }

    /// A record under a context, of a level that was let through.
    #[inline]
    pub(crate) fn new<M: Into<Str>>(
        instance: &'a Instance,
        resource: &Arc<Resource>,
        level: Level,
        message: impl FnOnce() -> M,
        context: &Context,
    ) -> Self {
        if context.is_unsampled() && !instance.takes_unsampled_log(level) {
            return Self::noop();
        }
        let intake = instance.intake();
        let trace = Arc::clone(context.trace_context_within(intake).unwrap_or(instance.trace_context()));
        let mut log = Log::new_in(intake.clock().now(), level, message(), trace, Arc::clone(resource));
        log.span = context.reference();
        Self { intake: Some(Cow::Borrowed(intake)), log: Some(log) }
    }

    /// A record of a span that is not recorded, which holds no instance.
    #[cold]
    pub(crate) fn of_unsampled(context: &Context, level: Level, message: impl Into<Str>) -> Self {
        let Some(instance) = context.instance().filter(|instance| instance.takes_log(level)) else {
            return Self::noop();
        };
        let mut lent = LogBuilder::new(instance, instance.resource(), level, || message, context);
        Self { intake: lent.intake.as_deref().cloned().map(Cow::Owned), log: lent.log.take() }
    }

    /// Whether it will be recorded.
    pub fn is_recording(&self) -> bool {
        self.log.is_some()
    }

    #[inline]
    fn change(&mut self, change: impl FnOnce(&mut Log)) -> &mut Self {
        if let Some(log) = &mut self.log {
            change(log);
        }
        self
    }

    /// Adds a structured field.
    #[inline]
    pub fn with(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
        self.change(|log| log.attributes.push(key, value))
    }

    /// Adds structured fields; not called when not recording.
    pub fn attributes(&mut self, set: impl FnOnce(&mut Attributes)) -> &mut Self {
        self.change(|log| set(&mut log.attributes))
    }

    /// Attaches a document.
    pub fn data(&mut self, data: impl Into<Payload>) -> &mut Self {
        self.change(|log| log.data = Some(data.into()))
    }

    /// Attaches a document; not called when not recording.
    pub fn data_with<P: Into<Payload>>(&mut self, data: impl FnOnce() -> P) -> &mut Self {
        self.change(|log| log.data = Some(data().into()))
    }

    /// Names the event that the record is.
    pub fn event_name(&mut self, name: impl Into<Str>) -> &mut Self {
        self.change(|log| log.event_name = Some(name.into()))
    }

    /// Attaches an error: its type, its message and those of its sources, as the fields that OpenTelemetry has for
    /// exceptions.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        self.change(|log| {
            let ErrorInfo { error_type, message, sources, .. } = ErrorInfo::of(error);
            if let Some(error_type) = error_type {
                log.attributes.push("exception.type", error_type);
            }
            log.attributes.push("exception.message", message);
            if !sources.is_empty() {
                let told: Vec<_> = sources.iter().map(|source| format!("caused by: {source}")).collect();
                log.attributes.push("exception.stacktrace", told.join("\n"));
            }
        })
    }
}

impl Drop for LogBuilder<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(intake) = &self.intake {
            intake.take_log(&mut self.log);
        }
    }
}

macro_rules! levels {
    () => {
        levels! {
            debug: Debug, "what helps to debug";
            info: Info, "normal operation";
            warn: Warn, "something odd";
            error: Error, "something that failed";
            fatal: Fatal, "why the application cannot go on";
        }

        /// A record under the current context; it is recorded when the builder is dropped.
        #[inline]
        pub fn log(&self, level: Level, message: impl Into<Str>) -> LogBuilder<'_> {
            self.log_with(level, || message)
        }
    };
    ($($name:ident: $level:ident, $what:literal;)+) => {
        $(
            #[doc = concat!("A record of ", $what, ".")]
            pub fn $name(&self, message: impl Into<Str>) -> LogBuilder<'_> {
                self.log(Level::$level, message)
            }
        )+
    };
}

impl Observability {
    levels! {}

    /// A record whose message is made only if it is recorded.
    #[inline]
    pub fn log_with<M: Into<Str>>(&self, level: Level, message: impl FnOnce() -> M) -> LogBuilder<'_> {
        let instance = self.instance();
        if !instance.takes_log(level) {
            return LogBuilder::noop();
        }
        LogBuilder::new(instance, instance.resource(), level, message, &Context::current())
    }

    /// Whether a record of this level would be recorded now, under a sampled trace or none.
    pub fn is_level_enabled(&self, level: Level) -> bool {
        self.instance().takes_log(level)
    }

    /// Changes the least level that is recorded; see [`crate::ObservabilityBuilder::min_level`].
    pub fn set_min_level(&self, level: Level) {
        self.instance().min_level().set(level);
    }

    /// A logger for a component of the application, such as `billing` or `module_path!()`.
    ///
    /// Its name is the scope of its records, and it can have a minimum level of its own.
    pub fn logger(&self, component: impl Into<Str>) -> Logger {
        let instance = Arc::clone(self.instance());
        let mut resource = Resource::clone(instance.resource());
        resource.scope = Some(Scope { name: component.into(), ..Scope::default() });
        let min_level = Arc::new(Threshold(AtomicU8::new(Threshold::INHERITED)));
        Logger { instance, resource: Arc::new(resource), min_level }
    }
}

/// Makes the log records of one component.
///
/// Make it once and keep it; clones share its level, and it does not keep its instance alive.
///
/// ```
/// use obs_instrument::Observability;
/// use obs_instrument::core::Level;
/// # use obs_testkit::Scripted;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let exporter = Scripted::new([]);
/// let obs = Observability::builder("shop").to(exporter).min_level(Level::Info).build()?;
/// let billing = obs.logger("billing").with_min_level(Level::Debug);
/// billing.log_with(Level::Debug, || format!("{} prices loaded", 1 + 1)).with("source", "file");
/// let error = "x".parse::<u8>().unwrap_err();
/// billing.error("no price").event_name("billing.no_price").error(&error);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Logger {
    instance: Arc<Instance>,
    resource: Arc<Resource>,
    min_level: Arc<Threshold>,
}

impl Logger {
    levels! {}
    levels! { trace: Trace, "the finest detail"; }

    /// The least level of this logger and its clones, in place of the instance's.
    #[must_use]
    pub fn with_min_level(self, level: Level) -> Self {
        self.set_min_level(level);
        self
    }

    /// Changes the least level of this logger and its clones.
    pub fn set_min_level(&self, level: Level) {
        self.min_level.set(level);
    }

    /// Whether a record of this level would be recorded now, under a sampled trace or none.
    #[inline]
    pub fn is_level_enabled(&self, level: Level) -> bool {
        self.instance.wants_logs() && self.min_level.lets_or(level, self.instance.min_level())
    }

    /// A record whose message is made only if it is recorded.
    #[inline]
    pub fn log_with<M: Into<Str>>(&self, level: Level, message: impl FnOnce() -> M) -> LogBuilder<'_> {
        if !self.is_level_enabled(level) {
            return LogBuilder::noop();
        }
        LogBuilder::new(&self.instance, &self.resource, level, message, &Context::current())
    }
}
