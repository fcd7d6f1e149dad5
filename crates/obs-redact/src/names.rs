//! Whether a field's name says that its value is a secret.

use crate::rules::names::{ALLOWED, EXACT, SUFFIXES};

/// Room for the normalised tail of a name; longer ones are compared by their tail alone.
const ROOM: usize = 96;

/// How many slots the last three letters of a name are spread over.
const SLOTS: usize = 4096;

/// Who says what of a name; of several rules that fit, the first in this order decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    UserAllows,
    UserForbids,
    Allowed,
    Forbidden,
}

/// One name of a list.
#[derive(Debug)]
struct Rule {
    /// Normalised.
    name: Box<[u8]>,
    /// Whether names that only end with it are meant too.
    suffix: bool,
    verdict: Verdict,
}

/// The end of a normalised name.
#[derive(Debug, Clone, Copy)]
struct Tail<'t> {
    bytes: &'t [u8],
    /// `password2` is a password too.
    letters: &'t [u8],
    /// Whether the whole name had room.
    whole: bool,
}

/// The built-in rules and a user's, filed by the last three letters of their names: most names are refused by one look.
#[derive(Debug)]
pub(crate) struct Names {
    /// For each slot the group of its rules; group 0 is for slots that have none.
    slots: Box<[u16; SLOTS]>,
    groups: Vec<Vec<Rule>>,
}

impl Names {
    pub(crate) fn new(extra: &[String], allowed: &[String]) -> Self {
        let mut rules = Vec::new();
        for (names, verdict) in [(allowed, Verdict::UserAllows), (extra, Verdict::UserForbids)] {
            rules.extend(names.iter().map(|name| Rule::of_user(name, verdict)));
        }
        for (names, suffix, verdict) in [
            (ALLOWED, true, Verdict::Allowed),
            (EXACT, false, Verdict::Forbidden),
            (SUFFIXES, true, Verdict::Forbidden),
        ] {
            rules.extend(names.iter().map(|name| Rule { name: normalised(name), suffix, verdict }));
        }
        Self::of(rules)
    }

    /// A user's names and no others.
    pub(crate) fn only(names: &[String]) -> Self {
        Self::of(names.iter().map(|name| Rule::of_user(name, Verdict::UserForbids)).collect())
    }

    fn of(rules: Vec<Rule>) -> Self {
        let mut names = Self { slots: Box::new([0; SLOTS]), groups: vec![Vec::new()] };
        // A suffix of fewer than three letters fits names with any ending, so then there is but one group.
        let filed = !rules.iter().any(|rule| rule.suffix && letters(&rule.name).len() < 3);
        for rule in rules {
            names.file(rule, filed);
        }
        names
    }

    fn file(&mut self, rule: Rule, filed: bool) {
        if !filed {
            self.groups[0].push(rule);
            return;
        }
        let slot = slot(letters(&rule.name));
        if self.slots[slot] == 0 {
            self.slots[slot] = self.groups.len() as u16;
            self.groups.push(Vec::new());
        }
        self.groups[usize::from(self.slots[slot])].push(rule);
    }

    fn group(&self, letters: &[u8]) -> &[Rule] {
        &self.groups[usize::from(self.slots[slot(letters)])]
    }

    pub(crate) fn is_sensitive(&self, name: &str) -> bool {
        // Most names end with three letters, and most of those endings have no rule.
        if let [.., a, b, c] = name.as_bytes()
            && [a, b, c].iter().all(|byte| byte.is_ascii_alphabetic())
            && self.group(&[a | 0x20, b | 0x20, c | 0x20]).is_empty()
        {
            return false;
        }
        self.is_sensitive_at_length(name)
    }

    fn is_sensitive_at_length(&self, name: &str) -> bool {
        if !name.is_ascii() {
            let name = normalised(name);
            return self.judge(Tail { letters: letters(&name), bytes: &name, whole: true });
        }
        let mut room = [0_u8; ROOM];
        let mut start = ROOM;
        let mut end_of_letters = ROOM;
        for byte in name.bytes().rev().filter(u8::is_ascii_alphanumeric) {
            if start == 0 {
                return self.judge(Tail { bytes: &room, letters: &room[..end_of_letters], whole: false });
            }
            start -= 1;
            room[start] = byte.to_ascii_lowercase();
            if end_of_letters == start + 1 && byte.is_ascii_digit() {
                end_of_letters = start;
            }
            if end_of_letters == start + 3 && self.group(&room[start..end_of_letters]).is_empty() {
                return false;
            }
        }
        self.judge(Tail { bytes: &room[start..], letters: &room[start..end_of_letters], whole: true })
    }

    fn judge(&self, tail: Tail<'_>) -> bool {
        let fitting = self.group(tail.letters).iter().filter(|rule| rule.fits(tail));
        matches!(fitting.map(|rule| rule.verdict).min(), Some(Verdict::UserForbids | Verdict::Forbidden))
    }
}

