//! What files are called, and which names are ours.

use obs_core::{Signal, Timestamp};

use crate::{Compression, FileFormat};

/// The most bytes of a value in a name.
const MAX_VALUE: usize = 64;

/// The most bytes of a name; file systems take 255, and a number, `.open` or `.torn` come behind.
const MAX_NAME: usize = 235;

const TIMESTAMP: &str = "20261121T130500Z";

const TOKENS: &[(&str, Part)] = &[
    ("timestamp", Part::Timestamp),
    ("hostname", Part::Hostname),
    ("signal", Part::Signal),
    ("service", Part::Service),
    ("pid", Part::Pid),
    ("sequence", Part::Sequence),
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Timestamp,
    Hostname,
    Signal,
    Service,
    Pid,
    Sequence,
}

/// What the tokens of this process stand for.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    hostname: String,
    service: String,
    pid: u32,
}

impl Values {
    pub(crate) fn new(hostname: &str, service: Option<&str>, pid: u32) -> Self {
        Self { hostname: plain(hostname), service: plain(service.unwrap_or("unknown_service")), pid }
    }
}

/// A checked template, without its end.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
    end: &'static str,
    values: Values,
}

/// A name of ours, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// The signal, where the template has it.
    pub(crate) signal: Option<Signal>,
}

/// How names of this format end.
pub(crate) const fn end(format: FileFormat, compression: Compression) -> &'static str {
    match (format, compression) {
        (FileFormat::Jsonl, Compression::None) => ".jsonl",
        (FileFormat::Jsonl, Compression::Gzip) => ".jsonl.gz",
        (FileFormat::Jsonl, Compression::Zstd) => ".jsonl.zst",
        (FileFormat::Csv, Compression::None) => ".csv",
        (FileFormat::Csv, Compression::Gzip) => ".csv.gz",
        (FileFormat::Csv, Compression::Zstd) => ".csv.zst",
        (FileFormat::Parquet, _) => ".parquet",
    }
}

impl Template {
    /// Reads a template whose names end so; an error says what is wrong with it and what to write.
    pub(crate) fn parse(text: &str, end: &'static str, values: Values) -> Result<Self, String> {
        let Some(stem) = text.strip_suffix(end) else {
            return Err(format!(
                "\"{text}\" does not end in `{end}`, as this format and compression want it; write \"{}{end}\"",
                bare(text)
            ));
        };
        let parts = parts(stem)?;
        let template = Self { parts, end, values };
        match template.parts.first() {
            None => return Err(format!("\"{text}\" is no name; put something before `{end}`")),
            Some(Part::Text(first)) if first.starts_with(['.', '-']) => {
                return Err(format!("\"{text}\" begins with `.` or `-`; begin it with a letter"));
            }
            Some(_) => {}
        }
        let longest = template.name(Some(Signal::Feedback), Timestamp::default(), u32::MAX).len();
        if longest > MAX_NAME {
            return Err(format!("names would have {longest} bytes; shorten it to at most {MAX_NAME}"));
        }
        Ok(template)
    }

    /// Whether each signal has files of its own.
    pub(crate) fn has_signal(&self) -> bool {
        self.parts.contains(&Part::Signal)
    }

