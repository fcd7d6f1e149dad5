//! How long a backend asks to be left alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_core::Timestamp;

/// The longest wait that is believed; what a backend asks for beyond it is cut, since its records grow old meanwhile
/// and a wrong clock may have written it.
pub const MAX_WAIT: Duration = Duration::from_mins(10);

/// Reads `Retry-After`: whole seconds, or an HTTP date.
///
/// A date is compared with the answer's own `Date`, so that this machine's clock does not matter, else with `now`;
/// one in the past is no wait, and without either there is nothing to compare it with.
/// `None` where there is no wish that can be understood; no more than [`MAX_WAIT`].
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(obs_http::retry_after("120", None, None), Some(Duration::from_secs(120)));
/// assert_eq!(obs_http::retry_after("soon", None, None), None);
/// ```
pub fn retry_after(value: &str, date: Option<&str>, now: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for the type is a long wait all the same.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_WAIT));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let sent = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = sent.or_else(|| now.map(system_time))?;
    Some(until.duration_since(now).unwrap_or_default().min(MAX_WAIT))
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(time.as_nanos())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 12:01:30 GMT";

    #[test]
    fn seconds_and_the_three_forms_of_a_date_are_read() {
        let seconds = |value| retry_after(value, Some(NOON), None).map(|wait| wait.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds(LATER), Some(90));
        assert_eq!(seconds("Sunday, 06-Nov-94 12:01:30 GMT"), Some(90));
        assert_eq!(seconds("Sun Nov  6 12:01:30 1994"), Some(90));
    }

    #[test]
    fn a_long_wait_is_cut_and_a_past_date_is_none() {
        assert_eq!(retry_after("601", None, None), Some(MAX_WAIT));
        assert_eq!(retry_after("99999999999999999999999", None, None), Some(MAX_WAIT));
        assert_eq!(retry_after("Sat, 06 Nov 2094 12:00:00 GMT", Some(NOON), None), Some(MAX_WAIT));
        assert_eq!(retry_after(NOON, Some(LATER), None), Some(Duration::ZERO));
    }

    #[test]
    fn without_a_date_of_the_answer_the_given_clock_is_read() {
        let noon = httpdate::parse_http_date(NOON).unwrap().duration_since(UNIX_EPOCH).unwrap();
        let noon = Timestamp::from_nanos(noon.as_nanos() as u64);
        assert_eq!(retry_after(LATER, None, Some(noon)), Some(Duration::from_secs(90)));
        assert_eq!(retry_after(LATER, Some("yesterday"), Some(noon)), Some(Duration::from_secs(90)));
        assert_eq!(retry_after(LATER, None, None), None);
    }

    #[test]
    fn what_cannot_be_understood_asks_for_nothing() {
        for value in ["", "soon", "-5", "1.5", "7s", "0x10", "Sun, 99 Nov 1994 12:00:00 GMT"] {
            assert_eq!(retry_after(value, Some(NOON), None), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_bounded_wait_or_none(value in any::<String>(), date in any::<Option<String>>(), now in any::<u64>()) {
            let wait = retry_after(&value, date.as_deref(), Some(Timestamp::from_nanos(now)));
            prop_assert!(wait.is_none_or(|wait| wait <= MAX_WAIT));
        }
    }
}
