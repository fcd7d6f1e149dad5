//! The text formats, written from one table: 0.0.4, 1.0.0 and OpenMetrics.
//!
//! `prometheus_client` writes OpenMetrics alone, and a gateway reads the other; two writers of one table cannot differ in
//! what they show, so both are written here.

use std::fmt::Write as _;

use obs_core::Timestamp;

use crate::buckets::Buckets;
use crate::foreign::ForeignFamily;
use crate::names::{Name, is_safe_label, is_safe_name};
use crate::number::{bound, number};
use crate::page::{Family, Page, Shown, Type};
use crate::point::Sampled;

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: Kind,
    pub(crate) escaping: Escaping,
}

/// Which of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `text/plain` 0.0.4, which every reader knows.
    Text004,
    /// `text/plain` 1.0.0: the same, with names of any characters in quotes.
    Text100,
    /// OpenMetrics 0.0.1, which readers before 1.0.0 ask for.
    OpenMetrics001,
    /// OpenMetrics 1.0.0.
    OpenMetrics100,
}

/// What becomes of names with other characters than letters, digits and underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// They become underscores; the reader did not speak of it.
    Silent,
    /// They become underscores, as the reader asks for.
    Underscores,
    /// The names stay, in quotes.
    Utf8,
}

impl Format {
    /// What a Pushgateway reads, and who asks for nothing.
    pub(crate) const TEXT: Self = Self { kind: Kind::Text004, escaping: Escaping::Silent };

    fn is_open_metrics(self) -> bool {
        matches!(self.kind, Kind::OpenMetrics001 | Kind::OpenMetrics100)
    }

    /// The `Content-Type` of a page in it.
    pub(crate) fn content_type(self) -> String {
        let kind = match self.kind {
            Kind::Text004 => "text/plain; version=0.0.4; charset=utf-8",
            Kind::Text100 => "text/plain; version=1.0.0; charset=utf-8",
            Kind::OpenMetrics001 => "application/openmetrics-text; version=0.0.1; charset=utf-8",
            Kind::OpenMetrics100 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        };
        match self.escaping {
            Escaping::Silent => kind.to_owned(),
            Escaping::Underscores => format!("{kind}; escaping=underscores"),
            Escaping::Utf8 => format!("{kind}; escaping=allow-utf-8"),
        }
    }
}

/// The page as text: LF alone, no timestamps but those of exemplars, `# EOF` behind OpenMetrics.
pub(crate) fn write(page: &Page, foreign: &[ForeignFamily], format: Format) -> String {
    let mut out = Writer { out: String::new(), format };
    for family in &page.families {
        out.family(family);
    }
    for family in foreign {
        family.write(&mut out.out, format.is_open_metrics());
    }
    if format.is_open_metrics() {
        out.out.push_str("# EOF\n");
    }
    out.out
}

struct Writer {
    out: String,
    format: Format,
}

impl Writer {
    fn family(&mut self, family: &Family) {
        self.head(family);
        let name = self.quoted(&family.name, family.ty.suffix());
        for (labels, shown) in &family.samples {
            let labels = label_text(labels.of(self.format.escaping == Escaping::Utf8));
            match shown {
                Shown::Number { value, exemplar } => {
                    self.sample(&name, &labels, None, &number(*value));
                    self.end(exemplar.as_ref().filter(|_| family.ty == Type::Counter));
                }
                Shown::Histogram(buckets) => self.histogram(&family.name, &labels, buckets),
            }
        }
    }

    /// The lines before the samples: what it is of, its type, its unit.
    fn head(&mut self, family: &Family) {
        let open = self.format.is_open_metrics();
        // In OpenMetrics a family is called without its samples' suffix, before it with it.
        let name = self.quoted(&family.name, if open { "" } else { family.ty.suffix() });
        let help = if open { open_help(&family.help) } else { text_help(&family.help) };
        let _ = writeln!(self.out, "# HELP {name} {help}");
        let _ = writeln!(self.out, "# TYPE {name} {}", family.ty.word(open));
        if let (true, Some(unit)) = (open, &family.unit) {
            let _ = writeln!(self.out, "# UNIT {name} {unit}");
        }
    }

