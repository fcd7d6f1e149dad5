//! The layer: what `tracing` tells of spans.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use obs_core::{SpanType, Str};
use obs_instrument::pipeline::is_suppressed;
use obs_instrument::{Context, Observability, Recorder, Registry};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::look::{Look, Looking};
use crate::open::Open;
use crate::options::Options;
use crate::spans::Spans;
use crate::visit::{Gather, with_tellings};
use crate::{CodeAttributes, Events, Limits, plan};

/// A layer that records the spans and events of `tracing` with an instance of obs.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
/// # use obs_instrument::Observability;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let obs = Observability::builder("shop").to(obs_testkit::Scripted::new([])).build()?;
/// let subscriber = tracing_subscriber::registry().with(obs_tracing::layer(&obs));
/// tracing::subscriber::with_default(subscriber, || {
///     let _entered = tracing::info_span!("order", order.id = 7).entered();
///     tracing::info!(items = 3, "packed");
/// });
/// # Ok(())
/// # }
/// ```
pub struct ObsLayer {
    /// Tells layers apart that one registry has.
    id: u64,
    source: Source,
    pub(crate) options: Options,
}

/// Which instance records.
#[derive(Debug, Clone)]
enum Source {
    One(Recorder),
    /// The one of this name in the registry of the process.
    Registered(Str),
    /// The one of the current context, else the default one of the registry of the process.
    Current,
}

/// A layer that records with this instance; short for [`ObsLayer::new`].
pub fn layer(obs: &Observability) -> ObsLayer {
    ObsLayer::new(obs)
}

thread_local! {
    /// Whether this thread is inside a layer, where a sampler of the application may trace in turn.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs what belongs to obs; spans and events made by it are ignored.
pub(crate) fn inside<R>(run: impl FnOnce() -> R) -> R {
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = INSIDE.try_with(|inside| inside.set(self.0));
        }
    }
    let _leave = Leave(INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true));
    run()
}

impl ObsLayer {
    /// A layer that records with this instance.
    ///
    /// It keeps the instance's pipeline not alive: when the last handle of the application goes, what is recorded is
    /// delivered, however long the subscriber lives.
    pub fn new(obs: &Observability) -> Self {
        Self::of_source(Source::One(obs.recorder()))
    }

    /// A layer that records with whichever instance has this name in [`Registry::global`] at the time, and nothing while
    /// there is none.
    pub fn registered(name: impl Into<Str>) -> Self {
        Self::of_source(Source::Registered(name.into()))
    }

    /// A layer that records with the instance of the current context, so that tenants under one subscriber each have their
    /// own; outside of every context with the default one of [`Registry::global`].
    pub fn current() -> Self {
        Self::of_source(Source::Current)
    }

