//! Several instances, and tests that share nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use obs_instrument::{Observability, Recorder, Registry, observe};
use obs_testkit::{Scripted, Step};

use crate::collect::{Bench, with_global_registry};

const DEADLINE: Duration = Duration::from_secs(20);

fn names(registry: &Registry) -> Vec<String> {
    registry.names().iter().map(ToString::to_string).collect()
}

#[test]
fn the_first_is_the_default_and_a_name_is_taken_once() {
    let (registry, a, b) = (Registry::new(), Bench::new(), Bench::new());
    assert!(registry.default_instance().is_none());
    registry.register("a", a.obs.clone()).unwrap();
    registry.register("b", b.obs.clone()).unwrap();
    let error = registry.register("b", a.obs.clone()).unwrap_err();
    assert_eq!(error.message(), "registry: `b` is registered already; swap it, or take another name");
    assert_eq!(
        (names(&registry), registry.default_name().as_deref()),
        (vec!["a".into(), "b".into()], Some("a"))
    );

    registry.default_instance().unwrap().span("to a").end();
    registry.set_default("b").unwrap();
    registry.default_instance().unwrap().span("to b").end();
    assert_eq!((a.arrived().spans.len(), b.arrived().spans.len()), (1, 1));
    assert_eq!(b.arrived().spans[0].name, "to b");
    let error = registry.set_default("bb").unwrap_err();
    let message = "registry: no instance is called `bb`; register it first, or take one of `names()`";
    assert_eq!(error.message(), message, "no tenant learns of another by a name it wrote");
}

#[test]
fn no_other_takes_the_place_of_a_default_that_left() {
    let (registry, a, b) = (Registry::new(), Bench::new(), Bench::new());
    registry.register("a", a.obs.clone()).unwrap();
    registry.register("b", b.obs.clone()).unwrap();
    assert!(registry.remove("a").is_some_and(|obs| obs.span("still runs").is_recording()));
    assert!(registry.default_instance().is_none() && registry.get("a").is_none());
    registry.register("c", a.obs.clone()).unwrap();
    assert_eq!(registry.default_name().as_deref(), Some("c"));
}

#[test]
fn one_is_swapped_and_shut_down_without_touching_the_others() {
    let (registry, old, new, other) = (Registry::new(), Bench::new(), Bench::new(), Bench::new());
    assert!(registry.swap("acme", old.obs.clone()).is_none(), "the first of its name replaces nobody");
    registry.register("globex", other.obs.clone()).unwrap();
    let open = registry.get("acme").unwrap().span("open");
    let untouched = registry.get("globex").unwrap().span("untouched");

    let former = registry.swap("acme", new.obs.clone()).unwrap();
    registry.get("acme").unwrap().span("after").end();
    open.end();
    assert!(former.shutdown(DEADLINE).complete);
    assert_eq!((old.arrived().spans[0].name.as_str(), old.arrived().spans.len()), ("open", 1));
    assert_eq!((new.arrived().spans[0].name.as_str(), new.arrived().spans.len()), ("after", 1));
    assert_eq!(registry.default_name().as_deref(), Some("acme"), "a swap keeps the default");

    assert!(registry.shutdown("acme", DEADLINE).unwrap().complete);
    assert!(registry.shutdown("acme", DEADLINE).is_none() && registry.get("acme").is_none());
    assert!(!new.obs.span("too late").is_recording());
    untouched.end();
    assert_eq!(other.arrived().spans.len(), 1);
}

/// Law 3 between instances: one whose destination hangs holds up none of the others.
#[test]
fn law_3_isolation_of_instances_that_are_shut_down_together() {
    let registry = Registry::new();
    let hanging = Scripted::builder([]).and_then(Step::Hang).shared();
    for name in ["stuck", "stuck too", "stuck as well"] {
        let obs = Observability::builder("test").to(std::sync::Arc::clone(&hanging)).build().unwrap();
        obs.span("s").end();
        registry.register(name, obs).unwrap();
    }
    let free = Bench::new();
    free.obs.span("s").end();
    registry.register("free", free.obs.clone()).unwrap();
    let deadline = Duration::from_secs(1);
    let (reports, took) = timed(|| registry.shutdown_all(deadline));
    assert!(took < deadline * 2, "{took:?} for all together");
    let complete = |name: &str| reports.iter().find(|(other, _)| *other == *name).unwrap().1.complete;
    assert!(complete("free") && !complete("stuck"));
    assert_eq!((reports.len(), names(&registry).len()), (4, 0));
    assert!(registry.default_instance().is_none());
    assert_eq!(free.arrived().spans.len(), 1);
}

