//! Records field by field: what most of them have is written without serde's machinery, in half its time.
//!
//! The bytes are those of `Serialize`, which a test holds for every fixture, and each record is taken apart whole, so that
//! a new field cannot be forgotten here.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Error;

use super::compact;
use crate::payload::Form;
use crate::{
    Ancestor, Feedback, Log, Metric, Payload, Resource, Score, Span, SpanId, SpanRecord, Str, Timestamp,
    TraceContext, TraceId,
};

/// A record that is written field by field; the last two, which many records share, are for whoever writes the line.
pub(super) trait Line {
    /// Appends an object up to its context, so that it lacks those two and its end.
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error>;
    /// What it shares.
    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>);
    /// What stands around the object.
    fn around(&self) -> (&'static [u8], &'static [u8]) {
        (b"", b"")
    }
}

/// A value that is written without serde.
pub(super) trait Put {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error>;
}

/// A comma, the name of a field and a colon; the first field of an object has a brace for the comma.
macro_rules! named {
    ($before:literal $name:literal) => {
        concat!($before, "\"", $name, "\":").as_bytes()
    };
}

/// Writes fields: `=` those that are always there, `?` those that may be absent, `~` either by serde.
macro_rules! fields {
    ($out:ident, { $first:literal = $value:expr, $($rest:tt)* }) => {
        $out.extend_from_slice(named!("{" $first));
        $value.put($out)?;
        fields!($out, $($rest)*);
    };
    ($out:ident, $name:literal = $value:expr, $($rest:tt)*) => {
        $out.extend_from_slice(named!("," $name));
        $value.put($out)?;
        fields!($out, $($rest)*);
    };
    ($out:ident, $name:literal ? $value:expr, $($rest:tt)*) => {
        if let Some(value) = $value {
            $out.extend_from_slice(named!("," $name));
            value.put($out)?;
        }
        fields!($out, $($rest)*);
    };
    ($out:ident, $name:literal ~ $value:expr, $($rest:tt)*) => {
        $out.extend_from_slice(named!("," $name));
        compact::write($out, $value)?;
        fields!($out, $($rest)*);
    };
    ($out:ident, $name:literal ~? $value:expr, $($rest:tt)*) => {
        if let Some(value) = $value {
            $out.extend_from_slice(named!("," $name));
            compact::write($out, value)?;
        }
        fields!($out, $($rest)*);
    };
    ($out:ident,) => {};
}

pub(super) use {fields, named};

/// The value, if it says anything.
pub(super) fn unless<T: ?Sized>(absent: bool, value: &T) -> Option<&T> {
    (!absent).then_some(value)
}

impl Line for Span {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            trace_id,
            span_id,
            parent_span_id,
            path,
            remote_parent,
            name,
            start,
            end,
            kind,
            status,
            span_type,
            input,
            output,
            error,
            events,
            links,
            judged,
            trace_flags,
            trace_state,
            attributes,
            context: _,
            resource: _,
        } = self;
        fields!(out, {
            "trace_id" = trace_id,
            "span_id" = span_id,
            "parent_span_id" ? parent_span_id,
            "path" ? path,
            "remote_parent" ~? unless(!remote_parent, &true),
            "name" = name,
            "start" = start,
            "end" ? end,
            "kind" ~? unless(kind.is_internal(), kind),
            "status" ~? unless(status.is_unset(), status),
            "type" = span_type,
            "input" ? input,
            "output" ? output,
            "error" ~? error,
            "events" ~? unless(events.is_empty(), events),
            "links" ~? unless(links.is_empty(), links),
            "judged" ~? unless(!judged, &true),
            "trace_flags" = u64::from(*trace_flags),
            "trace_state" ? trace_state,
            "attributes" ~? unless(attributes.is_empty(), attributes),
        });
        Ok(())
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        (&self.context, &self.resource)
    }
}

impl Line for SpanRecord {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.span().own(out)
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        self.span().shared()
    }

    fn around(&self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Started(_) => (br#"{"started":"#, b"}"),
            Self::Ended(_) => (br#"{"ended":"#, b"}"),
        }
    }
}

