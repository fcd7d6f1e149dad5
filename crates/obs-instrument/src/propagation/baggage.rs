//! W3C `baggage`: pairs that travel with a request.

use std::fmt;

use obs_core::Str;

/// The most pairs.
const PAIRS: usize = 180;
/// The most bytes of one pair as it travels.
const PAIR_BYTES: usize = 4096;
/// The most bytes of all as they travel, commas included.
const BYTES: usize = 8192;

/// Pairs that travel with a request, from service to service and task to task.
///
/// Bounded as W3C has it: 180 pairs, 4,096 bytes each, 8,192 together, counted as they travel.
/// Whoever is called can read it, so it is no place for secrets; on records it appears only where
/// [`ObservabilityBuilder::baggage_attributes`](crate::ObservabilityBuilder::baggage_attributes) asks for a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Baggage {
    pairs: Vec<Pair>,
    /// How long the header is.
    bytes: usize,
}

/// What was read of a header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) baggage: Baggage,
    /// How many members were no pairs, or did not fit.
    pub(crate) left_out: usize,
    /// How many bytes were not looked at.
    pub(crate) unread: usize,
}

#[derive(Clone, PartialEq, Eq)]
struct Pair {
    key: Str,
    value: Str,
    /// As they came, separated by semicolons.
    properties: Option<Str>,
}

/// Why a pair was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaggageError {
    key: Str,
    cause: &'static str,
}

impl fmt::Display for BaggageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: String = self.key.chars().take(64).collect();
        write!(f, "baggage {key:?} was not taken: {}", self.cause)
    }
}

impl std::error::Error for BaggageError {}

impl Baggage {
    pub(crate) const EMPTY: Self = Self { pairs: Vec::new(), bytes: 0 };

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pair(key).map(|pair| pair.value.as_str())
    }

    /// The properties of a pair, as they came: `ttl=5;private`.
    pub fn properties(&self, key: &str) -> Option<&str> {
        self.pair(key)?.properties.as_deref()
    }

    /// Keys and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Adds a pair, replacing one of the same key; any text can be a value.
    ///
    /// # Errors
    /// If the key is no token, as names of headers are, or a limit is reached; then nothing has changed.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Str>) -> Result<(), BaggageError> {
        self.put(Pair { key: key.into(), value: value.into(), properties: None })
    }

    /// [`Self::insert`] of a pair that has properties; those against the standard are left out.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn insert_with_properties(
        &mut self,
        key: String,
        value: String,
        text: &str,
    ) -> Result<(), BaggageError> {
        self.put(Pair { key: key.into(), value: value.into(), properties: properties(text) })
    }

    /// Takes a pair away.
    pub fn remove(&mut self, key: &str) {
        self.pairs.retain(|pair| pair.key != key);
        self.bytes = self.pairs.iter().map(|pair| pair.bytes() + 1).sum::<usize>().saturating_sub(1);
    }

    fn pair(&self, key: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.key == key)
    }

    fn put(&mut self, pair: Pair) -> Result<(), BaggageError> {
        let refused = |cause| Err(BaggageError { key: pair.key.clone(), cause });
        if !is_token(&pair.key) {
            return refused("a key is letters, digits and `!#$%&'*+-.^_`|~`, at least one; encode others");
        }
        let bytes = pair.bytes();
        if bytes > PAIR_BYTES {
            return refused("it is longer than 4,096 bytes with its value; send a reference instead");
        }
        let before = self.pairs.iter().position(|known| known.key == pair.key);
        let freed = before.and_then(|at| self.pairs.get(at)).map_or(0, |known| known.bytes() + 1);
        let rest = (self.bytes + 1).saturating_sub(freed);
        let total = if self.pairs.len() == usize::from(before.is_some()) { bytes } else { rest + bytes };
        if before.is_none() && self.pairs.len() == PAIRS {
            return refused("there are 180 pairs already; remove one first");
        }
        if total > BYTES {
            return refused("all baggage would be longer than 8,192 bytes; remove some first");
        }
        self.bytes = total;
        match before.and_then(|at| self.pairs.get_mut(at)) {
            Some(known) => *known = pair,
            None => self.pairs.push(pair),
        }
        Ok(())
    }

    /// Reads a header, several of them joined by commas.
    ///
    /// No more than the limits is looked at: callers choose how much they send.
    pub(crate) fn parse(text: &str) -> Read {
        let mut read = Read::default();
        let mut rest = text;
        for _ in 0..PAIRS {
            let (member, after) = rest.split_once(',').unwrap_or((rest, ""));
            if text.len() - rest.len() + member.len() > BYTES {
                break;
            }
            rest = after;
            let member = trim(member);
            let taken = Pair::parse(member).is_some_and(|pair| read.baggage.put(pair).is_ok());
            read.left_out += usize::from(!taken && !member.is_empty());
        }
        Read { unread: rest.len(), ..read }
    }

    /// As the header has it; `None` if empty.
    pub(crate) fn format(&self) -> Option<String> {
        let mut text = String::with_capacity(self.bytes);
        for (at, pair) in self.pairs.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            pair.write(&mut text);
        }
        (!text.is_empty()).then_some(text)
    }
}

