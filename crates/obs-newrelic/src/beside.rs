//! Events of the user's own, which are posted beside records: after those were taken, and never in their place.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{Failure, Retry};
use tokio::time::Instant;

use crate::pack::Packed;

/// The most bytes of events that wait for the Event API.
const MOST: usize = 8 << 20;
/// How long the Event API has its rest where it does not say.
const REST: Duration = Duration::from_secs(10);
/// The least time between two warnings.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// Events whose records were taken and which were not taken themselves yet.
///
/// They wait in memory, in their order, so that nobody posts them twice but where no answer came.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Packed>,
    /// Until when the Event API has its rest.
    rest: Option<Instant>,
    warned: Option<Instant>,
    lost: Lost,
}

/// What was given up since the last warning, and why the last of it was.
#[derive(Debug, Default)]
struct Lost {
    events: usize,
    cause: Option<Box<str>>,
}

impl State {
    fn lose(&mut self, events: usize, cause: &str) {
        self.lost.events += events;
        self.lost.cause = Some(cause.into());
    }

    /// Gives up the oldest, where more waits than may.
    fn trim(&mut self) {
        let mut bytes: usize = self.waiting.iter().map(|packed| packed.body.len()).sum();
        while bytes > MOST
            && let Some(oldest) = self.waiting.pop_front()
        {
            bytes -= oldest.body.len();
            self.lose(oldest.events, "more waited than there is room for");
        }
    }

    /// The warning that is due, if one is.
    fn warning(&mut self, now: Instant, last: bool) -> Option<Lost> {
        let is_due = self.warned.is_none_or(|warned| now.duration_since(warned) >= BETWEEN_WARNINGS);
        if self.lost.cause.is_none() || !(is_due || last) {
            return None;
        }
        self.warned = Some(now);
        Some(std::mem::take(&mut self.lost))
    }
}

/// Events that are on their way; where nobody says what became of them, they wait again, as the first ones.
struct Taken<'a> {
    beside: &'a Beside,
    packed: Option<Packed>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(packed) = self.packed.take() {
            self.beside.lock().waiting.push_front(packed);
        }
    }
}

impl Beside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Taken<'_>> {
        let packed = Some(self.lock().waiting.pop_front()?);
        Some(Taken { beside: self, packed })
    }

    /// Posts events whose records were taken, behind those that wait; while the Event API has its rest, they wait, too.
    pub(crate) async fn add<F>(&self, events: Vec<Packed>, post: impl Fn(Vec<u8>) -> F)
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let is_resting = {
            let mut state = self.lock();
            state.trim();
            state.waiting.extend(events);
            state.rest.is_some_and(|rest| Instant::now() < rest)
        };
        if !is_resting {
            self.post_all(post).await;
        }
        self.lock().trim();
        self.warn(false);
    }

    /// Posts what waits, whether or not the Event API has its rest.
    pub(crate) async fn flush<F>(&self, post: impl Fn(Vec<u8>) -> F)
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.post_all(post).await;
        self.warn(false);
    }

    /// Posts what waits for the last time, and gives up the rest.
    pub(crate) async fn end<F>(&self, post: impl Fn(Vec<u8>) -> F)
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.post_all(post).await;
        self.give_up();
    }

    /// Gives up what waits, since nobody is going to post it.
    pub(crate) fn give_up(&self) {
        let mut state = self.lock();
        let events: usize = state.waiting.drain(..).map(|packed| packed.events).sum();
        if events > 0 {
            state.lose(events, "the exporter was shut down before the Event API took them");
        }
        drop(state);
        self.warn(true);
    }

    async fn post_all<F>(&self, post: impl Fn(Vec<u8>) -> F)
    where
        F: Future<Output = Result<(), Failure>>,
    {
        while let Some(mut taken) = self.take() {
            let body = taken.packed.as_ref().map(|packed| packed.body.clone()).unwrap_or_default();
            match post(body).await {
                Ok(()) => {
                    taken.packed = None;
                    self.lock().rest = None;
                }
                Err(failure) if failure.kind.is_content() => {
                    let events = taken.packed.take().map_or(0, |packed| packed.events);
                    self.lock().lose(events, &failure.message);
                }
                Err(failure) => {
                    drop(taken);
                    let rest = match failure.retry {
                        Retry::After(rest) | Retry::Hold(rest) => rest,
                        Retry::Backoff | Retry::Never => REST,
                    };
                    let mut state = self.lock();
                    state.rest = Instant::now().checked_add(rest);
                    // Nothing is lost yet, but nobody else tells of it.
                    state.lost.cause = Some(failure.message);
                    break;
                }
            }
        }
    }

    fn warn(&self, last: bool) {
        let (warning, waiting) = {
            let mut state = self.lock();
            let waiting: usize = state.waiting.iter().map(|packed| packed.events).sum();
            (state.warning(Instant::now(), last), waiting)
        };
        if let Some(Lost { events, cause }) = warning {
            tracing::warn!(
                target: "obs::newrelic",
                lost = events,
                waiting,
                "events of event_types were not taken (their records were): {}",
                cause.unwrap_or_default()
            );
        }
    }
}

