//! Addresses with placeholders, of which a value never changes the host, the scheme or the path above it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use obs_core::{Error, Signal, suggest};

/// What a record puts into its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// `{service}`.
    Service,
    /// `{environment}`.
    Environment,
    /// `{host}`.
    Host,
}

impl Field {
    const ALL: [Self; 3] = [Self::Service, Self::Environment, Self::Host];

    const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Environment => "environment",
            Self::Host => "host",
        }
    }
}

/// What stands in place of a value that a record lacks, where the configuration gives no other.
const UNKNOWN: &str = "unknown";

/// The most bytes of a value: each is up to three in an address, and servers take about 8 KiB of one in all.
///
/// An address that no client can send would be tried again and again at the head of its lane.
const LONGEST: usize = 1 << 10;

/// A part of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// As it goes over the wire.
    Literal(String),
    /// A value of the record's, and what stands there where it has none.
    Value(Field, String),
}

/// The address of a signal: what every request goes below, and what a record adds to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host, the path before the first value, and the query's pairs without any.
    base: String,
    path: Vec<Piece>,
    query: Vec<Piece>,
}

/// Shows no address, which may be a credential.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("base", &obs_http::shown(&self.base)).finish_non_exhaustive()
    }
}

impl Address {
    /// Reads a template for one signal; `constants` are what the user gives beside the record's values.
    ///
    /// # Errors
    /// A configuration error that names the field: a placeholder that does not exist, stands in the host, or has no end; a
    /// path that goes up.
    pub(crate) fn parse(
        field: &str,
        template: &str,
        signal: Signal,
        constants: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let refuse = |cause: String| Error::config(field, cause);
        let template = template.trim();
        if template.chars().any(char::is_control) {
            return Err(refuse("it has a control character; remove it".into()));
        }
        let template = template.split('#').next().unwrap_or_default();
        let host = template.find("://").map_or(0, |at| at + 3);
        let end = template[host..].find(['/', '?', '\\']).map_or(template.len(), |at| host + at);
        let (origin, rest) = template.split_at(end);
        if origin.contains(['{', '}']) {
            return Err(refuse(
                "a placeholder stands in the scheme or host, which no value may change; put it behind the host".into(),
            ));
        }
        let pieces = |text: &str| pieces(text, signal, constants).map_err(refuse);
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let (has_values, path) = (path.contains('{'), pieces(path)?);
        let (fixed, path) = below(path);
        let mut address = Self { base: format!("{origin}{fixed}"), path, query: Vec::new() };
        if has_values && fixed.split('/').any(goes_up) {
            return Err(refuse("its path has `.` or `..`; write it without".into()));
        }
        let mut separator = '?';
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let pair = pieces(pair)?;
            if let [Piece::Literal(text)] = &*pair {
                let _ = write!(address.base, "{separator}{text}");
                separator = '&';
            } else {
                if !address.query.is_empty() {
                    address.query.push(Piece::Literal("&".to_owned()));
                }
                address.query.extend(pair);
            }
        }
        Ok(address)
    }

    /// What every request goes below: the endpoint of a client.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether all records have the same address.
    pub(crate) fn is_fixed(&self) -> bool {
        self.path.is_empty() && self.query.is_empty()
    }

    /// What a record adds to the base, as [`obs_http::Request`] takes it.
    ///
    /// # Errors
    /// Why this record has no address.
    pub(crate) fn target<'a>(&self, value: impl Fn(Field) -> Option<&'a str>) -> Result<String, String> {
        let given = |field: &Field| value(*field).map_or(0, str::len);
        if let Some(long) = self.fields().find(|field| given(field) > LONGEST) {
            return Err(format!(
                "its {} has {} bytes, where an address takes {LONGEST} at most",
                long.name(),
                given(&long)
            ));
        }
        let path = filled(&self.path, &value);
        if path.split('/').any(goes_up) {
            return Err(
                "its service, environment or host would make `.` or `..` of a part of the address".into()
            );
        }
        let mut target = path;
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&filled(&self.query, &value));
        }
        // What has a scheme is taken for a whole address.
        Ok(target.replace("://", ":%2F%2F"))
    }

    /// The fields of records that stand in it.
    fn fields(&self) -> impl Iterator<Item = Field> {
        self.path.iter().chain(&self.query).filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Value(field, _) => Some(*field),
        })
    }

    /// The written parts behind a value that look like keys, which no message may show.
    pub(crate) fn hidden(&self) -> Vec<String> {
        let written = self.path.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text),
            Piece::Value(..) => None,
        });
        let parts = written.flat_map(|text| text.split('/')).filter(|part| !part.is_empty());
        let looks_like_key = |part: &&str| !obs_http::shown(&format!("https://h/{part}")).ends_with(*part);
        parts.filter(looks_like_key).map(ToOwned::to_owned).collect()
    }
}