    fn of_source(source: Source) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Self { id: IDS.fetch_add(1, Ordering::Relaxed), source, options: Options::default() }
    }

    /// What records now, if anything does.
    pub(crate) fn recorder(&self) -> Option<Cow<'_, Recorder>> {
        match &self.source {
            Source::One(recorder) => Some(Cow::Borrowed(recorder)),
            Source::Registered(name) => Registry::global().recorder(Some(name)).map(Cow::Owned),
            Source::Current => {
                let of_context = Context::current().recorder();
                of_context.or_else(|| Registry::global().recorder(None)).map(Cow::Owned)
            }
        }
    }

    /// What events become; log records unless set.
    #[must_use]
    pub fn with_events(mut self, events: Events) -> Self {
        self.options.events = events;
        self
    }

    /// Whether an event of level `ERROR` marks the span it happened in as failed; it does unless set to false, as with
    /// `tracing-opentelemetry`, and as `#[instrument(err)]` needs it.
    #[must_use]
    pub fn with_errors_marking_spans(mut self, mark: bool) -> Self {
        self.options.errors_mark_spans = mark;
        self
    }

    /// Which attributes tell where in the code a span is from; none unless set, since its name says it in few bytes.
    #[must_use]
    pub fn with_span_code(mut self, code: CodeAttributes) -> Self {
        self.options.span_code = code;
        self
    }

    /// Which attributes tell where in the code an event is from; its target unless set.
    #[must_use]
    pub fn with_event_code(mut self, code: CodeAttributes) -> Self {
        self.options.event_code = code;
        self
    }

    /// Leaves out spans and events of these targets and of the modules below them.
    ///
    /// It costs a comparison a span; a filter of `tracing-subscriber`, which `with_filter` adds, can do more.
    #[must_use]
    pub fn ignoring<T: Into<Str>>(mut self, targets: impl IntoIterator<Item = T>) -> Self {
        self.options.ignored.extend(targets.into_iter().map(Into::into));
        self
    }

    /// How much of a span or event is kept.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Whether nothing that this thread says at this target is recorded.
    pub(crate) fn ignores(&self, target: &str) -> bool {
        INSIDE.try_with(Cell::get).unwrap_or(true) || is_suppressed() || self.options.ignores(target)
    }

    /// What a span or event without a parent of its own choice attaches to.
    ///
    /// The current context is the innermost of both worlds, since every entered span sets it.
    /// One of another instance only counts where this layer has no span around.
    pub(crate) fn surroundings<S>(&self, recorder: &Recorder, ctx: &LayerContext<'_, S>) -> Context
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let current = Context::current();
        if current.span_id().is_some() && !recorder.is_foreign(&current) {
            return current;
        }
        ctx.lookup_current().and_then(|span| self.nearest(&span)).unwrap_or(current)
    }

    /// The context of the span, or of the nearest one above it that this layer records.
    pub(crate) fn nearest<'a, S>(&self, span: &SpanRef<'a, S>) -> Option<Context>
    where
        S: Subscriber + LookupSpan<'a>,
    {
        span.scope().find_map(|span| self.of(&span, |open| open.context().clone()))
    }

    /// The nearest span that this layer records, if it listens to an event.
    pub(crate) fn listener<'a, S>(
        &self,
        span: &SpanRef<'a, S>,
        marks: bool,
        stands: bool,
    ) -> Option<SpanRef<'a, S>>
    where
        S: Subscriber + LookupSpan<'a>,
    {
        let listens = |span| {
            let listens = self.of(&span, |open| open.listens(marks, stands))?;
            Some(listens.then_some(span))
        };
        span.scope().find_map(listens).flatten()
    }

    /// Reads what this layer keeps with a span.
    fn of<'a, S, R>(&self, span: &SpanRef<'a, S>, read: impl FnOnce(&Open) -> R) -> Option<R>
    where
        S: LookupSpan<'a>,
    {
        let extensions = span.extensions();
        extensions.get::<Spans>()?.get(self.id).map(read)
    }

    /// Changes what this layer keeps with a span; nothing foreign runs while the span is locked.
    pub(crate) fn change<'a, S, R>(
        &self,
        span: &SpanRef<'a, S>,
        change: impl FnOnce(&mut Open) -> R,
    ) -> Option<R>
    where
        S: LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        extensions.get_mut::<Spans>()?.get_mut(self.id).map(change)
    }

    fn parent<S>(
        &self,
        recorder: &Recorder,
        attributes: &Attributes<'_>,
        ctx: &LayerContext<'_, S>,
    ) -> Context
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match attributes.parent() {
            Some(parent) => ctx.span(parent).and_then(|span| self.nearest(&span)).unwrap_or_default(),
            None if attributes.is_contextual() => self.surroundings(recorder, ctx),
            None => Context::NONE,
        }
    }

    fn start(&self, recorder: &Recorder, attributes: &Attributes<'_>, parent: &Context) -> Open {
        let metadata = attributes.metadata();
        let plan = plan::of(metadata);
        let mut look = Look::default();
        if plan.look_first {
            attributes.record(&mut Looking { plan: &plan, look: &mut look });
        }
        // A guess would be too early where another field may name the type yet.
        let known = look.named().or_else(|| look.guessed().filter(|_| !plan.names_type));
        let type_name = match &known {
            Some(span_type) => Some(span_type.name()),
            None if plan.may_type() => None,
            None => Some(SpanType::Generic.name()),
        };
        let name = look.name.take().unwrap_or_else(|| Str::from_static(metadata.name()));
        let mut span = inside(|| recorder.start(name, known.unwrap_or_default(), parent));
        if let Some(kind) = look.kind {
            span.kind(kind);
        }
        let mut open = Open::new(span, plan, type_name);
        if open.span.keeps_fields() {
            self.tell(&mut open, attributes);
        }
        open
    }

    fn tell(&self, open: &mut Open, attributes: &Attributes<'_>) {
        let plan = Arc::clone(open.plan());
        with_tellings(|tellings| {
            attributes.record(&mut Gather {
                plan: &plan,
                limit: self.options.limits.text_bytes,
                typed_only: !open.span.is_recording(),
                looked: true,
                tellings,
            });
            open.take(tellings, &self.options.limits);
        });
        self.options.span_code.tell(attributes.metadata(), |key, value| {
            open.span.attribute(key, value);
        });
    }
}

impl<S> Layer<S> for ObsLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: LayerContext<'_, S>) {
        if self.ignores(attributes.metadata().target()) {
            return;
        }
        let Some(recorder) = self.recorder().filter(|recorder| recorder.wants_spans()) else { return };
        let open = self.start(&recorder, attributes, &self.parent(&recorder, attributes, &ctx));
        let Some(span) = ctx.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Spans>() {
            Some(spans) => spans.put(self.id, open),
            None => extensions.insert(Spans::of(self.id, open)),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: LayerContext<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let keeps = |open: &Open| {
            let keeps = open.span.keeps_fields();
            keeps.then(|| (Arc::clone(open.plan()), !open.span.is_recording()))
        };
        let Some((plan, typed_only)) = self.of(&span, keeps).flatten() else { return };
        with_tellings(|tellings| {
            let limit = self.options.limits.text_bytes;
            values.record(&mut Gather { plan: &plan, limit, typed_only, looked: false, tellings });
            let changed = self.change(&span, |open| inside(|| open.take(tellings, &self.options.limits)));
            if let Some(context) = changed.flatten() {
                crate::stack::renew(&context);
            }
        });
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, ctx: LayerContext<'_, S>) {
        let Some(cause) = ctx.span(follows).and_then(|span| self.nearest(&span)) else { return };
        if let Some(span) = ctx.span(id) {
            self.change(&span, |open| open.follow(&cause, &self.options.limits));
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: LayerContext<'_, S>) {
        self.hear(event, &ctx);
    }

    fn on_enter(&self, id: &Id, ctx: LayerContext<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if let Some(context) = self.of(&span, |open| open.context().clone()) {
            crate::stack::enter(self.id, id, context);
        }
    }

    fn on_exit(&self, id: &Id, ctx: LayerContext<'_, S>) {
        crate::stack::leave(self.id, id);
        if let Some(span) = ctx.span(id) {
            self.of(&span, Open::leave);
        }
    }

    fn on_close(&self, id: Id, ctx: LayerContext<'_, S>) {
        let Some(span) = ctx.span(&id) else { return };
        let open = span.extensions_mut().get_mut::<Spans>().and_then(|spans| spans.take(self.id));
        if let Some(open) = open {
            inside(|| open.end(&self.options.limits));
        }
    }
}

impl fmt::Debug for ObsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObsLayer")
            .field("source", &self.source)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