#[expect(clippy::disallowed_methods, reason = "it is the real time that a shutdown takes that is tested")]
fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed())
}

#[observe(registry = "looked up")]
fn looked_up() {}

/// Whoever only looks an instance up holds no handle of it, which would be the last one where another thread drops the
/// others just then; so it is always that thread which delivers.
#[test]
fn law_2_host_is_safe_from_an_instance_that_others_take_out() {
    let (dropped_here, rounds) = with_global_registry(dropped_where_taken_out);
    assert_eq!(dropped_here, rounds, "a call that looked the instance up shut it down");
}

/// How often the drop of what was taken out delivered it, of how many times, while others look it up.
fn dropped_where_taken_out(registry: &'static Registry) -> (usize, usize) {
    // Long enough that it is under way when the handle is dropped, also on a busy machine.
    let delivery = Duration::from_millis(60);
    let rounds = 40;
    let done = AtomicBool::new(false);
    let dropped_here = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    (0..100).for_each(|_| looked_up());
                    drop((registry.recorder(Some("looked up")), Recorder::at_hand()));
                }
            });
        }
        let round = |_| {
            let slow =
                Scripted::builder([]).and_then(Step::After(delivery, Box::new(Step::Deliver))).shared();
            let obs = Observability::builder("test").to(slow).build().unwrap();
            obs.span("s").end();
            registry.register("looked up", obs).unwrap();
            std::thread::yield_now();
            timed(|| drop(registry.remove("looked up"))).1 >= delivery / 2
        };
        let waited: Vec<_> = (0..rounds).map(round).collect();
        done.store(true, Ordering::Relaxed);
        waited.iter().filter(|here| **here).count()
    });
    (dropped_here, rounds)
}

#[test]
fn a_bridge_passes_over_an_instance_of_the_context_that_is_gone() {
    let bench = Bench::new();
    let context = bench.obs.context();
    context.scope(|| assert!(Recorder::at_hand().is_some_and(|recorder| !recorder.is_foreign(&context))));
    bench.last_handle();
    context.scope(|| assert!(Recorder::at_hand().is_none_or(|recorder| recorder.is_foreign(&context))));
}

#[test]
fn the_global_one_is_one() {
    let bench = Bench::new();
    with_global_registry(|registry| {
        registry.register("the_global_one_is_one", bench.obs.clone()).unwrap();
        let found = std::thread::spawn(|| Registry::global().get("the_global_one_is_one")).join().unwrap();
        found.unwrap().span("s").end();
        assert!(registry.remove("the_global_one_is_one").is_some());
    });
    assert_eq!(bench.arrived().spans.len(), 1);
}

/// How tests stay apart without anything global: each has its instance, and its context makes it the ambient one.
mod isolation {
    use super::*;

    /// Code under test, which is given no instance.
    fn answer() {
        let Some(obs) = Observability::current() else { return };
        obs.agent_run("answer").scope(|| obs.info("answered"));
    }

    fn check() {
        let bench = Bench::new();
        bench.obs.context().scope(answer);
        let arrived = bench.arrived();
        assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 1));
    }

    #[test]
    fn tests_that_run_side_by_side_see_their_own_records_alone() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(check);
            }
        });
    }

    #[test]
    fn without_an_instance_nothing_is_recorded() {
        answer();
        assert!(Observability::current().is_none());
    }

    #[test]
    fn a_child_follows_the_instance_of_its_context_and_an_explicit_call_its_own() {
        let (a, b) = (Bench::new(), Bench::new());
        a.obs.span("parent").scope(|| {
            Observability::current().unwrap().span("ambient").end();
            b.obs.span("explicit").end();
        });
        let (a, b) = (a.arrived(), b.arrived());
        assert_eq!(a.span("ambient").parent_span_id, Some(a.span("parent").span_id));
        let explicit = b.span("explicit");
        assert_eq!((explicit.trace_id, explicit.remote_parent), (a.span("parent").trace_id, true));
        assert_eq!((a.spans.len(), b.spans.len()), (2, 1));
    }
}