/// The text with its values in place.
fn filled<'a>(pieces: &[Piece], value: &impl Fn(Field) -> Option<&'a str>) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Value(field, otherwise) => {
                let given = value(*field).filter(|value| !value.is_empty());
                push_encoded(&mut text, given.unwrap_or(otherwise));
            }
        }
    }
    text
}

/// The written path before the first value, up to its last slash, and the pieces after it.
fn below(mut path: Vec<Piece>) -> (String, Vec<Piece>) {
    let alone = path.len() == 1;
    let Some(Piece::Literal(first)) = path.first_mut() else { return (String::new(), path) };
    let cut = if alone { first.len() } else { first.rfind('/').map_or(0, |at| at + 1) };
    let rest = first.split_off(cut);
    let fixed = std::mem::replace(first, rest);
    path.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
    (fixed, path)
}

/// A template's pieces; what is known beforehand, the signal and constants, is written out.
fn pieces(text: &str, signal: Signal, constants: &BTreeMap<String, String>) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let found = &rest[at..];
        if let Some(behind) = found.strip_prefix("{{").or_else(|| found.strip_prefix("}}")) {
            push_encoded(&mut literal, &found[..1]);
            rest = behind;
            continue;
        }
        let end = found.find('}').filter(|end| *end > 0);
        let Some(end) = end else {
            return Err(format!("a `{}` stands alone; write it twice if it is meant", &found[..1]));
        };
        match named(&found[1..end], signal, constants)? {
            Piece::Literal(text) => literal.push_str(&text),
            value @ Piece::Value(..) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(value);
            }
        }
        rest = &found[end + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// What a placeholder stands for.
fn named(name: &str, signal: Signal, constants: &BTreeMap<String, String>) -> Result<Piece, String> {
    if name == "signal" {
        return Ok(Piece::Literal(signal.as_str().to_owned()));
    }
    let constant = constants.get(name);
    if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
        let otherwise = constant.map_or_else(|| UNKNOWN.to_owned(), Clone::clone);
        return Ok(Piece::Value(field, otherwise));
    }
    if let Some(constant) = constant {
        let mut text = String::new();
        push_encoded(&mut text, constant);
        return Ok(Piece::Literal(text));
    }
    let mut known: Vec<&str> = vec!["signal"];
    known.extend(Field::ALL.iter().map(|field| field.name()));
    known.extend(
        constants.keys().map(String::as_str).filter(|name| !known.contains(name)).collect::<Vec<_>>(),
    );
    let near = suggest::nearest(name, known.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!("did you mean {{{near}}}? "));
    let known = known.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ");
    let name = name.escape_debug();
    Err(format!("there is no placeholder {{{name}}}; {meant}There are {known}; give others in `url_values`"))
}

/// Appends a value as one part of a path or query: all but unreserved characters as `%XX`.
pub(crate) fn push_encoded(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

/// Whether a part of a path is one that readers of addresses take for "here" or "up".
fn goes_up(part: &str) -> bool {
    part.len() <= 6 && matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | "..")
}

#[cfg(test)]
mod tests {
    use obs_testkit::fixtures::NASTY_TEXTS;
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn parse(template: &str) -> Result<Address, String> {
        let constants = BTreeMap::from([("team".to_owned(), "a/b".to_owned())]);
        Address::parse("endpoint", template, Signal::Logs, &constants).map_err(|error| error.to_string())
    }

    /// The address of a record whose every value is this one.
    fn url(template: &str, value: &str) -> Result<Url, String> {
        let address = parse(template)?;
        let target = address.target(|_| Some(value))?;
        let (path, query) = target.split_once('?').map_or((&*target, None), |(p, q)| (p, Some(q)));
        let mut url = Url::parse(address.base()).map_err(|error| error.to_string())?;
        if !path.is_empty() {
            let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
            url.set_path(&joined);
        }
        let before = url.query().map(ToOwned::to_owned);
        if let Some(query) = query {
            url.set_query(Some(&before.map_or(query.to_owned(), |before| format!("{before}&{query}"))));
        }
        Ok(url)
    }

