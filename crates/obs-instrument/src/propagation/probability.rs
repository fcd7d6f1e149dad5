//! OpenTelemetry's member of `tracestate`: how probable it was that the trace is recorded, and what decides in place of
//! its id.

use obs_core::{Ratio, Str};

use super::tracestate::bounded;

/// The key of the member, whose value is a list of `key:value` with semicolons between.
const KEY: &str = "ot";
/// The rejection threshold: hexadecimal digits, of which trailing zeros are left out.
const THRESHOLD: &str = "th";
/// The randomness: exactly [`DIGITS`] hexadecimal digits.
const RANDOMNESS: &str = "rv";
/// The digits of 56 bits.
const DIGITS: usize = 14;
/// The most characters of a member's value.
const LENGTH: usize = 256;

/// What the member says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Probability {
    /// With which share the trace was taken.
    pub(crate) share: Option<Ratio>,
    /// What decides in place of the trace's id.
    pub(crate) randomness: Option<u64>,
}

impl Probability {
    /// Reads it from a list of members; what is no threshold and no randomness is as if it were not there.
    pub(crate) fn read(state: Option<&str>) -> Self {
        let mut read = Self::default();
        for (key, value) in state.and_then(value).into_iter().flat_map(pairs) {
            match key {
                THRESHOLD => read.share = threshold(value).map(Ratio::from_threshold),
                RANDOMNESS => read.randomness = randomness(value),
                _ => {}
            }
        }
        read
    }
}

/// The list with this share in place of any it has; without one where nobody can know it.
///
/// The member comes first, since it was changed last, and the list is no longer for it than a list may be.
/// Of a member that is too long all goes before the share and the randomness, since others decide by these.
pub(crate) fn with_share(state: Option<&Str>, share: Option<Ratio>) -> Option<Str> {
    let written = share.map(text);
    let before = state.and_then(|state| value(state));
    let was = before.and_then(|value| pairs(value).find(|(key, _)| *key == THRESHOLD));
    if written.as_deref() == was.map(|(_, value)| value) {
        return state.cloned();
    }
    let kept = before.into_iter().flat_map(|value| value.split(';'));
    let kept = kept.filter(|pair| !pair.starts_with("th:")).map(str::to_owned);
    let mut own: Vec<String> =
        written.map(|text| format!("{THRESHOLD}:{text}")).into_iter().chain(kept).collect();
    while own.iter().map(|pair| pair.len() + 1).sum::<usize>() > LENGTH + 1 {
        let other = own.iter().rposition(|pair| !is_known(pair));
        own.remove(other.unwrap_or(own.len() - 1));
    }
    let own = (!own.is_empty()).then(|| format!("{KEY}={}", own.join(";")));
    let others = members(state.map_or("", |state| state)).filter(|(key, _)| *key != KEY);
    let others = others.map(|(key, value)| format!("{key}={value}"));
    let all: Vec<String> = own.into_iter().chain(others).collect();
    bounded(all.iter().map(String::as_str))
}

/// Whether somebody decides by the pair.
fn is_known(pair: &str) -> bool {
    match pair.split_once(':') {
        Some((THRESHOLD, value)) => threshold(value).is_some(),
        Some((RANDOMNESS, value)) => randomness(value).is_some(),
        _ => false,
    }
}

fn members(state: &str) -> impl Iterator<Item = (&str, &str)> {
    state.split(',').filter_map(|member| member.split_once('='))
}

fn value(state: &str) -> Option<&str> {
    members(state).find(|(key, _)| *key == KEY).map(|(_, value)| value)
}

fn pairs(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(';').filter_map(|pair| pair.split_once(':'))
}

/// Left-aligned, so that `8` is half of the range.
fn threshold(digits: &str) -> Option<u64> {
    let shift = 4 * DIGITS.checked_sub(digits.len())?;
    Some(hex(digits)? << shift)
}

fn randomness(digits: &str) -> Option<u64> {
    hex(digits).filter(|_| digits.len() == DIGITS)
}

/// At most 14 lower-case digits, and at least one.
fn hex(digits: &str) -> Option<u64> {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let good = !digits.is_empty() && digits.len() <= DIGITS && digits.bytes().all(is_digit);
    u64::from_str_radix(digits, 16).ok().filter(|_| good)
}

/// A share that takes something, as it travels: `0` takes all.
fn text(share: Ratio) -> String {
    let digits = format!("{:014x}", share.threshold());
    match digits.trim_end_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(share: f64) -> Ratio {
        Ratio::new(share).unwrap()
    }

    #[track_caller]
    fn written(state: &'static str, share: Option<Ratio>) -> String {
        let state = (!state.is_empty()).then(|| Str::from_static(state));
        with_share(state.as_ref(), share).map_or_else(String::new, |text| text.to_string())
    }

    #[test]
    fn threshold_and_randomness_are_read() {
        let read = Probability::read(Some("a=1,ot=th:c;x:1;rv:123456789abcde"));
        assert_eq!(read, Probability { share: Some(share(0.25)), randomness: Some(0x0012_3456_789a_bcde) });
        for text in [
            "",
            "a=th:8",
            "ot=th:",
            "ot=th:G",
            "ot=rv:12",
            "ot=th:123456789abcdef",
            "ot=TH:8",
            "ot=th:+8",
            "ot",
        ] {
            assert_eq!(Probability::read(Some(text)), Probability::default(), "{text}");
        }
    }

    #[test]
    fn another_share_takes_the_place_of_the_old_one_and_the_rest_stays() {
        assert_eq!(written("", Some(share(0.5))), "ot=th:8");
        assert_eq!(
            written("a=1,ot=x:1;th:8;rv:123456789abcde,b=2", Some(share(0.25))),
            "ot=th:c;x:1;rv:123456789abcde,a=1,b=2"
        );
        assert_eq!(written("a=1,ot=th:8", Some(share(0.5))), "a=1,ot=th:8", "nothing has changed");
        assert_eq!(written("a=1,ot=th:8", None), "a=1");
        assert_eq!(written("ot=th:8", None), "");
        assert_eq!(written("ot=th:8;x:1", None), "ot=x:1");
        assert_eq!(written("a=1", None), "a=1");
        assert_eq!(
            written("a=1,ot=th:8", Some(share(1.0))),
            "ot=th:0,a=1",
            "all are taken, and that is known"
        );
        assert_eq!(written("ot=th:0", Some(share(1.0))), "ot=th:0");
    }

    #[test]
    fn a_member_that_is_too_long_loses_what_nothing_is_decided_by() {
        let (early, late) = ("x:".to_owned() + &"1".repeat(235), "y:".to_owned() + &"2".repeat(30));
        let state = Str::from(format!("ot={early};rv:123456789abcde;{late}"));
        let state = with_share(Some(&state), Some(share(0.5))).unwrap();
        assert_eq!(&*state, "ot=th:8;rv:123456789abcde");
        let state = Str::from(format!("ot={};rv:123456789abcde;{late}", "x:1"));
        let state = with_share(Some(&state), Some(share(0.5))).unwrap();
        assert_eq!(&*state, format!("ot=th:8;x:1;rv:123456789abcde;{late}"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(threshold in 0u64..1 << 56, rest in "[a-z]{2}:[0-9a-z]{0,250}") {
            prop_assume!(!rest.starts_with("th:") && !rest.starts_with("rv:"));
            let ratio = Ratio::from_threshold(threshold);
            let state = with_share(Some(&format!("ot={rest}").into()), Some(ratio)).unwrap();
            prop_assert_eq!(Probability::read(Some(&state)).share, Some(ratio));
            prop_assert!(state.len() <= LENGTH + 3);
        }
    }
}
