//! How many requests a backend's account may make.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use obs_core::{ErrorKind, Failure, Retry};
use tokio::time::Instant;

/// Keeps requests within what an account allows a minute, before the backend has to refuse them.
///
/// A tenth of a minute's worth may go at once, the rest evenly, so that no window of a minute sees more than 110 %.
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
        let interval = Duration::from_mins(1) / requests;
        Self { interval, ahead: interval * (requests / 10).saturating_sub(1), next: Mutex::new(None) }
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
        let message = format!("the account's {} requests a minute are used up for now", self.a_minute());
        Err(Failure {
            kind: ErrorKind::RateLimited,
            retry: Retry::After(wait),
            status: None,
            message: message.into(),
        })
    }

    fn a_minute(&self) -> u128 {
        Duration::from_mins(1).as_nanos() / self.interval.as_nanos().max(1)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("requests_a_minute", &self.a_minute()).finish_non_exhaustive()
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
    async fn no_minute_sees_more_than_a_tenth_above_what_is_allowed_and_the_share_is_used() {
        for requests in [1, 9, 30, 1_000] {
            let pace = Pace::per_minute(requests);
            let taken = taken_within(&pace, Duration::from_mins(1)).await;
            let most = requests as usize + (requests as usize / 10).max(1);
            assert!((requests as usize..=most).contains(&taken), "{taken} of {requests}");
            tokio::time::advance(Duration::from_hours(1)).await;
            assert!(taken_within(&pace, Duration::from_mins(1)).await <= most, "a rest saves nothing up");
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
