//! One thing to measure, and what it costs.

use std::fmt;

use cpu_time::ThreadTime;

/// Operations in a burst: fewer than the smallest queue of a peer, so that nothing is dropped or waits.
pub(crate) const BURST: usize = 2_000;

/// One thing to measure.
pub(crate) struct Case {
    /// What it is called, in the table and on the command line.
    pub(crate) name: &'static str,
    /// Does it this many times, on this thread.
    pub(crate) burst: Box<dyn FnMut(usize)>,
    /// Has everything taken over that a burst left behind.
    pub(crate) flush: Box<dyn FnMut()>,
}

impl Case {
    pub(crate) fn new(
        name: &'static str,
        burst: impl FnMut(usize) + 'static,
        flush: impl FnMut() + 'static,
    ) -> Self {
        Self { name, burst: Box::new(burst), flush: Box::new(flush) }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an operation costs the thread that does it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// CPU time in nanoseconds, of the best burst: whatever disturbs a burst only adds.
    pub(crate) nanos: f64,
}

/// Measures the cases in turns, so that a busy machine is busy for all of them.
pub(crate) fn measure(cases: &mut [Case], rounds: usize) -> Vec<Cost> {
    let mut costs = vec![Cost { nanos: f64::INFINITY }; cases.len()];
    for case in &mut *cases {
        (case.burst)(BURST);
        (case.flush)();
    }
    for _ in 0..rounds {
        for (case, cost) in cases.iter_mut().zip(&mut costs) {
            let start = ThreadTime::now();
            (case.burst)(BURST);
            cost.nanos = cost.nanos.min(start.elapsed().as_nanos() as f64 / BURST as f64);
            (case.flush)();
        }
    }
    costs
}
