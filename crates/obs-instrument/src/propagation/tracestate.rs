//! W3C `tracestate`: what each vendor says of a trace; ours says which span is its root.

use std::fmt::Write;

use obs_core::{SpanId, Str};

/// The key of our member.
const KEY: &str = "obs";
/// What our member's value begins with: the root's id follows.
const ROOT: &str = "r:";
/// The most members a list may have.
const MEMBERS: usize = 32;
/// The most characters that are passed on, four times what the standard demands.
const CHARS: usize = 2048;
/// A member longer than this goes first where the list is too long.
const LONG: usize = 128;

/// A list as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraceState {
    /// The members of others, in their order.
    pub(crate) others: Option<Str>,
    /// The root that our member names.
    pub(crate) root_span_id: Option<SpanId>,
}

impl TraceState {
    /// Reads a header, several of them joined by commas.
    ///
    /// As the standard has it, one bad member or more than 32 spoil the whole list, and the trace goes on without.
    ///
    /// # Errors
    /// What is wrong, for a line that says so.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut root_span_id = None;
        let mut others = Vec::new();
        let members = text.split(',').map(|member| member.trim_matches([' ', '\t']));
        for (at, member) in members.filter(|member| !member.is_empty()).enumerate() {
            if at == MEMBERS {
                return Err("it has more than 32 members");
            }
            let (key, value) = member.split_once('=').ok_or("a member has no value")?;
            if !is_key(key) || !is_value(value) {
                return Err("a member has characters that are not allowed");
            }
            if key == KEY {
                root_span_id = root_span_id.or_else(|| value.strip_prefix(ROOT)?.parse().ok());
            } else {
                others.push(member);
            }
        }
        Ok(Self { others: joined(others, CHARS), root_span_id })
    }

    /// As the header has it: our member first, since we changed the trace last.
    ///
    /// The others are within the limits of a list, since they were read or [`bounded`].
    pub(crate) fn format(root_span_id: Option<SpanId>, others: Option<&str>) -> Option<String> {
        let Some(root) = root_span_id else { return others.map(str::to_owned) };
        let mut text = format!("{KEY}={ROOT}{root}");
        let others = others.into_iter().flat_map(|others| others.split(',')).take(MEMBERS - 1).collect();
        if let Some(others) = joined(others, CHARS - text.len() - 1) {
            let _ = write!(text, ",{others}");
        }
        Some(text)
    }
}

/// A list of others' members that can be sent: the oldest make room.
pub(crate) fn bounded<'a>(members: impl Iterator<Item = &'a str>) -> Option<Str> {
    joined(members.take(MEMBERS).collect(), CHARS)
}

/// The members that fit: too many characters cost the long ones, then the oldest, which are last.
fn joined(mut members: Vec<&str>, most: usize) -> Option<Str> {
    let length =
        |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    while length(&members) > most {
        let long = members.iter().rposition(|member| member.len() > LONG);
        members.remove(long.unwrap_or(members.len() - 1));
    }
    (!members.is_empty()).then(|| members.join(",").into())
}

fn is_key(key: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let other = |byte: &u8| first(byte) || b"_-*/@".contains(byte);
    key.len() <= 256
        && key.as_bytes().split_first().is_some_and(|(head, tail)| first(head) && tail.iter().all(other))
}

fn is_value(value: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT_ID: u64 = 0x00f0_67aa_0ba9_02b7;

    fn round(text: &str, root: Option<SpanId>) -> String {
        let state = TraceState::parse(text).unwrap();
        TraceState::format(root.or(state.root_span_id), state.others.as_deref()).unwrap_or_default()
    }

    #[test]
    fn others_keep_their_order_and_ours_comes_first() {
        let root = SpanId::new(ROOT_ID);
        assert_eq!(
            round("rojo=00f0, congo=t61rcWkgMzE", root),
            "obs=r:00f067aa0ba902b7,rojo=00f0,congo=t61rcWkgMzE"
        );
        assert_eq!(
            round("rojo=1,obs=r:00f067aa0ba902b7,congo=2", None),
            "obs=r:00f067aa0ba902b7,rojo=1,congo=2"
        );
        assert!(TraceState::parse("a=FfnNXw==x").is_err(), "an `=` in a value spoils the list");
        assert_eq!(round(",a=1 , ,b@c=x y", None), "a=1,b@c=x y");
    }

    #[test]
    fn one_bad_member_spoils_the_list() {
        for bad in
            ["a", "a=", "A=1", "=1", "a=1,b=\u{7f}", "a=é", "a =1", "_a=1", &format!("{}=1", "k".repeat(257))]
        {
            assert!(TraceState::parse(bad).is_err(), "{bad}");
        }
        let many = |count: usize| (0..count).map(|at| format!("k{at}=v")).collect::<Vec<_>>().join(",");
        assert!(TraceState::parse(&many(33)).is_err());
        assert_eq!(round(&many(32), None), many(32));
        assert_eq!(
            round(&many(32), SpanId::new(1)),
            format!("obs=r:{:016x},{}", 1, many(31)),
            "the oldest makes room"
        );
    }

    #[test]
    fn a_root_of_ours_that_is_none_is_forgotten() {
        for value in ["r:", "r:0000000000000000", "r:xyz", "later"] {
            let state = TraceState::parse(&format!("obs={value},a=1")).unwrap();
            assert_eq!((state.root_span_id, state.others.as_deref()), (None, Some("a=1")));
        }
    }

    #[test]
    fn too_many_characters_cost_long_members_first() {
        let long = format!("long={}", "x".repeat(200));
        let short: Vec<_> = (0..25).map(|at| format!("k{at}={}", "y".repeat(90))).collect();
        let kept = round(&format!("{long},{}", short.join(",")), None);
        assert!(kept.len() <= CHARS && kept.starts_with("k0=") && !kept.contains("k24="), "{kept}");
        let fits = format!("{},{long}", "k=v");
        assert_eq!(round(&fits, None), fits);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            members in prop::collection::vec(("[a-z0-9][a-z0-9_@/*-]{0,9}", "[ -+.-<>-~]{0,9}[!-+.-<>-~]"), 0..31),
            root in prop::option::of(1u64..),
        ) {
            let root = root.and_then(SpanId::new);
            let members: Vec<_> = members.iter().filter(|(key, _)| key != KEY)
                .map(|(key, value)| format!("{key}={}", value.trim_start())).collect();
            let text = TraceState::format(root, joined(members.iter().map(String::as_str).collect(), CHARS).as_deref());
            let state = TraceState::parse(text.as_deref().unwrap_or_default()).unwrap();
            prop_assert_eq!(state.root_span_id, root);
            prop_assert_eq!(state.others.as_deref().unwrap_or_default(), members.join(","));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC*", list in "([a-z]{0,3}=?[ -~]{0,3},?){0,40}") {
            let _ = TraceState::parse(&text);
            if let Ok(state) = TraceState::parse(&list) {
                let out = TraceState::format(SpanId::new(1), state.others.as_deref()).unwrap();
                prop_assert!(TraceState::parse(&out).is_ok() && out.len() <= CHARS);
            }
        }
    }
}
