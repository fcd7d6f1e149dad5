//! What happens when nothing goes wrong.

use obs_core::Signal;

use crate::make::{PATIENCE, pipeline, record};

#[test]
fn all_five_signals_arrive_and_are_accounted_for() {
    let (pipeline, exporter) = pipeline([]);
    let intake = pipeline.intake();
    for signal in Signal::ALL {
        for at in 0..300 {
            record(&intake, signal, at);
        }
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    for signal in Signal::ALL {
        assert_eq!(exporter.delivered(signal), 300, "{report}");
        assert_eq!(report.destinations[0].signals.get(signal).delivered, 300);
    }
    let report = pipeline.shutdown(PATIENCE);
    assert!(report.complete && exporter.is_closed(), "{report}");
    record(&intake, Signal::Logs, 1);
    assert_eq!(pipeline.report().intake.get(Signal::Logs).recorded, 300, "closed is closed");
}
