//! Several instances, by name.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use obs_core::{Error, Str};
use obs_pipeline::Report;

use crate::{Observability, Recorder};

/// Instances by name, one of them the default: one for each tenant, or for each component of an application.
///
/// Instances share nothing: each has its destinations, its threads, its memory and its sampling, so one can be swapped
/// or shut down while the others go on.
/// [`Self::global`] serves code that is given no instance, such as `#[observe]`; a registry can as well be a value that
/// is handed on, as tests want it.
///
/// ```
/// use std::time::Duration;
///
/// use obs_instrument::{Observability, Registry};
/// # use obs_testkit::Scripted;
/// # fn main() -> Result<(), obs_instrument::core::Error> {
/// # let (acme_exporter, globex_exporter) = (Scripted::new([]), Scripted::new([]));
///
/// let tenants = Registry::new();
/// tenants.register("acme", Observability::builder("shop").to(acme_exporter).build()?)?;
/// tenants.register("globex", Observability::builder("shop").to(globex_exporter).build()?)?;
///
/// if let Some(obs) = tenants.get("acme") {
///     obs.agent_run("answer").end();
/// }
/// assert!(tenants.shutdown("acme", Duration::from_secs(5)).is_some_and(|report| report.complete));
/// assert!(tenants.get("globex").is_some_and(|obs| obs.span("still recorded").is_recording()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Registry {
    /// Instances leave it before they are dropped: the drop of a last handle delivers, which may take seconds.
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    instances: BTreeMap<Str, Observability>,
    default: Option<Str>,
}

impl Registry {
    /// One without instances.
    pub const fn new() -> Self {
        Self { held: RwLock::new(Held { instances: BTreeMap::new(), default: None }) }
    }

    /// The one of the process.
    ///
    /// A static is never dropped, so nothing flushes its instances at the end of `main` but [`Self::shutdown_all`], or a
    /// guard of each.
    pub fn global() -> &'static Self {
        static GLOBAL: Registry = Registry::new();
        &GLOBAL
    }

    /// Adds an instance; it becomes the default if there is none.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn register(&self, name: impl Into<Str>, obs: Observability) -> Result<(), Error> {
        let name = name.into();
        let mut held = self.write();
        if held.instances.contains_key(&name) {
            drop(held);
            let message = format!("`{name}` is registered already; swap it, or take another name");
            return Err(Error::config("registry", message));
        }
        held.insert(name, obs);
        Ok(())
    }

    /// Puts an instance in the place of another, which it gives back; without one there it is as [`Self::register`].
    ///
    /// Spans that are open in the former instance end there: shut it down, or drop it, when they have.
    #[must_use = "the former instance is shut down when its last handle is dropped"]
    pub fn swap(&self, name: impl Into<Str>, obs: Observability) -> Option<Observability> {
        self.write().insert(name.into(), obs)
    }

    /// Makes an instance the default.
    ///
    /// # Errors
    /// If none has this name.
    pub fn set_default(&self, name: &str) -> Result<(), Error> {
        let mut held = self.write();
        let Some((known, _)) = held.instances.get_key_value(name) else {
            drop(held);
            // Without the names there are: they are tenants, and this one may be what a user wrote.
            let message =
                format!("no instance is called `{name}`; register it first, or take one of `names()`");
            return Err(Error::config("registry", message));
        };
        held.default = Some(known.clone());
        Ok(())
    }

    /// The instance of this name.
    pub fn get(&self, name: &str) -> Option<Observability> {
        self.read().instances.get(name).cloned()
    }

    /// The default: the first that was registered, unless set otherwise; none while there is none.
    pub fn default_instance(&self) -> Option<Observability> {
        let held = self.read();
        held.instances.get(held.default.as_ref()?).cloned()
    }

    /// What a bridge records with: the instance of this name, or the default one.
    ///
    /// It keeps no instance alive, so that one which is taken out meanwhile is not shut down by who only looked.
    pub fn recorder(&self, name: Option<&str>) -> Option<Recorder> {
        let held = self.read();
        let name = name.or(held.default.as_deref())?;
        held.instances.get(name).map(Observability::recorder)
    }

    /// The default's name.
    pub fn default_name(&self) -> Option<Str> {
        self.read().default.clone()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<Str> {
        self.read().instances.keys().cloned().collect()
    }

    /// Takes an instance out and gives it back, still running.
    ///
    /// If it was the default, there is none until one is set or the next is registered: no other tenant's instance
    /// takes its place unasked.
    #[must_use = "the instance is shut down when its last handle is dropped"]
    pub fn remove(&self, name: &str) -> Option<Observability> {
        self.write().remove(name)
    }

    /// Takes an instance out and shuts it down within this deadline, whoever else holds it; the others go on meanwhile.
    ///
    /// What judgements still wait for when the time is up is not waited for: they go out with what is known.
    ///
    /// `None` if none has this name.
    pub fn shutdown(&self, name: &str, deadline: Duration) -> Option<Report> {
        let obs = self.remove(name)?;
        Some(obs.shutdown(deadline))
    }

    /// Takes all instances out and shuts them down side by side, within one deadline for all of them.
    pub fn shutdown_all(&self, deadline: Duration) -> Vec<(Str, Report)> {
        let instances = std::mem::take(&mut *self.write()).instances;
        std::thread::scope(|scope| {
            let begun: Vec<_> = instances
                .into_iter()
                .map(|(name, obs)| {
                    let other = obs.clone();
                    let thread = std::thread::Builder::new().name("obs-shutdown".into());
                    (name, obs, thread.spawn_scoped(scope, move || other.shutdown(deadline)))
                })
                .collect();
            let end = |(name, obs, thread): (_, Observability, std::io::Result<_>)| {
                // Without a thread it is done here; a shutdown that was done already only reports.
                let report =
                    thread.ok().and_then(|thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().ok());
                (name, report.unwrap_or_else(|| obs.shutdown(deadline)))
            };
            begun.into_iter().map(end).collect()
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Held {
    fn insert(&mut self, name: Str, obs: Observability) -> Option<Observability> {
        if self.default.is_none() {
            self.default = Some(name.clone());
        }
        self.instances.insert(name, obs)
    }

    fn remove(&mut self, name: &str) -> Option<Observability> {
        if self.default.as_ref().is_some_and(|default| *default == *name) {
            self.default = None;
        }
        self.instances.remove(name)
    }
}
