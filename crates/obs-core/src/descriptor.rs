//! What an exporter takes.

use std::borrow::Cow;

use crate::{Mappers, Signal, Signals};

/// Whether and how an exporter takes a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Support {
    /// Not at all.
    #[default]
    No,
    /// As what it is.
    Native,
    /// As something else, which the note names.
    As(&'static str),
    /// Only with the configuration that the note names.
    When(&'static str),
}

impl Support {
    /// Whether the signal is taken at all.
    pub const fn is_some(self) -> bool {
        !matches!(self, Self::No)
    }

    /// The note, if there is one.
    pub const fn note(self) -> Option<&'static str> {
        match self {
            Self::As(note) | Self::When(note) => Some(note),
            Self::No | Self::Native => None,
        }
    }
}

/// How much of a signal one `export` may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most records.
    pub items: usize,
    /// The most bytes, as [`crate::ByteSize`] estimates them.
    pub bytes: usize,
}

impl Limits {
    /// 512 records, as OpenTelemetry's batches have, and 4 MiB, which every backend we know takes.
    pub const DEFAULT: Self = Self { items: 512, bytes: 4 << 20 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// In which form an exporter wants metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricForm {
    /// Every record as it was made.
    #[default]
    Records,
    /// Series, each point since the one before.
    Delta,
    /// Series, each point since the beginning.
    Cumulative,
}

/// What samples of a distribution become in series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistogramForm {
    /// Buckets with bounds that are chosen beforehand, which every backend reads.
    #[default]
    Explicit,
    /// Base-2 exponential buckets, which fit themselves to the samples.
    Exponential,
}

/// What an exporter is and takes.
///
/// Support follows from the table of mappers; nobody writes it by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    kind: Cow<'static, str>,
    support: [Support; Signal::COUNT],
    limits: [Limits; Signal::COUNT],
    remarks: [&'static str; Signal::COUNT],
    metric_form: MetricForm,
    histogram_form: HistogramForm,
    wants_started: bool,
    local: bool,
}

impl Descriptor {
    /// The descriptor that follows from a table of mappers, with default limits and metrics as records.
    pub const fn of<E, R>(kind: &'static str, mappers: &Mappers<E, R>) -> Self {
        Self {
            kind: Cow::Borrowed(kind),
            support: mappers.support(),
            limits: [Limits::DEFAULT; Signal::COUNT],
            remarks: [""; Signal::COUNT],
            metric_form: MetricForm::Records,
            histogram_form: HistogramForm::Explicit,
            wants_started: false,
            local: false,
        }
    }

    /// Limits for one signal.
    #[must_use]
    pub const fn with_limits(mut self, signal: Signal, limits: Limits) -> Self {
        self.limits[signal.index()] = limits;
        self
    }

    /// Limits for every signal.
    #[must_use]
    pub const fn with_all_limits(mut self, limits: Limits) -> Self {
        self.limits = [limits; Signal::COUNT];
        self
    }

    /// What a reader of the signal matrix should know of a signal: why it is not taken, or what the backend makes of it.
    #[must_use]
    pub const fn with_remark(mut self, signal: Signal, remark: &'static str) -> Self {
        self.remarks[signal.index()] = remark;
        self
    }

    /// The form of metrics.
    #[must_use]
    pub const fn with_metric_form(mut self, form: MetricForm) -> Self {
        self.metric_form = form;
        self
    }

    /// The form of histograms in series.
    #[must_use]
    pub const fn with_histogram_form(mut self, form: HistogramForm) -> Self {
        self.histogram_form = form;
        self
    }

    /// Wants a record when a span starts, too.
    #[must_use]
    pub const fn with_started(mut self) -> Self {
        self.wants_started = true;
        self
    }

    /// Writes to this machine, so that batches may leave sooner.
    #[must_use]
    pub const fn with_local(mut self) -> Self {
        self.local = true;
        self
    }

    /// This descriptor with fewer signals: those not in `keep` become [`Support::No`].
    ///
    /// An instance narrows its type's descriptor by its configuration; nothing can widen one.
    #[must_use]
    pub fn narrowed(&self, keep: Signals) -> Self {
        let mut narrowed = self.clone();
        for signal in Signal::ALL {
            if !keep.contains(signal) {
                narrowed.support[signal.index()] = Support::No;
            }
        }
        narrowed
    }

    /// What a decorator over several exporters takes: each signal that any takes, under the tightest limits of those.
    ///
    /// Metrics are wanted as records where the exporters differ in form, and histograms with explicit bounds.
    pub fn union<'a>(kind: &'static str, of: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut union: Option<Self> = None;
        for next in of {
            match &mut union {
                None => union = Some(Self { kind: Cow::Borrowed(kind), ..next.clone() }),
                Some(union) => union.join(next),
            }
        }
        union.unwrap_or_else(|| Self::of::<(), ()>(kind, &Mappers::NONE))
    }

    fn join(&mut self, next: &Self) {
        for at in 0..Signal::COUNT {
            let limits = self.limits[at];
            match (self.support[at], next.support[at]) {
                (_, Support::No) => {}
                (Support::No, support) => (self.support[at], self.limits[at]) = (support, next.limits[at]),
                (known, support) => {
                    if support == Support::Native {
                        self.support[at] = support;
                    } else {
                        self.support[at] = known;
                    }
                    self.limits[at] = Limits {
                        items: limits.items.min(next.limits[at].items),
                        bytes: limits.bytes.min(next.limits[at].bytes),
                    };
                }
            }
        }
        if self.metric_form != next.metric_form {
            self.metric_form = MetricForm::Records;
        }
        if self.histogram_form != next.histogram_form {
            self.histogram_form = HistogramForm::Explicit;
        }
        self.wants_started |= next.wants_started;
        self.local &= next.local;
    }

    /// The exporter's kind: `json`, `langfuse`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// How it takes a signal.
    pub const fn support(&self, signal: Signal) -> Support {
        self.support[signal.index()]
    }

    /// The signals it takes.
    pub fn signals(&self) -> Signals {
        Signal::ALL.into_iter().filter(|signal| self.support(*signal).is_some()).collect()
    }

    /// How much of a signal one `export` may be given.
    pub const fn limits(&self, signal: Signal) -> Limits {
        self.limits[signal.index()]
    }

    /// What a reader of the signal matrix should know of a signal, if anything.
    pub fn remark(&self, signal: Signal) -> Option<&'static str> {
        Some(self.remarks[signal.index()]).filter(|remark| !remark.is_empty())
    }

    /// In which form it wants metrics.
    pub const fn metric_form(&self) -> MetricForm {
        self.metric_form
    }

    /// In which form it wants histograms in series.
    pub const fn histogram_form(&self) -> HistogramForm {
        self.histogram_form
    }

    /// Whether it wants a record when a span starts.
    pub const fn wants_started(&self) -> bool {
        self.wants_started
    }

    /// Whether it writes to this machine.
    pub const fn is_local(&self) -> bool {
        self.local
    }
}
