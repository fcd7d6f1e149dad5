//! The processors that an instance sets up for itself, in the one order in which they must run.

use std::sync::Arc;

use obs_core::{Env, Error, Signal};
use obs_pipeline::{PipelineBuilder, Processor};

use crate::AutomaticMetrics;
use crate::automatic::{Automatic, Starts};
use crate::cost::{CostConfig, Prices};
use crate::env::conflict;
use crate::summed::{RecordSums, Sums};

/// What the builder was told of them; what was not said has its default.
#[derive(Debug, Default)]
pub(crate) struct OwnProcessors {
    pub(crate) cost: Option<CostConfig>,
    pub(crate) automatic: AutomaticMetrics,
    sums: Arc<Sums>,
    /// The prices that the environment names.
    env_prices: Option<Prices>,
}

impl OwnProcessors {
    /// Reads what the environment says of them.
    pub(crate) fn read(&mut self, env: &Env) -> Result<(), Error> {
        self.env_prices = Prices::from_env(env)?;
        Ok(())
    }

    /// How costs are found: as the code says, else by the prices that the environment names.
    pub(crate) fn costs(&self) -> CostConfig {
        if self.cost.is_some() && self.env_prices.is_some() {
            conflict("prices", "the code", Prices::VARIABLE);
        }
        let named = || self.env_prices.clone().map(CostConfig::new);
        self.cost.clone().or_else(named).unwrap_or_default()
    }

    /// Puts them before the application's: costs first, so that whatever comes after knows them.
    pub(crate) fn add_to(self, pipeline: PipelineBuilder, costs: &CostConfig) -> PipelineBuilder {
        let mut own: Vec<Box<dyn Processor>> = vec![Box::new(RecordSums(self.sums))];
        if let Some(cost) = costs.processor() {
            own.push(Box::new(cost));
        }
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