impl Rule {
    /// A name as a user writes it: `*` in front makes an ending of it.
    fn of_user(name: &str, verdict: Verdict) -> Self {
        let suffix = name.strip_prefix('*');
        Self { name: normalised(suffix.unwrap_or(name)), suffix: suffix.is_some(), verdict }
    }

    fn fits(&self, tail: Tail<'_>) -> bool {
        if self.suffix {
            let digits = tail.bytes.len() > tail.letters.len();
            tail.letters.ends_with(&self.name) || (digits && tail.bytes.ends_with(&self.name))
        } else {
            tail.whole && *self.name == *tail.bytes
        }
    }
}

fn slot(letters: &[u8]) -> usize {
    let tail = &letters[letters.len().saturating_sub(3)..];
    tail.iter().fold(0, |slot: usize, byte| (slot * 37 + usize::from(*byte)) % SLOTS)
}

/// The name without the digits at its end.
fn letters(name: &[u8]) -> &[u8] {
    let last = name.iter().rposition(|byte| !byte.is_ascii_digit());
    &name[..last.map_or(0, |last| last + 1)]
}

/// Whether the name, normalised, is one of those in the list, which are so already.
pub(crate) fn is_one_of(name: &str, list: &[&str]) -> bool {
    let plain = || name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    list.iter().any(|word| plain().eq(word.bytes()))
}

fn normalised(name: &str) -> Box<[u8]> {
    let lower = name.to_lowercase();
    lower.chars().filter(|c| c.is_alphanumeric()).collect::<String>().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(names: &Names, list: &[&str]) -> Vec<String> {
        list.iter().filter(|name| names.is_sensitive(name)).map(ToString::to_string).collect()
    }

    #[test]
    fn every_built_in_name_is_found_in_every_spelling() {
        let names = Names::new(&[], &[]);
        for name in EXACT.iter().chain(SUFFIXES) {
            let mut spaced = name.to_uppercase();
            spaced.insert(name.len() / 2, '_');
            assert!(names.is_sensitive(name), "{name}");
            assert!(names.is_sensitive(&spaced), "{spaced}");
        }
        for name in SUFFIXES {
            assert!(names.is_sensitive(&format!("myService-{name}")), "{name}");
        }
    }

    #[test]
    fn what_peers_leak_is_sensitive() {
        let names = Names::new(&[], &[]);
        let leaked = [
            "openaiApiKey",
            "access_token",
            "set-cookie",
            "dbPassword",
            "x-api-key",
            "DATABASE_DSN",
            "connection_string",
            "AWS_SECRET_ACCESS_KEY",
            "http.request.header.authorization",
            "password2",
            "X-Amz-Security-Token",
            "Ocp-Apim-Subscription-Key",
        ];
        assert_eq!(judged(&names, &leaked), leaked);
    }

    #[test]
    fn counts_prices_and_ids_are_not_sensitive() {
        let names = Names::new(&[], &[]);
        let benign = [
            "prompt_tokens",
            "max_tokens",
            "token_count",
            "inputTokens",
            "gen_ai.usage.output_tokens",
            "cost_per_token",
            "time_to_first_token",
            "next_page_token",
            "key_id",
            "cache_key",
            "public_key",
            "idempotencyKey",
            "tokenizer",
            "secretary",
            "author",
            "monkey",
            "key1",
            "",
            "-",
            "42",
        ];
        assert_eq!(judged(&names, &benign), [""; 0]);
    }

    #[test]
    fn a_users_allow_list_wins_over_their_names_and_those_over_the_built_in_ones() {
        let names = Names::new(
            &[
                "Employee-No".into(),
                "*_pin".into(),
                "next_page_token".into(),
                "ключ".into(),
                "field 2".into(),
            ],
            &["token".into(), "*_api_key".into(), "work_pin".into()],
        );
        let list = [
            "employeeNo",
            "door_pin",
            "work_pin",
            "nextPageToken",
            "КЛЮЧ",
            "field2",
            "field3",
            "token",
            "access_token",
            "openai_api_key",
        ];
        assert_eq!(
            judged(&names, &list),
            ["employeeNo", "door_pin", "nextPageToken", "КЛЮЧ", "field2", "access_token"]
        );
    }

    #[test]
    fn a_short_suffix_of_a_user_is_found_behind_any_name() {
        let names = Names::new(&["*v2".into(), "pw".into()], &[]);
        assert_eq!(judged(&names, &["fieldV2", "fieldV3", "pw", "xpw"]), ["fieldV2", "pw"]);
    }

    #[test]
    fn a_name_longer_than_the_room_is_judged_by_its_end() {
        let names = Names::new(&[], &[]);
        assert!(names.is_sensitive(&format!("{}.password", "a.b".repeat(200))));
        assert!(!names.is_sensitive(&format!("{}key", "a".repeat(ROOM - 3))));
        assert!(!names.is_sensitive(&"key".repeat(200)), "exact names are exact");
    }
}