impl Pair {
    fn parse(member: &str) -> Option<Self> {
        let (pair, rest) = member.split_once(';').unwrap_or((member, ""));
        let (key, value) = pair.split_once('=')?;
        let (key, value) = (trim(key), trim(value));
        if !value.bytes().all(is_octet) {
            return None;
        }
        Some(Self { key: Str::copied(key), value: decoded(value).into(), properties: properties(rest) })
    }

    fn write(&self, text: &mut String) {
        text.push_str(&self.key);
        text.push('=');
        for byte in self.value.bytes() {
            if is_plain(byte) {
                text.push(char::from(byte));
            } else {
                let hex = |digit: u8| {
                    char::from_digit(u32::from(digit), 16).map_or('0', |hex| hex.to_ascii_uppercase())
                };
                text.extend(['%', hex(byte >> 4), hex(byte & 15)]);
            }
        }
        if let Some(properties) = &self.properties {
            text.push(';');
            text.push_str(properties);
        }
    }

    /// How long [`Self::write`] makes it.
    fn bytes(&self) -> usize {
        let value: usize = self.value.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum();
        self.key.len() + 1 + value + self.properties.as_ref().map_or(0, |properties| properties.len() + 1)
    }
}

/// Values may hold what belongs to a user, so that they are not shown.
impl fmt::Debug for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Baggage").field("keys", &self.iter().map(|(key, _)| key).collect::<Vec<_>>()).finish()
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// What a value may have in it.
fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// What stands for itself.
fn is_plain(byte: u8) -> bool {
    is_octet(byte) && byte != b'%'
}

/// Those that are good, separated by semicolons.
fn properties(text: &str) -> Option<Str> {
    let good: Vec<_> = text.split(';').map(trim).filter(|text| is_property(text)).collect();
    (!good.is_empty()).then(|| good.join(";").into())
}

fn is_property(text: &str) -> bool {
    let (key, value) = text.split_once('=').map_or((text, ""), |(key, value)| (trim(key), trim(value)));
    is_token(key) && value.bytes().all(is_octet)
}

