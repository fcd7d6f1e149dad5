//! Runs and calls that began, told by the thread that opens the span, so that what never ends is counted, too.

use obs_core::{Exemplar, Metric, MetricValue, Span, Str, Timestamp};
use obs_pipeline::Intake;

use super::catalogue::Of;
use super::config::AutomaticMetrics;
use super::labels::{Run, list};

/// The bit of a span's trace flags that says, between its end and the collector, that its start was counted.
///
/// It is set only where automatic metrics are made, which take it off before anybody else sees the record.
pub(crate) const TOLD: u8 = 1 << 6;

/// Counts starts.
#[derive(Debug)]
pub(crate) struct Starts {
    names: [(Of, Str); 4],
    /// Whether any destination gets spans.
    traced: bool,
}

impl Starts {
    /// `None` where the catalogue is switched off.
    pub(crate) fn new(config: &AutomaticMetrics, traced: bool) -> Option<Self> {
        let all = [Of::AgentStarted, Of::ModelStarted, Of::ToolStarted, Of::WorkflowStarted];
        config
            .catalogue
            .then(|| Self { names: all.map(|of| (of, config.name(of.metric().name).into())), traced })
    }

    /// Counts the start of a run or call; whether the span is one.
    pub(crate) fn tell(&self, intake: &Intake, span: &Span, time: Timestamp) -> bool {
        let Some(run) = Run::of(span) else { return false };
        let Some((of, name)) = self.names.iter().find(|(of, _)| *of == run.started) else { return false };
        let mut metric = Metric::new_in(
            time,
            name.clone(),
            MetricValue::Add(1.0),
            span.context.clone(),
            span.resource.clone(),
        );
        metric.unit = Some(of.metric().unit.into());
        metric.description = Some(of.metric().description.into());
        metric.labels = list(run.plain());
        metric.exemplar = exemplar(span).filter(|_| self.traced);
        intake.metric(metric);
        true
    }
}

/// The span as an example, if its trace is sampled.
pub(crate) fn exemplar(span: &Span) -> Option<Exemplar> {
    (span.trace_flags & 1 != 0).then(|| Exemplar { span: span.reference(), value: None, time: None })
}
