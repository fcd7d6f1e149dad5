//! What runs under a span.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use obs_core::Str;

use crate::begin::Recording;
use crate::{ActiveSpan, Context, Entered, Kind};

impl<T: Kind> ActiveSpan<T> {
    /// The context under which children, logs and scores attach to this span.
    ///
    /// Under a hidden span they attach to the nearest one that is visible.
    /// Where no destination takes more than metrics, it is the context above the span: the one it was started under by
    /// [`Observability::start`](crate::Observability::start), else the current one.
    pub fn context(&self) -> Context {
        match &self.state {
            Recording::Off => Context::current(),
            Recording::Through(above) => above.clone(),
            Recording::Unsampled(span) => span.context(),
            Recording::On(_) | Recording::Measured(_) => {
                self.kept().map_or(Context::NONE, |(span, open)| open.context(span))
            }
        }
    }

    /// The context of what runs under the span; `None` if the current one goes on, whichever that is then.
    pub(crate) fn ambient(&self) -> Option<Context> {
        (!matches!(self.state, Recording::Off)).then(|| self.context())
    }

    /// The same for a future that the span ends with: dropped before, it takes the span along, which then says so.
    pub(crate) fn awaited(&self) -> Option<Context> {
        if let Some((_, open)) = self.kept() {
            open.awaited.store(true, Ordering::Relaxed);
        }
        self.ambient()
    }

    /// Makes this the thread's current span until the guard is dropped; for futures use [`FutureExt`](crate::FutureExt).
    ///
    /// A span that records nothing leaves the current one as it is; so it is with [`Self::scope`].
    #[must_use = "the span is left when the guard is dropped"]
    pub fn enter(&self) -> Entered {
        self.ambient().map_or_else(Entered::nothing, |context| context.enter())
    }

    /// Runs a function with this as the current span.
    pub fn scope<R>(&self, run: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        run()
    }

    /// Starts a span under this one, whatever span is current.
    ///
    /// ```
    /// use obs_instrument::core::LlmGeneration;
    /// # use obs_instrument::Observability;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let obs = Observability::builder("bot").to(obs_testkit::Scripted::new([])).build()?;
    /// let run = obs.agent_run("answer");
    /// let mut call = run.child::<LlmGeneration>("chat");
    /// call.model("gpt-4o");
    /// # Ok(())
    /// # }
    /// ```
    pub fn child<C: Kind>(&self, name: impl Into<Str>) -> ActiveSpan<C> {
        let context = match &self.state {
            Recording::Off => return ActiveSpan::noop(),
            Recording::Through(above) => {
                return ActiveSpan { state: Recording::Through(above.clone()), kind: PhantomData };
            }
            _ => self.context(),
        };
        match context.instance().map(Arc::clone) {
            Some(instance) => ActiveSpan::start(&instance, name, || context, C::default),
            None => ActiveSpan::noop(),
        }
    }
}
