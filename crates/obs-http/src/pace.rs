//! How many requests a backend's account may make.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use obs_core::{ErrorKind, Failure, Retry};
use tokio::time::Instant;

/// Keeps requests within what an account allows a minute, before the backend has to refuse them.
///
/// A tenth of a minute's worth may go at once, the rest evenly, so that no minute sees more than it may.
/// What comes too soon is a rate limit with the wait it takes: nothing waits here, the delivery rests that lane.
///
/// ```
/// use obs_http::Pace;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let pace = Pace::per_minute(30);
/// assert!((0..3).all(|_| pace.take().is_ok()));
/// assert!(pace.take().is_err());
/// # }
/// ```
pub struct Pace {
    /// How many a minute.
    requests: u32,
    /// Between two requests.
    interval: Duration,
    /// How far ahead of an even flow requests may be.
    ahead: Duration,
    /// When the next request would come in an even flow; `None` before the first.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most so many requests a minute; 0 counts as 1.
    pub fn per_minute(requests: u32) -> Self {
        let requests = requests.max(1);
        let at_once = (requests / 10).max(1);
        // What may go at once comes on top of the even flow.
        let interval = Duration::from_mins(1) / (requests - at_once + 1);
        Self { requests, interval, ahead: interval * (at_once - 1), next: Mutex::new(None) }
    }

    /// Takes leave to send one request now.
    ///
    /// # Errors
    /// A failure of [`ErrorKind::RateLimited`] with the wait, where the account's share is used up.
    pub fn take(&self) -> Result<(), Failure> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next.unwrap_or(now).max(now);
        let wait = due.duration_since(now).saturating_sub(self.ahead);
        if wait.is_zero() {
            *next = Some(due + self.interval);
            return Ok(());
        }
        let message = format!("the account's {} requests a minute are used up for now", self.requests);
        Err(Failure {
            kind: ErrorKind::RateLimited,
            retry: Retry::After(wait),
            status: None,
            message: message.into(),
        })
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("requests_a_minute", &self.requests).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken_within(pace: &Pace, time: Duration) -> usize {
        let (end, mut taken) = (Instant::now() + time, 0);
        while Instant::now() < end {
            match pace.take() {
                Ok(()) => taken += 1,
                Err(Failure { retry: Retry::After(wait), .. }) => tokio::time::sleep(wait).await,
                Err(failure) => panic!("{failure:?}"),
            }
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_than_is_allowed_and_the_share_is_used() {
        for requests in [1, 9, 30, 1_000] {
            let pace = Pace::per_minute(requests);
            for minute in 0..3 {
                let taken = taken_within(&pace, Duration::from_mins(1)).await;
                let least = requests as usize * 9 / 10;
                assert!(
                    (least..=requests as usize).contains(&taken),
                    "{taken} of {requests} in minute {minute}"
                );
            }
            tokio::time::advance(Duration::from_hours(1)).await;
            let taken = taken_within(&pace, Duration::from_mins(1)).await;
            assert_eq!(taken, requests as usize, "a rest saves nothing up, and all may go after one");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_is_told_is_enough() {
        let pace = Pace::per_minute(60);
        while pace.take().is_ok() {}
        let Retry::After(wait) = pace.take().unwrap_err().retry else { panic!("no wait") };
        tokio::time::advance(wait).await;
        assert!(pace.take().is_ok());
        assert!(pace.take().unwrap_err().message.contains("60 requests a minute"));
    }
}