    /// The name of a file that is begun at this time; `sequence` counts from 1 and tells files of one name apart.
    pub(crate) fn name(&self, signal: Option<Signal>, at: Timestamp, sequence: u32) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Timestamp => name.push_str(&stamp(at)),
                Part::Hostname => name.push_str(&self.values.hostname),
                Part::Signal => name.push_str(signal.map_or("all", Signal::as_str)),
                Part::Service => name.push_str(&self.values.service),
                Part::Pid => name.push_str(&self.values.pid.to_string()),
                Part::Sequence => name.push_str(&sequence.to_string()),
            }
        }
        if sequence > 1 && !self.parts.contains(&Part::Sequence) {
            name.push('-');
            name.push_str(&sequence.to_string());
        }
        name.push_str(self.end);
        name
    }

    /// Whether [`Template::name`] may have made this name, on this host and for this service, in whatever process.
    pub(crate) fn reads(&self, name: &str) -> Option<Found> {
        let stem = name.strip_suffix(self.end)?;
        self.rest(&self.parts, stem)
    }

    fn rest(&self, parts: &[Part], text: &str) -> Option<Found> {
        let Some((part, rest)) = parts.split_first() else {
            return self.ends(text).then_some(Found { signal: None });
        };
        let exact = |value: &str| self.rest(rest, text.strip_prefix(value)?);
        match part {
            Part::Text(value) => exact(value),
            Part::Hostname => exact(&self.values.hostname),
            Part::Service => exact(&self.values.service),
            Part::Timestamp => {
                let (value, left) = text.split_at_checked(TIMESTAMP.len())?;
                if is_stamp(value) { self.rest(rest, left) } else { None }
            }
            Part::Signal => Signal::ALL.into_iter().find_map(|signal| {
                self.rest(rest, text.strip_prefix(signal.as_str())?).map(|_| Found { signal: Some(signal) })
            }),
            Part::Pid | Part::Sequence => {
                let digits = text.bytes().take(10).take_while(u8::is_ascii_digit).count();
                (1..=digits).rev().find_map(|digits| self.rest(rest, &text[digits..]))
            }
        }
    }

    /// Whether this is what may stand behind the last part: nothing, or numbers that tell names apart.
    fn ends(&self, text: &str) -> bool {
        let mut numbers = text.split('-');
        if numbers.next() != Some("") {
            return false;
        }
        // A number of the name, where the template has no place for it, and another if that was taken in the end.
        let most = if self.parts.contains(&Part::Sequence) { 1 } else { 2 };
        let mut count = 0;
        numbers.all(|number| {
            count += 1;
            count <= most && number.parse::<u32>().is_ok_and(|number| number > 1)
        })
    }
}

/// The template without an end that some format of ours has.
fn bare(text: &str) -> &str {
    let bare = text.strip_suffix(".gz").or_else(|| text.strip_suffix(".zst")).unwrap_or(text);
    [".jsonl", ".json", ".csv", ".parquet"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare)
}