    /// Cumulative buckets with the infinite one, the sum and the count.
    fn histogram(&mut self, name: &Name, labels: &str, buckets: &Buckets) {
        let mut total = 0u64;
        let of_bucket = self.quoted(name, "_bucket");
        for (at, count) in buckets.counts.iter().enumerate() {
            total = total.saturating_add(*count);
            let upper = buckets.bounds.get(at).map_or_else(|| "+Inf".to_owned(), |upper| bound(*upper));
            self.sample(&of_bucket, labels, Some(&upper), &total.to_string());
            self.end(buckets.exemplar(at));
        }
        // OpenMetrics takes sums as counters: where values can be negative there is none, and no count without it.
        if self.format.is_open_metrics() && !buckets.sum_is_counter() {
            return;
        }
        self.sample(&self.quoted(name, "_sum"), labels, None, &number(buckets.sum));
        self.end(None);
        self.sample(&self.quoted(name, "_count"), labels, None, &total.to_string());
        self.end(None);
    }

    /// A sample without the end of its line; `le` is the bound of a bucket.
    fn sample(&mut self, name: &str, labels: &str, le: Option<&str>, value: &str) {
        // A name in quotes stands among the labels.
        let inside = name.starts_with('"').then_some(name);
        if inside.is_none() {
            self.out.push_str(name);
        }
        let le = le.map(|le| format!("le=\"{le}\""));
        let parts = [inside, Some(labels).filter(|labels| !labels.is_empty()), le.as_deref()];
        let mut before = '{';
        for part in parts.into_iter().flatten() {
            self.out.push(before);
            self.out.push_str(part);
            before = ',';
        }
        if before == ',' {
            self.out.push('}');
        }
        self.out.push(' ');
        self.out.push_str(value);
    }

    /// Ends a sample's line, in OpenMetrics with its exemplar.
    fn end(&mut self, exemplar: Option<&Sampled>) {
        if let Some(exemplar) = exemplar.filter(|_| self.format.is_open_metrics()) {
            let Sampled { value, time, span } = exemplar;
            let _ = write!(self.out, " # {{trace_id=\"{}\"", span.trace_id);
            if let Some(span_id) = span.span_id {
                let _ = write!(self.out, ",span_id=\"{span_id}\"");
            }
            let _ = write!(self.out, "}} {} {}", number(*value), seconds(*time));
        }
        self.out.push('\n');
    }

    /// A metric's name as the format has it; in quotes where it is no plain one.
    fn quoted(&self, name: &Name, suffix: &str) -> String {
        if self.format.escaping != Escaping::Utf8 {
            return format!("{}{suffix}", name.safe);
        }
        let name = format!("{}{suffix}", name.utf8);
        if is_safe_name(&name) { name } else { format!("\"{}\"", label_value(&name)) }
    }
}

/// The labels between their braces.
fn label_text(labels: &[(String, String)]) -> String {
    let mut out = String::new();
    for (key, value) in labels {
        if !out.is_empty() {
            out.push(',');
        }
        let value = label_value(value);
        let _ = if is_safe_label(key) {
            write!(out, "{key}=\"{value}\"")
        } else {
            write!(out, "\"{}\"=\"{value}\"", label_value(key))
        };
    }
    out
}

fn label_value(text: &str) -> String {
    if !text.contains(['\\', '"', '\n']) {
        return text.to_owned();
    }
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(crate) fn text_help(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

pub(crate) fn open_help(text: &str) -> String {
    label_value(text)
}

/// Seconds since the epoch, exactly.
fn seconds(time: Timestamp) -> String {
    let nanos = time.as_nanos();
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
