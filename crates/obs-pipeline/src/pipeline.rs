//! The running whole.

use std::time::Duration;

use obs_core::{Error, Health, Signals};

use crate::builder::PipelineBuilder;
use crate::{Clock, DestinationReport, Intake, PerSignal, Report, SyncReport};

/// Delivery at work: it owns the threads; dropping it shuts it down within [`PipelineBuilder::drop_deadline`].
///
/// Its methods block the calling thread until they are done or their deadline passes; they need no runtime and work
/// inside any, since nothing they wait for runs on the caller's.
#[derive(Debug)]
pub struct Pipeline {
    intake: Intake,
    names: Vec<Box<str>>,
}

impl Pipeline {
    /// Describes a pipeline.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::new()
    }

    pub(crate) fn start(builder: PipelineBuilder) -> Result<Self, Error> {
        let clock = builder.clock.unwrap_or_else(Clock::system);
        let (mut wanted, mut started) = (Signals::NONE, false);
        for destination in &builder.destinations {
            wanted = wanted.union(destination.exporter.descriptor().signals());
            started |= destination.exporter.descriptor().wants_started();
        }
        let intake = Intake::new(wanted, started, builder.intake_bytes, clock);
        Ok(Self {
            intake,
            names: builder.destinations.into_iter().map(|destination| destination.name).collect(),
        })
    }

    /// Where records enter.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Delivers all that was recorded before, if that is done within `deadline`.
    pub fn flush(&self, deadline: Duration) -> Report {
        let _ = deadline;
        self.report()
    }

    /// Brings all that was recorded before to disk where a lane has one, if that is done within `deadline`.
    pub fn sync(&self, deadline: Duration) -> SyncReport {
        let _ = deadline;
        SyncReport { durable: false, not_durable: Vec::new(), report: self.report() }
    }

    /// Stops recording, delivers what is there and shuts the exporters down, all within `deadline`.
    ///
    /// What could not be delivered by then is dropped and counted as `shutdown`; a second call only reports.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        let _ = deadline;
        self.intake.close();
        self.report()
    }

    /// The ledgers at this moment.
    pub fn report(&self) -> Report {
        let health = self.health();
        let destinations = health
            .into_iter()
            .map(|(name, health)| DestinationReport { name, health, signals: PerSignal::default() })
            .collect();
        Report { complete: false, intake: PerSignal::default(), destinations }
    }

    /// How the destinations are, as far as their last calls tell; asks nobody.
    pub fn health(&self) -> Vec<(Box<str>, Health)> {
        self.names.iter().map(|name| (name.clone(), Health::Healthy)).collect()
    }
}