fn parts(stem: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut left = stem;
    while !left.is_empty() {
        let (text, after) = left.split_at(left.find(['{', '}']).unwrap_or(left.len()));
        if let Some(strange) = text.chars().find(|c| !(c.is_alphanumeric() || "._-+=@,() ".contains(*c))) {
            return Err(format!(
                "{strange:?} has no place in the name of a file; write letters, digits, `.`, `_` and `-`, and name folders in `output_directory`"
            ));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        if after.is_empty() {
            break;
        }
        let Some((token, rest)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
            return Err("a brace has no partner; write `{timestamp}` and the like".into());
        };
        let Some((_, part)) = TOKENS.iter().find(|(name, _)| *name == token) else {
            let names = TOKENS.iter().map(|(name, _)| *name);
            let near = obs_core::suggest::nearest(token, names.clone());
            let hint = near.map_or_else(String::new, |near| format!("did you mean `{{{near}}}`? "));
            let known: Vec<_> = names.map(|name| format!("{{{name}}}")).collect();
            return Err(format!("`{{{token}}}` stands for nothing; {hint}known: {}", known.join(", ")));
        };
        parts.push(part.clone());
        left = rest;
    }
    Ok(parts)
}

/// A value as it may stand in a name: no separators, no control characters, nothing that hides, not for ever.
fn plain(value: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let value: String = value.trim().chars().take(MAX_VALUE).map(keep).collect();
    // Two dots lead nowhere within a name, but whoever reads it should not have to think about that.
    let value = value.replace("..", "__");
    match value.strip_prefix(['.', '-']) {
        Some(rest) => format!("_{rest}"),
        None if value.is_empty() => "unknown".into(),
        None => value,
    }
}

/// `20261121T130500Z`, in UTC.
fn stamp(at: Timestamp) -> String {
    let date = at.rfc3339().to_string();
    let seconds = date.split('.').next().unwrap_or_default();
    let mut stamp: String = seconds.chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
    stamp.push('Z');
    stamp
}

fn is_stamp(text: &str) -> bool {
    text.len() == TIMESTAMP.len()
        && text
            .bytes()
            .zip(TIMESTAMP.bytes())
            .all(|(byte, form)| if form.is_ascii_digit() { byte.is_ascii_digit() } else { byte == form })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Timestamp = Timestamp::from_nanos(1_795_266_300_000_000_000);

    fn template(text: &str) -> Result<Template, String> {
        Template::parse(text, ".jsonl.gz", Values::new("web-1", Some("shop"), 42))
    }

    #[test]
    fn tokens_are_filled_in() {
        let all = template("{service}_{signal}-{timestamp}-{hostname}-{pid}.{sequence}.jsonl.gz").unwrap();
        let name = all.name(Some(Signal::Logs), NOON, 3);
        assert_eq!(name, "shop_logs-20261121T130500Z-web-1-42.3.jsonl.gz");
        let plain = template("profiling-{timestamp}-{hostname}.jsonl.gz").unwrap();
        assert_eq!(plain.name(None, NOON, 1), "profiling-20261121T130500Z-web-1.jsonl.gz");
        assert_eq!(plain.name(None, NOON, 2), "profiling-20261121T130500Z-web-1-2.jsonl.gz");
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said_with_what_to_write() {
        for (text, said) in [
            (
                "a.jsonl",
                "does not end in `.jsonl.gz`, as this format and compression want it; write \"a.jsonl.gz\"",
            ),
            ("a.csv", "write \"a.jsonl.gz\""),
            ("a", "write \"a.jsonl.gz\""),
            (".jsonl.gz", "is no name"),
            ("..jsonl.gz", "begins with `.`"),
            ("../a.jsonl.gz", "'/' has no place"),
            ("a/{signal}.jsonl.gz", "name folders in `output_directory`"),
            ("a\\b.jsonl.gz", "'\\\\' has no place"),
            ("a\u{0}b.jsonl.gz", "'\\0' has no place"),
            ("a{timestmp}.jsonl.gz", "did you mean `{timestamp}`?"),
            ("a{colour}.jsonl.gz", "known: {timestamp}, {hostname}"),
            ("a{timestamp.jsonl.gz", "a brace has no partner"),
            ("a}.jsonl.gz", "a brace has no partner"),
        ] {
            let error = template(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        let long = format!("{}.jsonl.gz", "a".repeat(240));
        assert!(template(&long).unwrap_err().contains("shorten it"));
    }

    #[test]
    fn names_of_others_are_not_ours() {
        let ours = template("app-{signal}-{timestamp}-{hostname}.jsonl.gz").unwrap();
        let name = ours.name(Some(Signal::Traces), NOON, 1);
        assert_eq!(ours.reads(&name), Some(Found { signal: Some(Signal::Traces) }));
        for other in [
            "app-traces-20261121T130500Z-web-2.jsonl.gz",
            "app-traces-20261121T130500Z-web-1.jsonl",
            "app-traces-20261121T130500Z-web-1-1.jsonl.gz",
            "app-traces-20261121T130500Z-web-1-x.jsonl.gz",
            "app-traces-20261121X130500Z-web-1.jsonl.gz",
            "app-spans-20261121T130500Z-web-1.jsonl.gz",
            "my-app-traces-20261121T130500Z-web-1.jsonl.gz",
            "app-traces-2026112é130500Z-web-1.jsonl.gz",
        ] {
            assert_eq!(ours.reads(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn hostile_values_stay_within_the_folder(host in any::<String>(), service in any::<String>(), sequence in 1u32..) {
            let values = Values::new(&host, Some(&service), 1);
            let template = Template::parse("{hostname}{service}.jsonl", ".jsonl", values).unwrap();
            let name = template.name(None, NOON, sequence);
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{}", name);
            prop_assert!(!name.contains("..") && !name.starts_with('.') && name.len() <= MAX_NAME, "{}", name);
            prop_assert!(template.reads(&name).is_some());
        }

        #[test]
        fn what_a_template_names_it_reads(at in any::<u64>(), sequence in 1u32.., signal in 0usize..5, pid in any::<u32>()) {
            let signal = Signal::ALL[signal];
            for text in ["{pid}{sequence}{signal}.jsonl", "{timestamp}{signal}-{pid}.jsonl", "{signal}{signal}.jsonl"] {
                let template = Template::parse(text, ".jsonl", Values::new("h", None, pid)).unwrap();
                let name = template.name(Some(signal), Timestamp::from_nanos(at), sequence);
                prop_assert_eq!(template.reads(&name), Some(Found { signal: Some(signal) }), "{}", name);
                let stem = name.strip_suffix(".jsonl").unwrap();
                let settled = format!("{stem}-{}.jsonl", sequence.max(2));
                prop_assert_eq!(template.reads(&settled), Some(Found { signal: Some(signal) }), "{}", settled);
            }
        }
    }
}
