//! Law 2: whatever runs in the host, and whatever the destinations do.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use obs_core::Signal;
use obs_pipeline::{Pipeline, Report, dropped};
use obs_testkit::{Scripted, Step};
use tokio::runtime::Builder;

use crate::make::{PATIENCE, builder, record};

/// How long the host gives its calls.
const DEADLINE: Duration = Duration::from_millis(300);
/// How long a call may take at most: its deadline, and what a busy machine needs to notice.
const LATEST: Duration = Duration::from_secs(5);

/// A runtime flavour: runs the host's code.
type Host = fn(Box<dyn FnOnce() + Send>);

const HOSTS: [(&str, Host); 4] = [
    ("no runtime", |work| work()),
    ("current thread", |work| Builder::new_current_thread().build().unwrap().block_on(async { work() })),
    ("one worker", |work| {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async { tokio::spawn(async { work() }).await.unwrap() });
    }),
    ("multi-thread", |work| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async { tokio::spawn(async { work() }).await.unwrap() });
    }),
];

/// Runs the host's code under a flavour; fails where it does not come back.
fn under<T: Send + 'static>(name: &str, host: Host, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, came) = mpsc::channel();
    thread::spawn(move || {
        host(Box::new(move || {
            let _ = done.send(work());
        }));
    });
    came.recv_timeout(LATEST).unwrap_or_else(|_| panic!("under {name}, the call did not come back"))
}

fn everything(pipeline: &Pipeline) -> [Report; 2] {
    let intake = pipeline.intake();
    for signal in Signal::ALL {
        (0..100).for_each(|at| record(&intake, signal, at));
    }
    let synced = pipeline.sync(DEADLINE);
    assert!(!synced.durable && synced.not_durable.len() == 2 * Signal::COUNT, "{synced:?}");
    let reports = [pipeline.flush(DEADLINE), pipeline.shutdown(DEADLINE)];
    assert_eq!(pipeline.flush(DEADLINE).destinations, reports[1].destinations, "afterwards it only reports");
    reports
}

#[test]
fn law_2_host_is_safe_on_every_runtime_with_a_hung_exporter() {
    for (name, host) in HOSTS {
        let reports = under(name, host, || {
            let hung = Scripted::builder([]).and_then(Step::Hang).shared();
            let pipeline = builder().to_named("hung", hung).to(Scripted::new([])).build().unwrap();
            everything(&pipeline)
        });
        for report in &reports {
            assert!(!report.complete && report.is_balanced(), "{name}: {report}");
            for (_, terms) in report.destination("scripted").unwrap().signals.iter() {
                assert_eq!(terms.delivered, 100, "{name}: {report}");
            }
        }
        for (_, terms) in reports[1].destination("hung").unwrap().signals.iter() {
            assert_eq!((terms.dropped.get(dropped::SHUTDOWN), terms.queued), (100, 0), "{name}");
        }
    }
}

#[test]
fn law_2_host_is_safe_on_every_runtime_when_all_is_well() {
    for (name, host) in HOSTS {
        let exporter = Scripted::new([]);
        let [flushed, shut] = under(name, host, {
            let exporter = Arc::clone(&exporter);
            move || {
                let pipeline = builder().to(exporter).build().unwrap();
                let intake = pipeline.intake();
                (0..100).for_each(|at| record(&intake, Signal::Logs, at));
                [pipeline.flush(PATIENCE), pipeline.shutdown(PATIENCE)]
            }
        });
        assert!(flushed.complete && shut.complete, "{name}: {shut}");
        assert_eq!(exporter.delivered(Signal::Logs), 100, "{name}");
        assert!(exporter.is_closed(), "{name}");
    }
}

#[test]
fn law_2_dropping_the_pipeline_ends_within_its_deadline() {
    let hung = Scripted::builder([]).and_then(Step::Hang).shared();
    under("no runtime", HOSTS[0].1, move || {
        let pipeline = builder().to(hung).build().unwrap();
        record(&pipeline.intake(), Signal::Logs, 1);
        drop(pipeline);
    });
}

#[test]
fn what_a_thread_recorded_before_it_ended_is_not_lost() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let intake = pipeline.intake();
            thread::spawn(move || (0..500).for_each(|at| record(&intake, Signal::Traces, at)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!(exporter.delivered(Signal::Traces), 4_000);
}

#[test]
fn records_made_while_a_thread_ends_are_not_lost() {
    struct AtTheEnd(obs_pipeline::Intake);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            record(&self.0, Signal::Logs, 1);
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
    }
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    thread::spawn(move || {
        LAST.with_borrow_mut(|last| *last = Some(AtTheEnd(intake.clone())));
        record(&intake, Signal::Logs, 0);
    })
    .join()
    .unwrap();
    pipeline.flush(PATIENCE);
    assert_eq!(exporter.delivered(Signal::Logs), 2);
}
