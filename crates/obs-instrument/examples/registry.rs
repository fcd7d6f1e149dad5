//! Two tenants, each with an instance of its own: what one records never reaches the other's destination.

use std::time::Duration;

use obs_instrument::core::{Error, Signal};
use obs_instrument::{Observability, Registry};
use obs_json::{JsonExporter, Memory};

const DEADLINE: Duration = Duration::from_secs(5);

/// An instance, and the place that its records arrive at.
fn tenant() -> Result<(Observability, Memory), Error> {
    let (exporter, memory) = JsonExporter::memory();
    Ok((Observability::builder("shop").to(exporter).build()?, memory))
}

/// What serves a request of any tenant.
fn answer(tenants: &Registry, tenant: &str) {
    let Some(obs) = tenants.get(tenant) else { return };
    let run = obs.agent_run("answer");
    run.scope(|| obs.info("a customer asked"));
    run.end();
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tenants = Registry::new();
    let (acme, first) = tenant()?;
    let (globex, other) = tenant()?;
    tenants.register("acme", acme)?;
    tenants.register("globex", globex)?;
    answer(&tenants, "acme");
    answer(&tenants, "globex");

    // Acme moves to another destination; the former instance delivers what it has.
    let (moved, second) = tenant()?;
    let former = tenants.swap("acme", moved);
    answer(&tenants, "acme");
    if let Some(former) = former {
        println!("acme, before it moved:\n{}", former.shutdown(DEADLINE));
    }
    assert_eq!((first.len(Signal::Traces), first.len(Signal::Logs)), (1, 1));

    // Acme leaves; globex goes on.
    if let Some(report) = tenants.shutdown("acme", DEADLINE) {
        println!("acme, at the end:\n{report}");
    }
    assert_eq!((second.len(Signal::Traces), second.len(Signal::Logs)), (1, 1));
    answer(&tenants, "acme");
    answer(&tenants, "globex");

    for (name, report) in tenants.shutdown_all(DEADLINE) {
        assert!(report.complete);
        println!("{name}:\n{report}");
    }
    assert_eq!((other.len(Signal::Traces), other.len(Signal::Logs)), (2, 2));
    assert_eq!((first.len(Signal::Traces), second.len(Signal::Traces)), (1, 1), "nothing crossed over");
    Ok(())
}
