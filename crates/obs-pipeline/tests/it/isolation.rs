//! Law 3: what one destination does changes nothing for the others.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Health, Signal};
use obs_testkit::{Scripted, Step};

use crate::make::{builder, eventually, record};

#[test]
fn law_3_isolation_hung_failing_panicking_exporter() {
    let troubles = [("hung", Step::Hang), ("failing", Step::unavailable()), ("panicking", Step::Panic)];
    let well = Scripted::new([]);
    let mut builder = builder().to_named("well", Arc::clone(&well));
    for (name, step) in troubles {
        builder = builder.to_named(name, Scripted::builder([]).and_then(step).shared());
    }
    let pipeline = builder.build().unwrap();
    let intake = pipeline.intake();
    for round in 1..=10 {
        for signal in Signal::ALL {
            (0..50).for_each(|at| record(&intake, signal, at));
        }
        let report = pipeline.flush(Duration::from_millis(50));
        assert!(report.is_balanced(), "{report}");
        for signal in Signal::ALL {
            eventually("it delivers at its own pace", || well.delivered(signal) == round * 50);
        }
    }
    let health: Vec<_> = pipeline.health().into_iter().map(|(_, health)| health).collect();
    assert_eq!(health[0], Health::Healthy);
    assert!(matches!(&health[2], Health::Unhealthy(why) if why.contains("unavailable")), "{health:?}");
    assert!(matches!(&health[3], Health::Degraded(why) if why.contains("panic")), "{health:?}");
}