/// Percent signs resolved; one that begins nothing stands for itself, and what is no UTF-8 is marked.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2)).flatten().and_then(hex_pair);
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0, |sum, &digit| Some(sum << 4 | char::from(digit).to_digit(16)? as u8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_properties_and_percents_are_read() {
        let Read { baggage, left_out, .. } = Baggage::parse(
            "user%20id=Am%C3%A9lie , server=DF%2028;prop ; ttl = 5;;b\"d, =x,empty=,flag;x,odd=50%,\"q\"=1",
        );
        assert_eq!(left_out, 3);
        assert_eq!(baggage.get("user%20id"), Some("Amélie"), "keys are not encoded");
        assert_eq!(
            (baggage.get("server"), baggage.properties("server")),
            (Some("DF 28"), Some("prop;ttl = 5"))
        );
        assert_eq!(
            (baggage.get("empty"), baggage.get("odd"), baggage.get("flag")),
            (Some(""), Some("50%"), None)
        );
        let out = baggage.format().unwrap();
        assert_eq!(out, "user%20id=Am%C3%A9lie,server=DF%2028;prop;ttl = 5,empty=,odd=50%25");
        assert_eq!(baggage.bytes, out.len());
        assert_eq!(Baggage::parse(&out).baggage, baggage);
    }

    #[test]
    fn a_key_again_replaces_the_one_before() {
        let mut baggage = Baggage::parse("a=1,b=2,a=3").baggage;
        assert_eq!((baggage.get("a"), baggage.len()), (Some("3"), 2));
        baggage.insert("b", "22").unwrap();
        assert_eq!(baggage.format().as_deref(), Some("a=3,b=22"));
        baggage.remove("a");
        assert_eq!((baggage.format().as_deref(), baggage.bytes), (Some("b=22"), 4));
    }

    #[test]
    fn limits_hold_and_say_so() {
        let mut baggage = Baggage::default();
        let long = baggage.insert("key", "é".repeat(700)).unwrap_err();
        assert!(long.to_string().contains("\"key\"") && long.to_string().contains("4,096"), "{long}");
        assert!(baggage.insert("k e y", "v").unwrap_err().to_string().contains("letters"));
        for at in 0..PAIRS {
            baggage.insert(format!("k{at}"), "v").unwrap();
        }
        assert!(baggage.insert("more", "v").unwrap_err().to_string().contains("180"));
        baggage.insert("k7", "again").unwrap();
        baggage.insert("k8", "x".repeat(4000)).unwrap();
        let full = baggage.insert("k9", "x".repeat(4000)).unwrap_err();
        assert!(full.to_string().contains("8,192") && baggage.get("k9") == Some("v"), "{full}");
        assert_eq!(baggage.format().unwrap().len(), baggage.bytes);
    }

    #[test]
    fn no_more_than_the_limits_is_looked_at() {
        let small = (0..80_000).map(|at| format!("{at:x}=")).collect::<Vec<_>>().join(",");
        let read = Baggage::parse(&small);
        assert_eq!((read.baggage.len(), read.left_out), (PAIRS, 0));
        assert!(read.unread > small.len() - 5 * PAIRS, "{}", read.unread);
        let long = format!("a=1,{},b=2", "x".repeat(BYTES));
        let read = Baggage::parse(&long);
        assert_eq!((read.baggage.format().as_deref(), read.unread), (Some("a=1"), long.len() - 4));
        let fits = format!("a={}", "x".repeat(4000));
        let full = format!("{fits},b{fits}");
        assert_eq!(Baggage::parse(&full).unread, 0);
        let nothing = Baggage::parse(&",".repeat(80_000));
        assert_eq!((nothing.baggage.len(), nothing.left_out, nothing.unread), (0, 0, 80_000 - PAIRS));
    }

    #[test]
    fn values_are_not_shown() {
        let baggage = Baggage::parse("user=alice").baggage;
        assert_eq!(format!("{baggage:?}"), "Baggage { keys: [\"user\"] }");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_comes_back(pairs in prop::collection::vec(("[a-zA-Z0-9_.!-]{1,8}", any::<String>()), 0..9)) {
            let mut baggage = Baggage::default();
            for (key, value) in pairs {
                baggage.insert(key, value).unwrap();
            }
            let text = baggage.format().unwrap_or_default();
            prop_assert!(text.bytes().all(|byte| matches!(byte, b'!'..=b'~')), "{}", text);
            prop_assert_eq!(text.len(), baggage.bytes);
            prop_assert_eq!(Baggage::parse(&text), Read { baggage, ..Read::default() });
        }

        #[test]
        fn nothing_makes_it_panic_or_grow(text in "\\PC*", list in "([a-z]{0,3}=?[ -~]{0,200},?){0,80}") {
            for text in [text, list] {
                let baggage = Baggage::parse(&text).baggage;
                let out = baggage.format().unwrap_or_default();
                prop_assert!(out.len() <= BYTES && baggage.len() <= PAIRS && out.len() == baggage.bytes);
                prop_assert_eq!(Baggage::parse(&out).baggage, baggage);
            }
        }
    }
}
