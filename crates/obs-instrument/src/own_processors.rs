//! The processors that an instance sets up for itself, in the one order in which they must run.

use std::sync::Arc;

use obs_core::{Error, Signal};
use obs_pipeline::{PipelineBuilder, Processor};

use crate::AutomaticMetrics;
use crate::automatic::{Automatic, Starts};
use crate::summed::{RecordSums, Sums};

/// What the builder was told of them; what was not said has its default.
#[derive(Debug, Default)]
pub(crate) struct OwnProcessors {
    pub(crate) automatic: AutomaticMetrics,
    sums: Arc<Sums>,
}

impl OwnProcessors {
    /// Puts them before the application's.
    pub(crate) fn add_to(self, pipeline: PipelineBuilder) -> PipelineBuilder {
        let mut own: Vec<Box<dyn Processor>> = vec![Box::new(RecordSums(self.sums))];
        let taken = pipeline.taken();
        if !taken.contains(Signal::Metrics) {
            return pipeline.processors_first(own);
        }
        if let Some(automatic) = Automatic::new(&self.automatic, taken.contains(Signal::Traces)) {
            own.push(Box::new(automatic));
        }
        pipeline.processors_first(own).advise_bounds(self.automatic.advice())
    }

    /// The counters that add up in place.
    pub(crate) fn sums(&self) -> Arc<Sums> {
        Arc::clone(&self.sums)
    }

    /// Whether metrics are made of spans, for a destination that takes them.
    pub(crate) fn counts(&self, pipeline: &PipelineBuilder) -> bool {
        self.automatic.counts() && pipeline.taken().contains(Signal::Metrics)
    }

    /// What counts starts, if they are to be counted.
    ///
    /// # Errors
    /// A configuration error for options of automatic metrics that cannot be obeyed.
    pub(crate) fn starts(&self, pipeline: &PipelineBuilder) -> Result<Option<Starts>, Error> {
        self.automatic.check()?;
        let taken = pipeline.taken();
        let wanted = taken.contains(Signal::Metrics);
        Ok(wanted.then(|| Starts::new(&self.automatic, taken.contains(Signal::Traces))).flatten())
    }
}
