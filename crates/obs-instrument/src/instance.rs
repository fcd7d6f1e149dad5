//! What starting a span needs.

use std::sync::{Arc, OnceLock, Weak};

use obs_core::{Cost, Level, Ratio, Resource, Signal, Span, Str, TraceContext, TraceId, TraceReader};
use obs_pipeline::{Aside, Clock, Intake};

use crate::automatic::Starts;
use crate::context::instances;
use crate::cost::CostConfig;
use crate::logger::Threshold;
use crate::readings::Readings;
use crate::running::Running;
use crate::sampling::{Question, Sampler};
use crate::summed::Sums;
use crate::{Kind, Meter, Sampling, SpanLimits};

/// What starting a span needs.
#[derive(Debug)]
pub(crate) struct Instance {
    number: u64,
    /// Whoever holds an instance, a context for one, does not keep its pipeline alive.
    running: Weak<Running>,
    intake: Intake,
    sampler: Sampler,
    min_level: Threshold,
    unsampled_logs: Option<Level>,
    context: Arc<TraceContext>,
    resource: Arc<Resource>,
    hidden: Hidden,
    limits: SpanLimits,
    /// Where traces are read back from.
    reader: OnceLock<Arc<dyn TraceReader>>,
    /// The traces that are read for the judgements that wait for them.
    readings: Arc<Readings>,
    /// Where the application's own reading is done, which no flush waits for or hastens.
    reads: Aside,
    /// How the costs of calls are found that nobody is shown.
    costs: OnceLock<CostConfig>,
    baggage_attributes: Box<[Str]>,
    /// Counts runs and calls that began, if anybody wants to know.
    starts: Option<Starts>,
    /// Counters that add up in place.
    sums: Arc<Sums>,
}

/// Which spans are not shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hidden {
    /// The excluded types, as [`Kind::BIT`]s.
    pub(crate) types: u16,
    /// Whether internal spans are shown like any other.
    pub(crate) internal_shown: bool,
    /// Whether automatic metrics count spans that are not shown.
    pub(crate) counted: bool,
    /// Whether they count the spans of unsampled traces, too.
    pub(crate) unsampled_counted: bool,
}

/// What an instance is told when it is built.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) sampling: Sampling,
    pub(crate) min_level: Level,
    pub(crate) unsampled_logs: Option<Level>,
    pub(crate) context: TraceContext,
    pub(crate) resource: Resource,
    pub(crate) hidden: Hidden,
    pub(crate) limits: SpanLimits,
    /// The keys of baggage that become attributes of spans.
    pub(crate) baggage_attributes: Vec<Str>,
    pub(crate) starts: Option<Starts>,
    pub(crate) sums: Arc<Sums>,
}

impl Instance {
    pub(crate) fn new(running: &Arc<Running>, settings: Settings) -> Arc<Self> {
        let Settings { sampling, min_level, unsampled_logs, context, resource, .. } = settings;
        let intake = running.pipeline().intake();
        instances::register(|number| Self {
            number,
            running: Arc::downgrade(running),
            sampler: Sampler::new(sampling),
            min_level: Threshold::new(min_level),
            unsampled_logs,
            context: Arc::new(context),
            resource: Arc::new(resource),
            reader: OnceLock::new(),
            costs: OnceLock::new(),
            readings: Arc::clone(running.readings()),
            reads: Aside::new(intake.clock().clone()),
            intake,
            hidden: settings.hidden,
            limits: settings.limits,
            starts: settings.starts,
            baggage_attributes: settings.baggage_attributes.into(),
            sums: settings.sums,
        })
    }

    /// Says where traces are read back from; the first to say so counts.
    pub(crate) fn set_reader(&self, reader: Arc<dyn TraceReader>) {
        let _ = self.reader.set(reader);
    }

    pub(crate) fn reader(&self) -> Option<&Arc<dyn TraceReader>> {
        self.reader.get()
    }

    pub(crate) fn readings(&self) -> &Readings {
        &self.readings
    }

    pub(crate) fn reads(&self) -> &Aside {
        &self.reads
    }