    #[test]
    fn values_stand_where_their_placeholders_did() {
        for (template, wanted) in [
            ("https://h/v1/{signal}", "https://h/v1/logs"),
            ("https://h", "https://h/"),
            ("https://h/{team}/in#top", "https://h/a%2Fb/in"),
            ("https://h/v1/{service}/obs-{signal}.json", "https://h/v1/a%20b/obs-logs.json"),
            ("https://h/{service}", "https://h/a%20b"),
            ("https://h/in?env={environment}&key=k", "https://h/in?key=k&env=a%20b"),
            ("https://h/in?a={service}&b={host}", "https://h/in?a=a%20b&b=a%20b"),
            ("https://h/in/{{x}}", "https://h/in/%7Bx%7D"),
            ("https://h/in?u=a://{service}", "https://h/in?u=a:%2F%2Fa%20b"),
        ] {
            assert_eq!(url(template, "a b").unwrap().as_str(), wanted, "{template}");
        }
    }

    #[test]
    fn a_value_that_is_missing_has_a_word_in_its_place() {
        let target = |constants: &[(&str, &str)]| {
            let constants = constants.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let address =
                Address::parse("endpoint", "https://h/{service}", Signal::Logs, &constants).unwrap();
            (address.target(|_| None).unwrap(), address.target(|_| Some("")).unwrap())
        };
        assert_eq!(target(&[]), ("unknown".into(), "unknown".into()));
        assert_eq!(target(&[("service", "no/ne")]), ("no%2Fne".into(), "no%2Fne".into()));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_there_is() {
        let said = |template: &str| parse(template).unwrap_err();
        let unknown = said("https://h/{sevice}");
        assert!(unknown.starts_with("endpoint: there is no placeholder {sevice}"), "{unknown}");
        assert!(unknown.contains("did you mean {service}?"), "{unknown}");
        assert!(unknown.contains("{signal}, {service}, {environment}, {host}, {team}"), "{unknown}");
        for template in
            ["https://{service}.h/in", "{service}://h", "https://h:{team}/", "https://{service}@h"]
        {
            assert!(said(template).contains("scheme or host"), "{template}");
        }
        for template in ["https://h/{service", "https://h/service}", "https://h/?a={"] {
            assert!(said(template).contains("stands alone"), "{template}");
        }
        assert!(said("https://h/a/../{service}").contains("`..`"));
        assert!(said("https://h/\n{service}").contains("control character"));
    }

    #[test]
    fn a_value_of_dots_is_refused() {
        for (template, value) in [
            ("https://h/a/{service}", ".."),
            ("https://h/a/{service}/b", "."),
            ("https://h/a/{service}{host}", "."),
            ("https://h/a/%2e{service}", "."),
            ("https://h/a/.{service}", "."),
        ] {
            assert!(url(template, value).is_err(), "{template} with {value}");
        }
        assert_eq!(url("https://h/a/{service}", "...").unwrap().path(), "/a/...");
    }

    #[test]
    fn keys_behind_a_value_are_known() {
        let address = parse("https://h/in/{service}/T0ABC1234/logs").unwrap();
        assert_eq!(address.hidden(), ["T0ABC1234"]);
        assert_eq!(address.base(), "https://h/in/");
    }

    fn any_value() -> impl Strategy<Value = String> {
        prop_oneof![
            "(?s).{0,24}",
            "[./%2eE\\\\@:?#&=+]{0,12}",
            proptest::sample::select(NASTY_TEXTS.to_vec()).prop_map(ToOwned::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn law_6_a_value_changes_neither_host_nor_scheme_nor_the_path_around_it(value in any_value(), at in 0_usize..4) {
            let template = [
                "https://h:8443/in/{service}/end?key=k",
                "https://h:8443/in/x-{service}.json?a={environment}&key=k",
                "https://h:8443/{service}/{host}",
                "https://h:8443/in?a={service}",
            ][at];
            let Ok(found) = url(template, &value) else {
                prop_assert!(value.chars().all(|c| c == '.'), "{value:?} is refused");
                return Ok(());
            };
            let harmless = url(template, "x").unwrap();
            prop_assert_eq!(found.origin(), harmless.origin());
            prop_assert_eq!(found.fragment(), None);
            let parts = |url: &Url| url.path().split('/').map(ToOwned::to_owned).collect::<Vec<_>>();
            let (found_parts, wanted) = (parts(&found), parts(&harmless));
            prop_assert_eq!(found_parts.len(), wanted.len(), "{}", found);
            for (found, wanted) in found_parts.iter().zip(&wanted) {
                prop_assert!(wanted.contains('x') || found == wanted, "{found} for {wanted}");
            }
            let names = |url: &Url| url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>();
            prop_assert_eq!(names(&found), names(&harmless));
            if let Some((_, given)) = found.query_pairs().find(|(name, _)| name == "a") {
                prop_assert_eq!(&*given, if value.is_empty() { "unknown" } else { &*value });
            }
        }
    }
}
