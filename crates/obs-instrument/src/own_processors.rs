//! The processors that an instance sets up for itself, in the one order in which they must run.

use obs_pipeline::{PipelineBuilder, Processor};

use crate::cost::CostConfig;

/// What the builder was told of them; what was not said has its default.
#[derive(Debug, Default)]
pub(crate) struct OwnProcessors {
    pub(crate) cost: Option<CostConfig>,
}

impl OwnProcessors {
    /// Puts them before the application's: costs first, so that whatever comes after knows them.
    pub(crate) fn add_to(self, pipeline: PipelineBuilder) -> PipelineBuilder {
        let mut own: Vec<Box<dyn Processor>> = Vec::new();
        if let Some(cost) = self.cost.unwrap_or_default().processor() {
            own.push(Box::new(cost));
        }
        pipeline.processors_first(own)
    }
}
