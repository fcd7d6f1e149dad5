//! The table of mappers that an exporter's capability follows from.

use crate::{Batch, Feedback, Log, Metric, Records, Refused, Score, Signal, SpanRecord, Support};

/// A pure function from records to calls.
pub type Map<E, T, R> = fn(&E, &Records<T>) -> Mapped<R>;

/// One request, and the positions of the records it carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<R> {
    /// What to send.
    pub request: R,
    /// Positions in the batch, ascending; every record stands in one call or is refused.
    pub records: Vec<usize>,
}

/// What a mapper made of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped<R> {
    /// The calls, in order.
    pub calls: Vec<Call<R>>,
    /// Records that cannot be mapped, by their position in the batch; they never sink the others.
    pub refused: Vec<Refused>,
}

impl<R> Default for Mapped<R> {
    fn default() -> Self {
        Self { calls: Vec::new(), refused: Vec::new() }
    }
}

impl<R> Mapped<R> {
    /// One call that carries the first `len` records: all of a batch of that length.
    pub fn whole(request: R, len: usize) -> Self {
        Self { calls: vec![Call { request, records: (0..len).collect() }], refused: Vec::new() }
    }
}

/// Which mapper serves which signal.
///
/// A leaf owns one const table, and [`crate::Descriptor::of`] reads its capability off it.
#[derive(Debug)]
pub struct Mappers<E, R> {
    traces: Option<Map<E, SpanRecord, R>>,
    metrics: Option<Map<E, Metric, R>>,
    logs: Option<Map<E, Log, R>>,
    scores: Option<Map<E, Score, R>>,
    feedback: Option<Map<E, Feedback, R>>,
    support: [Support; Signal::COUNT],
}

macro_rules! signals {
    ($($field:ident: $record:ty, $variant:ident, $as_name:ident, $when_name:ident;)*) => {
        impl<E, R> Mappers<E, R> {
            $(
                #[doc = concat!("Takes ", stringify!($field), " as what they are.")]
                #[must_use]
                pub const fn $field(self, map: Map<E, $record, R>) -> Self {
                    self.$as_name(map, "").with(Signal::$variant, Support::Native)
                }

                #[doc = concat!("Takes ", stringify!($field), " as something else, which the note names.")]
                #[must_use]
                pub const fn $as_name(mut self, map: Map<E, $record, R>, note: &'static str) -> Self {
                    self.$field = Some(map);
                    self.with(Signal::$variant, Support::As(note))
                }

                #[doc = concat!("Takes ", stringify!($field), " only with the configuration that the note names.")]
                #[must_use]
                pub const fn $when_name(self, map: Map<E, $record, R>, note: &'static str) -> Self {
                    self.$as_name(map, note).with(Signal::$variant, Support::When(note))
                }
            )*

            /// Maps a batch with the mapper of its signal, or `None` where there is none.
            pub fn map(&self, exporter: &E, batch: &Batch) -> Option<Mapped<R>> {
                match batch {
                    $(Batch::$variant(records) => self.$field.map(|map| map(exporter, records)),)*
                }
            }
        }
    };
}

signals! {
    traces: SpanRecord, Traces, traces_as, traces_when;
    metrics: Metric, Metrics, metrics_as, metrics_when;
    logs: Log, Logs, logs_as, logs_when;
    scores: Score, Scores, scores_as, scores_when;
    feedback: Feedback, Feedback, feedback_as, feedback_when;
}

impl<E, R> Mappers<E, R> {
    /// The empty table.
    pub const NONE: Self = Self {
        traces: None,
        metrics: None,
        logs: None,
        scores: None,
        feedback: None,
        support: [Support::No; Signal::COUNT],
    };

    const fn with(mut self, signal: Signal, support: Support) -> Self {
        self.support[signal.index()] = support;
        self
    }

    /// How each signal is taken.
    pub const fn support(&self) -> [Support; Signal::COUNT] {
        self.support
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Descriptor, Limits, MetricForm, Signals};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a mapper takes its exporter by reference")]
    fn map<T>(_: &(), records: &Records<T>) -> Mapped<u8> {
        Mapped::whole(0, records.len())
    }

    const TABLE: Mappers<(), u8> =
        Mappers::NONE.traces(map).logs_as(map, "events").scores_when(map, "ml_app is set");
    const DESCRIPTOR: Descriptor =
        Descriptor::of("test", &TABLE).with_limits(Signal::Logs, Limits { items: 7, bytes: 9 });

    #[test]
    fn law_4_flags_are_computed_from_the_table() {
        for signal in Signal::ALL {
            let mapped = TABLE.map(&(), &Batch::empty(signal));
            assert_eq!(mapped.is_some(), DESCRIPTOR.support(signal).is_some(), "{signal}");
        }
        assert_eq!(DESCRIPTOR.support(Signal::Logs), Support::As("events"));
        assert_eq!(DESCRIPTOR.support(Signal::Scores).note(), Some("ml_app is set"));
    }

    #[test]
    fn narrowing_only_takes_away() {
        let narrowed = DESCRIPTOR.narrowed(Signals::NONE.with(Signal::Logs).with(Signal::Metrics));
        assert_eq!(narrowed.signals(), Signals::NONE.with(Signal::Logs));
        assert_eq!(narrowed.limits(Signal::Logs).items, 7);
    }

    #[test]
    fn a_union_takes_what_any_takes_under_the_tightest_limits() {
        let series = Descriptor::of::<(), u8>("series", &Mappers::NONE.metrics(map).logs(map))
            .with_metric_form(MetricForm::Delta);
        let union = Descriptor::union("multi", [&DESCRIPTOR, &series]);
        assert_eq!(union.kind(), "multi");
        assert_eq!(union.signals(), Signals::ALL.without(Signal::Feedback));
        assert_eq!(union.limits(Signal::Logs).items, 7);
        assert_eq!(union.support(Signal::Logs), Support::Native);
        assert_eq!(union.metric_form(), MetricForm::Records);
    }
}
