//! Metrics.

use std::sync::Arc;

use obs_core::{Exemplar, Labels, Metric, MetricValue, Resource, Signal, Str, Timestamp, TraceContext};
use obs_pipeline::Intake;

use crate::Context;
use crate::summed::Sums;

/// Makes instruments, each with its name, unit and description.
///
/// An instrument is a cheap handle: make it once and keep it.
#[derive(Debug, Clone)]
pub struct Meter {
    pub(crate) intake: Intake,
    pub(crate) context: Arc<TraceContext>,
    pub(crate) resource: Arc<Resource>,
    pub(crate) sums: Arc<Sums>,
}

/// What every measurement of an instrument shares.
#[derive(Debug)]
struct Instrument {
    meter: Meter,
    name: Str,
    unit: Option<Str>,
    description: Option<Str>,
}

impl Instrument {
    #[inline]
    fn measurement(
        &self,
        time: Timestamp,
        value: MetricValue,
        labels: Labels,
        context: &Arc<TraceContext>,
    ) -> Metric {
        let (context, resource) = (Arc::clone(context), Arc::clone(&self.meter.resource));
        let mut metric = Metric::new_in(time, self.name.clone(), value, context, resource);
        metric.unit.clone_from(&self.unit);
        metric.description.clone_from(&self.description);
        metric.labels = labels;
        metric
    }

    fn record(&self, value: MetricValue, labels: impl FnOnce() -> Labels) {
        let Meter { intake, context, .. } = &self.meter;
        if !intake.wants().contains(Signal::Metrics) {
            return;
        }
        let current = Context::current();
        let context = current.trace_context_within(intake).unwrap_or(context);
        let mut metric = self.measurement(intake.clock().now(), value, labels(), context);
        metric.exemplar = current.reference().map(|span| Exemplar { span, value: None, time: None });
        intake.metric(metric);
    }
}

impl Counter {
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// A measurement outside of every trace.
    pub(crate) fn measurement(&self, time: Timestamp, value: MetricValue, labels: Labels) -> Metric {
        self.0.measurement(time, value, labels, &self.0.meter.context)
    }
}

macro_rules! instruments {
    ($($(#[$doc:meta])* $name:ident, $bound:ident, $make:ident, $record:ident, $variant:ident, $value_doc:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone)]
            pub struct $name(Arc<Instrument>);

            impl $name {
                #[doc = $value_doc]
                pub fn $record(&self, value: f64, labels: impl Into<Labels>) {
                    self.0.record(MetricValue::$variant(value), || labels.into());
                }

                /// The unit, in UCUM: `s`, `By`, `{token}`.
                #[must_use]
                pub fn with_unit(self, unit: impl Into<Str>) -> Self {
                    self.change(|instrument| instrument.unit = Some(unit.into()))
                }

                /// What it measures, for people.
                #[must_use]
                pub fn with_description(self, description: impl Into<Str>) -> Self {
                    self.change(|instrument| instrument.description = Some(description.into()))
                }

                /// The instrument with its labels settled, so that a measurement builds none.
                pub fn bind(&self, labels: impl Into<Labels>) -> $bound {
                    $bound { instrument: self.clone(), labels: labels.into() }
                }

                fn change(self, change: impl FnOnce(&mut Instrument)) -> Self {
                    let Instrument { meter, name, unit, description } = &*self.0;
                    let (name, unit, description) = (name.clone(), unit.clone(), description.clone());
                    let mut changed = Instrument { meter: meter.clone(), name, unit, description };
                    change(&mut changed);
                    Self(Arc::new(changed))
                }
            }

            #[doc = concat!("A [`", stringify!($name), "`] whose labels are settled.")]
            #[derive(Debug, Clone)]
            pub struct $bound {
                instrument: $name,
                labels: Labels,
            }

            impl $bound {
                #[doc = $value_doc]
                pub fn $record(&self, value: f64) {
                    self.instrument.0.record(MetricValue::$variant(value), || self.labels.clone());
                }
            }
        )*

        impl Meter {
            $(
                #[doc = concat!("A [`", stringify!($name), "`] of this name.")]
                pub fn $make(&self, name: impl Into<Str>) -> $name {
                    let (meter, name) = (self.clone(), name.into());
                    $name(Arc::new(Instrument { meter, name, unit: None, description: None }))
                }
            )*
        }
    };
}

instruments! {
    /// Counts what only grows.
    Counter, BoundCounter, counter, add, Add,
        "Adds to the count; a negative or non-finite increment is refused by whoever aggregates, and counted.";
    /// Counts what grows and shrinks.
    UpDownCounter, BoundUpDownCounter, up_down_counter, add, UpDown, "Adds to the count.";
    /// Tells the value that something has now.
    Gauge, BoundGauge, gauge, set, Gauge, "Sets the value.";
    /// Collects a distribution.
    Histogram, BoundHistogram, histogram, record, Sample, "Adds a sample.";
}