impl Line for Log {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { time, level, message, event_name, attributes, data, span, context: _, resource: _ } = self;
        fields!(out, {
            "time" = time,
            "level" ~ level,
            "message" = message,
            "event_name" ? event_name,
            "attributes" ~? unless(attributes.is_empty(), attributes),
            "data" ? data,
            "span" ~? span,
        });
        Ok(())
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        (&self.context, &self.resource)
    }
}

impl Line for Metric {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            time,
            start,
            name,
            unit,
            description,
            labels,
            temporality,
            value,
            exemplar,
            cost,
            context: _,
            resource: _,
        } = self;
        fields!(out, {
            "time" = time,
            "start" ? start,
            "name" = name,
            "unit" ? unit,
            "description" ? description,
            "labels" ~? unless(labels.is_empty(), labels),
            "temporality" ~? temporality,
            "value" ~ value,
            "exemplar" ~? exemplar,
            "cost" ~? cost,
        });
        Ok(())
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        (&self.context, &self.resource)
    }
}

impl Line for Score {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            id,
            time,
            target,
            name,
            value,
            comment,
            source,
            scorer,
            experiment_id,
            metadata,
            context: _,
            resource: _,
        } = self;
        fields!(out, {
            "id" = id,
            "time" = time,
            "target" ~ target,
            "name" = name,
            "value" ~ value,
            "comment" ? comment,
            "source" ? source,
            "scorer" ~? scorer,
            "experiment_id" ? experiment_id,
            "metadata" ~? unless(metadata.is_empty(), metadata),
        });
        Ok(())
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        (&self.context, &self.resource)
    }
}

impl Line for Feedback {
    fn own(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            id,
            time,
            target,
            kind,
            value,
            comment,
            source,
            user_id,
            experiment_id,
            metadata,
            context: _,
            resource: _,
        } = self;
        fields!(out, {
            "id" = id,
            "time" = time,
            "target" ~ target,
            "kind" = kind,
            "value" ~ value,
            "comment" ? comment,
            "source" ? source,
            "user_id" ? user_id,
            "experiment_id" ? experiment_id,
            "metadata" ~? unless(metadata.is_empty(), metadata),
        });
        Ok(())
    }

    fn shared(&self) -> (&Arc<TraceContext>, &Arc<Resource>) {
        (&self.context, &self.resource)
    }
}

impl Put for u64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
        Ok(())
    }
}

impl Put for Timestamp {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.as_nanos().put(out)
    }
}

impl Put for Str {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        compact::push_text(out, self);
        Ok(())
    }
}

impl Put for Payload {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self.form() {
            Form::Text => compact::push_text(out, self.as_str()),
            Form::Json => out.extend_from_slice(self.as_str().trim_ascii().as_bytes()),
            Form::Unchecked => return compact::write(out, self),
        }
        Ok(())
    }
}

/// The chain as a list, the nearest first.
impl Put for Arc<Ancestor> {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(b'[');
        for (at, Ancestor { span_id, start, is_root, .. }) in self.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            fields!(out, {
                "span_id" = span_id,
                "start" = start,
            });
            let end: &[u8] = if *is_root { br#","is_root":true}"# } else { b"}" };
            out.extend_from_slice(end);
        }
        out.push(b']');
        Ok(())
    }
}

impl Put for uuid::Uuid {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        compact::write(out, self)
    }
}

/// An id: hex digits need no escapes.
macro_rules! put_id {
    ($($id:ty),*) => {
        $(impl Put for $id {
            #[inline]
            fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
                out.push(b'"');
                out.extend_from_slice(&self.to_hex());
                out.push(b'"');
                Ok(())
            }
        })*
    };
}

put_id!(TraceId, SpanId);

/// Appends the two that are shared, each behind its name.
pub(super) fn push_shared(
    out: &mut Vec<u8>,
    (context, resource): (&impl Serialize, &impl Serialize),
) -> Result<(), Error> {
    out.extend_from_slice(named!("," "context"));
    compact::write(out, context)?;
    out.extend_from_slice(named!("," "resource"));
    compact::write(out, resource)
}
