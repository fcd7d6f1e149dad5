//! Law 3: one destination hangs, and the others do not notice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use obs_core::Signal;
use obs_pipeline::{DestinationSpec, Intake, LaneConfig, Pipeline};
use quanta::Instant;

use super::Plan;
use super::load::{Recorder, recorded, total};
use super::report::Section;
use super::sink::Sink;

const RATE: u64 = 10_000;
const PAYLOAD: usize = 400;
const OTHERS: [&str; 2] = ["first", "second"];
/// How much a destination's rate may differ from what it was without the trouble.
const DEVIATION: f64 = 0.02;
const RECORD: Duration = Duration::from_micros(5);

/// Two destinations that work beside one that will hang.
struct Stage {
    pipeline: Pipeline,
    others: [Arc<Sink>; 2],
    hanging: Arc<Sink>,
    recorder: Recorder,
}

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    let mut stage = Stage::new()?;
    let mut control = Recorder::new(Intake::noop(), 0, PAYLOAD, &Signal::ALL);
    let mut control = control.control(RATE, Duration::from_secs(4));
    section.show("load", format!("{RATE} events/s, five signals in turns, {:?} a phase", plan.phase));
    section.show("the same into a vector behind a mutex, for comparison", control.shown());
    stage.rates(Duration::from_secs(1));
    stage.recorder.take_latencies();
    let before = stage.rates(plan.phase);
    stage.recorder.take_latencies().tell(section, "record calls without trouble", RECORD);
    stage.hanging.set_open(false);
    stage.rates(Duration::from_secs(1));
    stage.recorder.take_latencies();
    let during = stage.rates(plan.phase);
    let held = stage.pipeline.report().is_balanced();
    section.law("ledgers while one hangs", if held { "balanced" } else { "not" }, "balanced", held);
    for (at, name) in OTHERS.iter().enumerate() {
        let deviation = (during[at] / before[at] - 1.0).abs();
        let what = format!("rate of the {name} destination");
        let shown = format!("{:.0}/s before, {:.0}/s while the third hangs", before[at], during[at]);
        section.goal(&what, shown, format!("within {:.0} %", DEVIATION * 100.0), deviation <= DEVIATION);
    }
    stage.recorder.take_latencies().tell(section, "record calls while one hangs", RECORD);
    stage.end(section);
    Ok(())
}

impl Stage {
    fn new() -> Result<Self> {
        let (others, hanging) = ([Sink::new(true), Sink::new(true)], Sink::new(true));
        // Batches leave often, so that the end of a phase cuts off little.
        let config = LaneConfig { flush_interval: Some(Duration::from_millis(20)), ..LaneConfig::DEFAULT };
        let spec = |sink: &Arc<Sink>| DestinationSpec::new(Arc::clone(sink)).with_config(config.clone());
        let pipeline = Pipeline::builder()
            .to_named(OTHERS[0], spec(&others[0]))
            .to_named(OTHERS[1], spec(&others[1]))
            .to_named("hanging", spec(&hanging))
            .build()?;
        let recorder = Recorder::new(pipeline.intake(), 0, PAYLOAD, &Signal::ALL);
        Ok(Self { pipeline, others, hanging, recorder })
    }

    /// Records for so long; what the two that work took in a second.
    fn rates(&mut self, lasting: Duration) -> [f64; 2] {
        let (begin, before) = (Instant::now(), self.others.each_ref().map(|sink| sink.taken()));
        self.recorder.paced(RATE, lasting);
        let (took, after) = (begin.elapsed(), self.others.each_ref().map(|sink| sink.taken()));
        [0, 1].map(|at| (after[at] - before[at]) as f64 / took.as_secs_f64())
    }

    /// Lets the hanging one go on, and counts.
    fn end(self, section: &mut Section) {
        self.hanging.set_open(true);
        let flushed = self.pipeline.flush(Duration::from_secs(30));
        section.law("all settled once it answers", flushed.complete, true, flushed.complete);
        let report = self.pipeline.shutdown(Duration::from_secs(5));
        let balanced = report.is_balanced();
        section.law("ledgers at the end", if balanced { "balanced" } else { "not" }, "balanced", balanced);
        let (made, lost) = recorded(&report);
        section.law("recorded", made, self.recorder.next, made == self.recorder.next);
        section.none("lost at the intake", lost);
        for (name, sink) in OTHERS.iter().zip(&self.others) {
            let held = sink.taken() == made && total(&report, name, |terms| terms.delivered) == made;
            section.law(&format!("delivered to the {name}"), sink.taken(), made, held);
        }
        let dropped = total(&report, "hanging", |terms| terms.dropped.total());
        let sum = self.hanging.taken() + dropped;
        let shown = format!("{} delivered + {dropped} dropped for room", self.hanging.taken());
        section.law("at the one that hung", shown, made, sum == made);
    }
}
