//! Automatic metrics in the collector: before every filter, so that what is filtered is counted.

use obs_core::{Metric, Signal, Signals, SpanRecord};
use obs_pipeline::{Emit, Processor, Segment};

use super::cardinality::Rules;
use super::config::AutomaticMetrics;
use super::counting::{Counting, Known};
use super::own::OwnMetrics;

/// Makes metrics of spans, scores and feedback, and keeps the labels of all metrics within bounds.
#[derive(Debug)]
pub(crate) struct Automatic {
    rules: Rules,
    counting: Option<Counting>,
    own: Option<OwnMetrics>,
}

impl Automatic {
    /// `None` where there is nothing to do.
    pub(crate) fn new(config: &AutomaticMetrics, traced: bool) -> Option<Self> {
        let counting = Counting::new(config, traced);
        let own = config.cardinality.own_metrics.then(OwnMetrics::default);
        (counting.is_some() || own.is_some()).then(|| Self {
            rules: Rules::new(&config.cardinality),
            counting,
            own,
        })
    }

    fn spans(&mut self, records: &mut [SpanRecord], emit: &mut Emit) {
        let Some(counting) = &mut self.counting else { return };
        for record in records {
            let flags = &mut record.span_mut().trace_flags;
            let known = Known::of(*flags);
            *flags &= !Known::BITS;
            if let Some(span) = record.ended() {
                counting.span(&self.rules, span, known, emit);
            }
        }
    }

    fn metrics(&mut self, records: &mut [Metric]) {
        for metric in records {
            let start = self.counting.as_ref().and_then(|counting| counting.place(&metric.name));
            match (&mut self.counting, start, &mut self.own) {
                (Some(counting), Some(of), _) => {
                    metric.labels = counting.settle_start(&self.rules, of, &metric.labels);
                }
                (_, _, Some(own)) => own.settle(&self.rules, metric),
                _ => {}
            }
        }
    }
}

impl Processor for Automatic {
    #[expect(clippy::unnecessary_literal_bound, reason = "the signature of the trait")]
    fn name(&self) -> &str {
        "automatic_metrics"
    }

    fn needs(&self) -> Signals {
        match &self.counting {
            Some(_) => Signals::NONE.with(Signal::Traces).with(Signal::Scores).with(Signal::Feedback),
            None => Signals::NONE,
        }
    }

    fn process(&mut self, records: &mut Segment, emit: &mut Emit) {
        match (records, &mut self.counting) {
            (Segment::Traces(records), _) => self.spans(records, emit),
            (Segment::Metrics(records), _) => self.metrics(records),
            (Segment::Scores(records), Some(counting)) => {
                for score in records {
                    counting.score(&self.rules, score, emit);
                }
            }
            (Segment::Feedback(records), Some(counting)) => {
                for feedback in records {
                    counting.feedback(&self.rules, feedback, emit);
                }
            }
            _ => {}
        }
    }
}
