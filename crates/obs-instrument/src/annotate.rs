//! What can be said of a span while it is open.

use obs_core::{
    Attributes, Event, Link, Payload, Span, SpanId, SpanKind, Status, Str, Timestamp, TraceContext, TraceId,
    Value,
};

use crate::begin::Recording;
use crate::limits::cut;
use crate::open::{Open, Slot};
use crate::{ActiveSpan, Kind, cost};

/// Changes typed fields, and keeps their lists within the limits.
#[inline]
fn change_fields<T: Kind>(span: &mut Span, open: &mut Open, set: impl FnOnce(&mut T)) {
    if let Some(fields) = T::of(&mut span.span_type) {
        set(fields);
        open.left_out.items = open.left_out.items.saturating_add(fields.cap(open.instance.limits().items));
    }
}

/// Adds an event, if there may be more; its attributes are not asked for if not.
fn add_event(
    span: &mut Span,
    open: &mut Open,
    time: Timestamp,
    name: impl Into<Str>,
    attributes: impl FnOnce() -> Attributes,
) {
    let limits = open.instance.limits();
    if span.events.len() >= limits.events as usize {
        open.left_out.add(0, 1, 0);
        return;
    }
    let mut attributes = attributes();
    limits.cut_nested(&mut attributes);
    span.events.push(Event { time, name: name.into(), attributes });
}

impl<T: Kind> ActiveSpan<T> {
    /// Sets typed fields; not called when they are not kept.
    ///
    /// A span that is measured and not recorded keeps them, since tokens and costs are counted from them.
    #[inline]
    pub fn fields(&mut self, set: impl FnOnce(&mut T)) -> &mut Self {
        if let Some((span, open)) = self.kept_mut() {
            change_fields(span, open, set);
        }
        self
    }

    /// [`Self::fields`] for what people wrote or read, which a span that is only measured does not keep.
    #[inline]
    pub(crate) fn said(&mut self, set: impl FnOnce(&mut T)) -> &mut Self {
        if let Some((span, open)) = self.parts_mut() {
            change_fields(span, open, set);
        }
        self
    }

    /// What the span was given.
    #[inline]
    pub fn input(&mut self, input: impl Into<Payload>) -> &mut Self {
        self.change(|span| span.input = Some(input.into()))
    }

    /// What the span was given; not called when not recording.
    #[inline]
    pub fn input_with<P: Into<Payload>>(&mut self, input: impl FnOnce() -> P) -> &mut Self {
        self.change(|span| span.input = Some(input().into()))
    }

    /// What the span gave back.
    #[inline]
    pub fn output(&mut self, output: impl Into<Payload>) -> &mut Self {
        self.change(|span| span.output = Some(output.into()))
    }

    /// What the span gave back; not called when not recording.
    #[inline]
    pub fn output_with<P: Into<Payload>>(&mut self, output: impl FnOnce() -> P) -> &mut Self {
        self.change(|span| span.output = Some(output().into()))
    }

    /// Adds an attribute, replacing one of the same key; it may come at any time before the end.
    ///
    /// How many there may be, of events and links as well, is a matter of [`SpanLimits`](crate::SpanLimits).
    /// A span that is measured and not recorded keeps those by which providers say what a call cost:
    /// `gen_ai.usage.cost` and the like.
    #[inline]
    pub fn attribute(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
        if let Recording::Measured(slot) = &mut self.state {
            keep_amount(slot, key.into(), || value.into());
            return self;
        }
        self.attribute_with(key, || value)
    }

    /// Adds an attribute whose value is worked out only when recording.
    #[inline]
    pub fn attribute_with<V: Into<Value>>(
        &mut self,
        key: impl Into<Str>,
        value: impl FnOnce() -> V,
    ) -> &mut Self {
        let Some((span, open)) = self.parts_mut() else { return self };
        let (key, all) = (key.into(), &mut span.attributes);
        if all.len() < open.instance.limits().attributes as usize || all.get(&key).is_some() {
            all.insert(key, value());
        } else {
            open.left_out.add(1, 0, 0);
        }
        self
    }

    /// Adds attributes; not called when not recording.
    #[inline]
    pub fn attributes(&mut self, set: impl FnOnce(&mut Attributes)) -> &mut Self {
        let Some((span, open)) = self.parts_mut() else { return self };
        set(&mut span.attributes);
        let cut = cut(&mut span.attributes, open.instance.limits().attributes);
        open.left_out.attributes = open.left_out.attributes.saturating_add(cut);
        self
    }

    /// Notes that something happened now.
    pub fn event(&mut self, name: impl Into<Str>, attributes: Attributes) -> &mut Self {
        self.event_with(name, || attributes)
    }

    /// Notes that something happened now; its attributes are worked out only when recording.
    pub fn event_with(&mut self, name: impl Into<Str>, attributes: impl FnOnce() -> Attributes) -> &mut Self {
        let Some((span, open)) = self.parts_mut() else { return self };
        let time = open.now(span);
        add_event(span, open, time, name, attributes);
        self
    }

    /// Notes that something happened at a time of the caller's.
    pub fn event_at(&mut self, time: Timestamp, name: impl Into<Str>, attributes: Attributes) -> &mut Self {
        let Some((span, open)) = self.parts_mut() else { return self };
        add_event(span, open, time, name, || attributes);
        self
    }

    /// Relates this span to another one.
    pub fn link(&mut self, trace_id: TraceId, span_id: SpanId, attributes: Attributes) -> &mut Self {
        self.link_to(Link { trace_id, span_id, trace_state: None, attributes })
    }

    pub(crate) fn link_to(&mut self, mut link: Link) -> &mut Self {
        let Some((span, open)) = self.parts_mut() else { return self };
        let limits = open.instance.limits();
        if span.links.len() < limits.links as usize {
            limits.cut_nested(&mut link.attributes);
            span.links.push(link);
        } else {
            open.left_out.add(0, 0, 1);
        }
        self
    }

    /// Counts what was left out before it came here, by a bridge with limits of its own: attributes, events, links.
    ///
    /// The span tells it together with what [`SpanLimits`](crate::SpanLimits) leave out, whatever room there is.
    pub fn left_out(&mut self, attributes: usize, events: usize, links: usize) -> &mut Self {
        if let Some((_, open)) = self.parts_mut() {
            open.left_out.add(attributes, events, links);
        }
        self
    }

    /// Gives the span another name.
    pub fn rename(&mut self, name: impl Into<Str>) -> &mut Self {
        self.keep(|span| span.name = name.into())
    }

    /// The span's role in a call between services, where it differs from its type's usual one.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        self.keep(|span| span.kind = kind)
    }

    /// Changes what is known of the whole trace: for this span, and for what is started under it from now on.
    ///
    /// Call it before children are started.
    pub fn trace(&mut self, change: impl FnOnce(&mut TraceContext)) -> &mut Self {
        if let Some((span, open)) = self.kept_mut() {
            change(std::sync::Arc::make_mut(&mut span.context));
            open.renew_node();
        }
        self
    }

    /// Declares the span fine.
    pub fn ok(&mut self) -> &mut Self {
        self.keep(|span| span.status = Status::Ok)
    }
}

/// Keeps what counts as a cost.
#[cold]
fn keep_amount(slot: &mut Slot, key: Str, value: impl FnOnce() -> Value) {
    if cost::is_amount(&key)
        && let Some((span, _)) = slot.parts_mut()
    {
        span.attributes.insert(key, value());
    }
}