    /// The keys of baggage that become attributes of spans.
    pub(crate) fn baggage_attributes(&self) -> &[Str] {
        &self.baggage_attributes
    }

    /// Whether any handle is left.
    pub(crate) fn is_alive(&self) -> bool {
        self.running.strong_count() > 0
    }

    /// What a handle holds, if any handle is left.
    pub(crate) fn running(&self) -> Option<Arc<Running>> {
        self.running.upgrade()
    }

    /// What a span that is not recorded knows it by.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether some destination takes spans, or records that name them: a score on a span needs its ids, whoever takes spans.
    #[inline]
    pub(crate) fn has_spans(&self) -> bool {
        !self.intake.wants().without(Signal::Metrics).is_empty()
    }

    /// Whether a span of this type is hidden, unless it is a root.
    #[inline]
    pub(crate) fn hides(&self, bit: u16, internal: bool) -> bool {
        self.hidden.types & bit != 0 || (internal && !self.hidden.internal_shown)
    }

    /// Whether automatic metrics are made of spans.
    #[inline]
    pub(crate) fn counts(&self) -> bool {
        self.hidden.counted
    }

    /// Whether spans that nobody is to see are counted all the same.
    #[inline]
    pub(crate) fn measures(&self) -> bool {
        self.hidden.counted && self.intake.wants().contains(Signal::Metrics)
    }

    /// [`Self::measures`], for the spans of unsampled traces.
    #[inline]
    pub(crate) fn measures_unsampled(&self) -> bool {
        self.hidden.unsampled_counted && self.measures()
    }

    /// How much an open span may gather.
    #[inline]
    pub(crate) fn limits(&self) -> &SpanLimits {
        &self.limits
    }

    /// Whether a root is neither recorded nor measured, whatever its id.
    #[inline]
    pub(crate) fn records_no_root(&self) -> bool {
        self.sampler.takes_no_root() && self.has_spans() && !self.measures_unsampled()
    }

    /// What a call of a model cost.
    pub(crate) fn cost_of(&self, span: &Span) -> Option<Cost> {
        self.costs.get().map_or_else(|| span.span_type.cost().cloned(), |costs| costs.of(span))
    }

    /// Says how costs are found; the first to say so counts.
    pub(crate) fn set_costs(&self, costs: CostConfig) {
        let _ = self.costs.set(costs);
    }

    /// What counts runs and calls that began, if anybody wants to know.
    #[inline]
    pub(crate) fn starts(&self) -> Option<&Starts> {
        self.starts.as_ref()
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.intake.clock()
    }

    pub(crate) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// What the sampler is asked about a trace that begins here with such a span.
    #[inline]
    pub(crate) fn question<'a, T: Kind>(&'a self, trace_id: TraceId, name: &'a str) -> Question<'a> {
        let randomness = Ratio::randomness_of(trace_id);
        Question { trace_id, randomness, name, span_type: T::NAME, trace: &self.context, clock: self.clock() }
    }

    #[inline]
    pub(crate) fn wants_logs(&self) -> bool {
        self.intake.wants().contains(Signal::Logs)
    }

    /// Whether a log of this level is recorded, outside of unsampled traces.
    #[inline]
    pub(crate) fn takes_log(&self, level: Level) -> bool {
        self.wants_logs() && self.min_level.lets(level)
    }

    /// Whether one that is recorded elsewhere is under an unsampled trace, too.
    pub(crate) fn takes_unsampled_log(&self, level: Level) -> bool {
        self.unsampled_logs.is_some_and(|least| level >= least)
    }

    pub(crate) fn min_level(&self) -> &Threshold {
        &self.min_level
    }

    pub(crate) fn trace_context(&self) -> &Arc<TraceContext> {
        &self.context
    }

    pub(crate) fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }

    /// Where instruments for metrics are made.
    pub(crate) fn meter(&self) -> Meter {
        let (context, resource, sums) =
            (Arc::clone(&self.context), Arc::clone(&self.resource), Arc::clone(&self.sums));
        Meter { intake: self.intake.clone(), context, resource, sums }
    }
}