/// Who forgets to shut down hears what went with it.
impl Drop for Beside {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use obs_core::ErrorKind;

    use super::*;

    fn packed(mark: u8, bytes: usize) -> Packed {
        Packed { body: vec![mark; bytes], events: 2, records: Vec::new() }
    }

    fn failure(kind: ErrorKind, retry: Retry) -> Failure {
        Failure { kind, retry, status: None, message: "because".into() }
    }

    /// An Event API that answers so, and what it got.
    struct Api {
        answers: Mutex<VecDeque<Failure>>,
        got: Mutex<Vec<Vec<u8>>>,
    }

    impl Api {
        fn new(answers: impl IntoIterator<Item = Failure>) -> Self {
            Self { answers: Mutex::new(answers.into_iter().collect()), got: Mutex::default() }
        }

        fn post(&self, body: Vec<u8>) -> Ready<Result<(), Failure>> {
            self.got.lock().unwrap().push(body);
            ready(self.answers.lock().unwrap().pop_front().map_or(Ok(()), Err))
        }

        fn got(&self) -> Vec<u8> {
            self.got.lock().unwrap().drain(..).map(|body| body[0]).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_goes_before_what_comes_once_the_rest_is_over() {
        for (retry, rest) in [
            (Retry::Backoff, REST),
            (Retry::After(Duration::from_secs(90)), Duration::from_secs(90)),
            (Retry::Hold(Duration::from_mins(1)), Duration::from_mins(1)),
        ] {
            let (beside, api) = (Beside::default(), Api::new([failure(ErrorKind::Unavailable, retry)]));
            let post = |body| api.post(body);
            beside.add(vec![packed(1, 10), packed(2, 10)], post).await;
            assert_eq!(api.got(), [1], "the second one need not go there in vain");
            tokio::time::advance(rest.saturating_sub(Duration::from_millis(1))).await;
            beside.add(vec![packed(3, 10)], post).await;
            assert!(api.got().is_empty());
            tokio::time::advance(Duration::from_millis(1)).await;
            beside.add(vec![packed(4, 10)], post).await;
            assert_eq!(api.got(), [1, 2, 3, 4]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_counted_and_holds_nobody_up() {
        let api = Api::new([
            failure(ErrorKind::Rejected, Retry::Never),
            failure(ErrorKind::TooLarge, Retry::Never),
        ]);
        let beside = Beside::default();
        beside.lock().warned = Some(Instant::now());
        beside.add((1..=3).map(|mark| packed(mark, 10)).collect(), |body| api.post(body)).await;
        assert_eq!(api.got(), [1, 2, 3]);
        assert_eq!(beside.lock().lost.events, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_what_falls_out_is_counted() {
        let out = || failure(ErrorKind::Unavailable, Retry::Backoff);
        let api = Api::new([out()]);
        let beside = Beside::default();
        let many = (0..20).map(|mark| packed(mark, 1 << 20)).collect();
        beside.add(many, |body| api.post(body)).await;
        let state = beside.lock();
        assert_eq!((state.waiting.len(), state.waiting[0].body[0]), (8, 12));
        drop(state);
        let lost = beside.lock().warning(Instant::now() + BETWEEN_WARNINGS, false);
        assert!(lost.is_none(), "it was told already");
    }

    #[tokio::test(start_paused = true)]
    async fn a_warning_comes_once_a_minute_and_counts_what_came_meanwhile() {
        let mut state = State::default();
        let start = Instant::now();
        state.lose(2, "a");
        assert_eq!(state.warning(start, false).map(|lost| lost.events), Some(2));
        state.lose(3, "b");
        assert!(state.warning(start + Duration::from_secs(59), false).is_none());
        state.lose(4, "c");
        let told = state.warning(start + BETWEEN_WARNINGS, false).unwrap();
        assert_eq!((told.events, told.cause.as_deref()), (7, Some("c")));
        state.lose(1, "d");
        assert!(state.warning(start + BETWEEN_WARNINGS, true).is_some(), "the last one is not held back");
        assert!(state.warning(start + BETWEEN_WARNINGS * 9, true).is_none(), "nothing is told twice");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_on_its_way_when_the_call_is_dropped_waits_again() {
        let beside = Beside::default();
        let never = |_| std::future::pending();
        let call = beside.add(vec![packed(1, 10), packed(2, 10)], never);
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
        let api = Api::new([]);
        beside.flush(|body| api.post(body)).await;
        assert_eq!(api.got(), [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_gives_up_what_is_not_taken_then() {
        let api = Api::new([failure(ErrorKind::Unavailable, Retry::Backoff)]);
        let beside = Beside::default();
        beside.end(|body| api.post(body)).await;
        beside.add(vec![packed(1, 10)], |body| api.post(body)).await;
        beside.end(|_| async { Err(failure(ErrorKind::Unavailable, Retry::Backoff)) }).await;
        assert!(beside.lock().waiting.is_empty() && beside.lock().lost.cause.is_none());
    }
}
